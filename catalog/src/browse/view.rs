//! What is shown, as plain values: no type of Kubernetes, nothing that changes by itself.
//!
//! In: the catalog's model, by [`super::filled`]. Out: what [`super::state`] holds and [`super::draw`]
//! draws.

use std::collections::BTreeMap;

/// One version of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// The plugin.
    pub(crate) plugin: String,
    /// The version.
    pub(crate) version: String,
}

/// All plugins, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Catalog {
    /// By name.
    pub(crate) plugins: Vec<Plugin>,
    /// What the lists of Apps must say of themselves; nothing where every App is seen.
    pub(crate) apps_hidden: Option<String>,
}

/// One kind of middleware.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plugin {
    /// Its name.
    pub(crate) name: String,
    /// Its versions, newest first.
    pub(crate) versions: Vec<Version>,
    /// The version that somebody new should take.
    pub(crate) recommended: String,
}

/// One version, as the list of versions knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Version {
    /// The version.
    pub(crate) version: String,
    /// Where it stands.
    pub(crate) standing: Standing,
    /// Sentences that whoever looks at the version must read: why it is not Active, or withdrawn.
    pub(crate) remarks: Vec<String>,
    /// The versions of the middleware that it runs, newest first.
    pub(crate) runtimes: Vec<String>,
    /// The topologies that an App may choose.
    pub(crate) topologies: Vec<String>,
    /// How many Apps use it, as the platform counts them.
    pub(crate) users: Option<usize>,
    /// The Apps that use it and may be seen, by namespace and name.
    pub(crate) apps: Vec<App>,
    /// Name and value, such as where it came from and who signed it.
    pub(crate) facts: Vec<(String, String)>,
}

/// Where a version stands, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Apps may pin it.
    Active,
    /// It is not checked yet.
    #[default]
    Pending,
    /// A check refused it.
    Failed,
    /// Apps may pin it, and should not.
    Deprecated,
    /// No new App may pin it.
    Withdrawn,
    /// It is being deleted.
    Terminating,
}

/// An App that uses a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct App {
    /// Its namespace.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// Runtime, topology, phase.
    pub(crate) words: Vec<String>,
}

/// What is loaded when somebody looks at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Part<T> {
    /// It is asked for.
    #[default]
    Loading,
    /// It is there.
    Ready(T),
    /// It is not, and this is why: not visible to this person, or not there.
    Absent(String),
}

/// The root of a version's package.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Root {
    /// One or two sentences.
    pub(crate) description: String,
    /// Words to find it by.
    pub(crate) keywords: Vec<String>,
    /// Name and value, such as the licence.
    pub(crate) facts: Vec<(String, String)>,
    /// Markdown; nothing where the package has no README.
    pub(crate) readme: Option<String>,
    /// The arrangements that an App may choose.
    pub(crate) topologies: Vec<Choice>,
    /// Defaults under one name.
    pub(crate) profiles: Vec<Choice>,
}

/// A topology or a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Choice {
    /// Its name.
    pub(crate) name: String,
    /// One sentence.
    pub(crate) description: String,
    /// A component, and what is said of it.
    pub(crate) components: Vec<(String, String)>,
}

/// The parameters of a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parameters {
    /// The version of the middleware that they are those of.
    pub(crate) runtime: String,
    /// By component.
    pub(crate) components: Vec<(String, Vec<Parameter>)>,
}

/// One parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: String,
    /// The value where none is set.
    pub(crate) default: Option<String>,
    /// What is allowed.
    pub(crate) rule: String,
    /// How another value takes effect, in words.
    pub(crate) effect: String,
    /// What it is.
    pub(crate) description: String,
}

/// How one version and the others of its plugin reach each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ways {
    /// For each other version: how an App on this one comes to it.
    pub(crate) onward: BTreeMap<String, Way>,
    /// For each other version: how an App on it comes to this one.
    pub(crate) inward: BTreeMap<String, Way>,
}

/// How an App comes from one version to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The versions on the way, the last one where it leads.
    Edits(Vec<String>),
    /// It does not, for this reason.
    Refused(String),
}

impl Catalog {
    /// The plugin of that name.
    pub(crate) fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// The version, where it is there.
    pub(crate) fn version(&self, id: &Id) -> Option<&Version> {
        self.plugin(&id.plugin)?.version(&id.version)
    }
}

impl Plugin {
    /// That version.
    pub(crate) fn version(&self, version: &str) -> Option<&Version> {
        self.versions.iter().find(|v| v.version == version)
    }

    /// The version that somebody new should take.
    pub(crate) fn id(&self) -> Id {
        Id {
            plugin: self.name.clone(),
            version: self.recommended.clone(),
        }
    }

    /// How many Apps use any of its versions.
    pub(crate) fn users(&self) -> usize {
        self.versions.iter().map(Version::number_of_users).sum()
    }
}

impl Version {
    /// How many Apps use it, as far as anybody says.
    pub(crate) fn number_of_users(&self) -> usize {
        self.users.unwrap_or_default().max(self.apps.len())
    }
}

impl Standing {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Pending => "Pending",
            Self::Failed => "Failed",
            Self::Deprecated => "Deprecated",
            Self::Withdrawn => "Withdrawn",
            Self::Terminating => "Terminating",
        }
    }

    /// Whether a new App may pin the version.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::Deprecated)
    }
}
