//! What must hold in a manifest that parsed: names are unique, references resolve, and every value
//! is one that pods and Services can have.

mod action;
mod component;
mod files;
mod profile;
mod script;
mod topology;
mod volume;

use super::document::Node;
use crate::{Finding, Manifest, Tree, image, manifest};
use api::{Range, Version, names::ComponentName};
use std::{collections::BTreeSet, fmt::Display};

/// The most runtime versions, as many as a MiddlewareAddon's status lists.
const MAX_RUNTIMES: usize = 64;
/// The most entries of `upgradeFrom`, as many as a MiddlewareAddon's status lists.
const MAX_UPGRADE_FROM: usize = 256;
/// The most components, as many as an App can set.
const MAX_COMPONENTS: usize = 16;

/// What rules are checked against, and where findings go.
pub(super) struct Rules<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) tree: &'a Tree,
    pub(super) findings: Vec<Finding>,
    /// Whether one of them is about what templates see: to render them would only repeat it.
    pub(super) spoiled: bool,
}

/// Checks `manifest`, which `document` was read as, with the files of `tree`.
pub(super) fn check<'a>(manifest: &'a Manifest, tree: &'a Tree, document: &Node) -> Rules<'a> {
    let mut rules = Rules {
        manifest,
        tree,
        findings: Vec::new(),
        spoiled: false,
    };
    rules.identity(document);
    rules.runtimes(document);
    rules.components(document.key("components"));
    rules.spoiling(|rules| rules.topologies(document.key("topologies")));
    rules.unarranged(document.key("components"));
    rules.spoiling(|rules| rules.profiles(document.key("profiles")));
    rules.orders(document.key("orders"));
    rules.files();
    rules
}

impl Rules<'_> {
    /// Checks what templates see.
    fn spoiling(&mut self, check: impl FnOnce(&mut Self)) {
        let before = self.findings.len();
        check(self);
        self.spoiled |= self.findings.len() > before;
    }

    fn refuse(&mut self, at: &Node, message: impl Into<String>) {
        self.findings.push(at.finding(message));
    }

    /// Refuses the first error of `result`, if there is one.
    fn require<T, E: Display>(&mut self, at: &Node, result: Result<T, E>) -> Option<T> {
        result
            .map_err(|error| self.refuse(at, error.to_string()))
            .ok()
    }

    fn at_most(&mut self, at: &Node, what: &str, is: usize, most: usize) {
        if is > most {
            self.refuse(at, format!("{is} {what}, and at most {most} are allowed"));
        }
    }

    fn unique<T: Ord + Display>(&mut self, at: &Node, what: &str, seen: &mut BTreeSet<T>, item: T) {
        if seen.contains(&item) {
            self.refuse(at, format!("{what} `{item}` is there twice"));
        } else {
            seen.insert(item);
        }
    }

    fn identity(&mut self, document: &Node) {
        let manifest = self.manifest;
        for (field, is, want) in [
            ("apiVersion", &manifest.api_version, manifest::API_VERSION),
            ("kind", &manifest.kind, manifest::KIND),
        ] {
            if is != want {
                self.refuse(document.key(field), format!("want `{want}`, not `{is}`"));
            }
        }
        if let Some(range) = &manifest.kubernetes
            && !releases_of_kubernetes().any(|release| range.matches(&release))
        {
            let message = format!(
                "`{range}` matches no release of Kubernetes, which are 1.x.y; want for example `>=1.28`"
            );
            self.refuse(document.key("kubernetes"), message);
        }
        let lists = document.key("upgradeFrom");
        self.at_most(
            lists,
            "ranges",
            manifest.upgrade_from.len(),
            MAX_UPGRADE_FROM,
        );
    }

    fn runtimes(&mut self, document: &Node) {
        let manifest = self.manifest;
        let list = document.key("runtimes");
        if manifest.runtimes.is_empty() {
            self.refuse(
                list,
                "there is no runtime; want at least one, with `version` and `image`",
            );
        }
        self.at_most(list, "runtimes", manifest.runtimes.len(), MAX_RUNTIMES);
        let mut seen = BTreeSet::new();
        for (i, runtime) in manifest.runtimes.iter().enumerate() {
            let at = list.index(i);
            self.unique(
                at.key("version"),
                "the runtime",
                &mut seen,
                &runtime.version,
            );
            self.require(at.key("image"), image::check(&runtime.image));
            for (name, image) in &runtime.images {
                let at = at.key("images").key(name);
                self.known_component(at, name);
                self.require(at, image::check(image));
            }
        }
        for version in manifest.migrate_from.keys() {
            if !seen.contains(version) {
                let message = format!(
                    "nothing can move to {version}: it is none of the runtimes, {}",
                    super::listed(&manifest.runtime_versions())
                );
                self.refuse(document.key("migrateFrom").key(version), message);
            }
        }
    }

    /// Refuses a component that is not declared.
    fn known_component(&mut self, at: &Node, name: &ComponentName) -> bool {
        let components = &self.manifest.components;
        if components.contains_key(name) {
            return true;
        }
        let declared: Vec<&str> = components.keys().map(ComponentName::as_str).collect();
        let want = super::one_of(name.as_str(), &declared);
        self.refuse(at, format!("no component `{name}`: {want}"));
        false
    }

    /// Refuses a range, the field `runtimes` of `at`, that none of the runtimes is in.
    fn some_runtime(&mut self, at: &Node, range: Option<&Range>) {
        let versions = self.manifest.runtime_versions();
        if let Some(range) = range
            && !versions.iter().any(|version| range.matches(version))
        {
            let message = format!(
                "`{range}` matches none of the runtimes, {}",
                super::listed(&versions)
            );
            self.refuse(at.key("runtimes"), message);
        }
    }

    fn components(&mut self, map: &Node) {
        let manifest = self.manifest;
        if manifest.components.is_empty() {
            self.refuse(map, "there is no component; want at least one");
        }
        self.at_most(map, "components", manifest.components.len(), MAX_COMPONENTS);
        for (name, component) in &manifest.components {
            self.component(map.key(name), component);
        }
    }
}

/// Every minor release of Kubernetes that there may be, with some patches.
fn releases_of_kubernetes() -> impl Iterator<Item = Version> {
    (0..100).flat_map(|minor| (0..32).map(move |patch| Version::new(1, minor, patch)))
}
