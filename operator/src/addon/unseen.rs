//! Versions whose last status the cache does not show yet: whoever looks at one of them again would say
//! the same once more. The event that brings the status wakes the version.

use api::MiddlewareAddon;
use kube::ResourceExt as _;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// By the version's name, the resource version of the object of which the status was said.
#[derive(Debug, Default)]
pub struct Unseen(Mutex<HashMap<String, Option<String>>>);

impl Unseen {
    /// A status was written, of what `addon` was.
    pub fn wrote(&self, addon: &MiddlewareAddon) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.insert(addon.name_any(), addon.resource_version());
    }

    /// Whether `addon` is still what it was when its status was written. What it was is forgotten with
    /// the first other.
    pub fn is_before_its_status(&self, addon: &MiddlewareAddon) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = addon.name_any();
        let is = written.get(&name) == Some(&addon.resource_version());
        if !is {
            written.remove(&name);
        }
        is
    }
}

#[cfg(test)]
mod tests {
    use super::Unseen;
    use api::MiddlewareAddon;

    #[test]
    fn a_version_waits_for_the_status_that_was_written_and_for_no_other() {
        let version = |resource_version: &str| -> MiddlewareAddon {
            serde_json::from_value(serde_json::json!({
                "metadata": {"name": "demo-1.0.0", "resourceVersion": resource_version},
                "spec": {"plugin": "demo", "version": "1.0.0", "content": []},
            }))
            .unwrap()
        };
        let unseen = Unseen::default();
        assert!(!unseen.is_before_its_status(&version("1")));
        unseen.wrote(&version("1"));
        assert!(unseen.is_before_its_status(&version("1")));
        assert!(unseen.is_before_its_status(&version("1")));
        assert!(!unseen.is_before_its_status(&version("2")));
        assert!(!unseen.is_before_its_status(&version("1")));
    }
}
