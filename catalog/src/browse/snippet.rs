//! The manifest of a minimal App, as a command that one can run.

use super::view::{Plugin, Version};

/// The longest name of an App.
const MAX_NAME: usize = 30;

/// `kubectl apply` of a minimal App that is pinned to `version`.
pub(crate) fn of(plugin: &Plugin, version: &Version) -> String {
    let name: String = plugin.name.chars().take(MAX_NAME).collect();
    let name = name.trim_end_matches('-');
    let topology = match version.topologies.as_slice() {
        [] | [_] => String::new(),
        [first, others @ ..] => format!("\n  topology: {first}  # or {}", others.join(", ")),
    };
    format!(
        "kubectl apply -f - <<'END'\n\
         apiVersion: middleware.io/v1alpha1\n\
         kind: App\n\
         metadata:\n  name: {name}\n\
         spec:\n  plugin: {}\n  pluginVersion: {}{topology}\n\
         END\n",
        plugin.name, version.version
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(topologies: &[&str]) -> String {
        let plugin = Plugin {
            name: "a-name-of-thirty-characters-or-more".to_owned(),
            ..Plugin::default()
        };
        let version = Version {
            version: "1.2.0".to_owned(),
            topologies: topologies.iter().map(|&name| name.to_owned()).collect(),
            ..Version::default()
        };
        of(&plugin, &version)
    }

    #[test]
    fn a_topology_is_named_where_there_are_several() {
        assert_eq!(
            taken(&["standalone", "replication", "cluster"]),
            "kubectl apply -f - <<'END'\n\
             apiVersion: middleware.io/v1alpha1\n\
             kind: App\n\
             metadata:\n  name: a-name-of-thirty-characters-or\n\
             spec:\n  plugin: a-name-of-thirty-characters-or-more\n  pluginVersion: 1.2.0\n  \
             topology: standalone  # or replication, cluster\n\
             END\n"
        );
        assert!(!taken(&["default"]).contains("topology"));
    }
}
