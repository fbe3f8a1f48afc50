//! All that decides what is on the screen.
//!
//! In: [`super::update`]'s changes. Out: rows of the list, and what is selected. It knows neither the
//! terminal nor the cluster.

use super::{
    draw::look::Look,
    search::{self, Haystack},
    view::{Catalog, Id, Parameters, Part, Plugin, Root, Version, Ways},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The state of the screen.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Columns and lines.
    pub(crate) size: (u16, u16),
    /// Colours and signs.
    pub(crate) look: Look,
    /// Which cluster it is.
    pub(crate) place: String,
    /// What there is.
    pub(crate) catalog: Part<Catalog>,
    /// Why what is shown may be old.
    pub(crate) trouble: Option<String>,
    /// What is searched for.
    pub(crate) query: String,
    /// Where keys go.
    pub(crate) focus: Focus,
    /// Whether all keys are shown instead.
    pub(crate) help: bool,
    /// The plugins whose versions are listed.
    pub(crate) unfolded: BTreeSet<String>,
    /// The row of the list.
    pub(crate) selected: Selected,
    /// The first line of the list that is shown.
    pub(crate) list_top: usize,
    /// What is shown of the selected version.
    pub(crate) tab: Tab,
    /// The first line of the tab's page that is shown.
    pub(crate) page_top: usize,
    /// What was loaded of versions.
    pub(crate) roots: BTreeMap<Id, Part<Root>>,
    /// What was loaded of their parameters.
    pub(crate) parameters: BTreeMap<Id, Part<Parameters>>,
    /// How versions reach each other.
    pub(crate) ways: BTreeMap<Id, Part<Ways>>,
    /// What the last key led to, in place of the keys' line.
    pub(crate) told: Option<String>,
    /// The manifest that was taken last.
    pub(crate) taken: Option<String>,
    /// Whether it is over.
    pub(crate) over: bool,
}

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Focus {
    /// To the list.
    #[default]
    List,
    /// To the search, letter by letter.
    Search,
    /// To the page of the selected version.
    Details,
}

/// A row of the list, by name: the list may change at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selected {
    /// The plugin; empty where there is none.
    pub(crate) plugin: String,
    /// The version; the plugin itself where absent.
    pub(crate) version: Option<String>,
}

/// What is shown of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tab {
    /// What the addon says of itself.
    #[default]
    Readme,
    /// All versions, and which reaches which.
    Versions,
    /// The arrangements to choose from.
    Topologies,
    /// What an App may set.
    Parameters,
    /// Who uses it.
    InUse,
}

/// A row of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// The plugin.
    pub(crate) plugin: &'a Plugin,
    /// The version; the plugin itself where absent.
    pub(crate) version: Option<&'a Version>,
}

impl Tab {
    /// All, in their order.
    pub(crate) const ALL: [Self; 5] = [
        Self::Readme,
        Self::Versions,
        Self::Topologies,
        Self::Parameters,
        Self::InUse,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Readme => "README",
            Self::Versions => "Versions",
            Self::Topologies => "Topologies",
            Self::Parameters => "Parameters",
            Self::InUse => "In use",
        }
    }

    /// Its number, from 0.
    pub(crate) fn number(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }
}

impl Row<'_> {
    /// Its name.
    pub(crate) fn name(&self) -> Selected {
        Selected {
            plugin: self.plugin.name.clone(),
            version: self.version.map(|v| v.version.clone()),
        }
    }
}

impl State {
    /// The catalog, as far as it is there.
    pub(crate) fn plugins(&self) -> &[Plugin] {
        match &self.catalog {
            Part::Ready(catalog) => &catalog.plugins,
            _ => &[],
        }
    }

    /// The plugins that the search finds, best first; all by name where nothing is searched for.
    pub(crate) fn found(&self) -> Vec<&Plugin> {
        let score = |plugin| Some((self.score(plugin)?, plugin));
        let mut found: Vec<(u32, &Plugin)> = self.plugins().iter().filter_map(score).collect();
        found.sort_by_key(|(score, _)| Reverse(*score));
        found.into_iter().map(|(_, plugin)| plugin).collect()
    }

    fn score(&self, plugin: &Plugin) -> Option<u32> {
        let nothing = Root::default();
        let root = match self.roots.get(&plugin.id()) {
            Some(Part::Ready(root)) => root,
            _ => &nothing,
        };
        let haystack = Haystack {
            name: &plugin.name,
            keywords: &root.keywords,
            description: &root.description,
        };
        search::score(&self.query, &haystack)
    }

    /// The rows of the list.
    pub(crate) fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        for plugin in self.found() {
            let row = |version| Row { plugin, version };
            rows.push(row(None));
            if self.unfolded.contains(&plugin.name) {
                rows.extend(plugin.versions.iter().map(|version| row(Some(version))));
            }
        }
        rows
    }

    /// The position of the selected row.
    pub(crate) fn position(&self, rows: &[Row<'_>]) -> Option<usize> {
        rows.iter().position(|row| row.name() == self.selected)
    }

    /// The selected plugin, where the search finds it.
    pub(crate) fn plugin(&self) -> Option<&Plugin> {
        let name = &self.selected.plugin;
        let found = |plugin: &&Plugin| plugin.name == *name && self.score(plugin).is_some();
        self.plugins().iter().find(found)
    }

    /// The version that is shown: the selected one, else what the plugin recommends.
    pub(crate) fn id(&self) -> Option<Id> {
        let plugin = self.plugin()?;
        Some(match &self.selected.version {
            Some(version) => Id {
                plugin: plugin.name.clone(),
                version: version.clone(),
            },
            None => plugin.id(),
        })
    }

    /// The same with all that the list knows of it.
    pub(crate) fn version(&self) -> Option<(&Plugin, &Version)> {
        let plugin = self.plugin()?;
        let version = plugin.version(&self.id()?.version)?;
        Some((plugin, version))
    }

    /// Of how many plugins the search knows keywords and description.
    pub(crate) fn described(&self) -> usize {
        let known = |plugin: &&Plugin| {
            let root = self.roots.get(&plugin.id());
            !matches!(root, None | Some(Part::Loading))
        };
        self.plugins().iter().filter(known).count()
    }
}
