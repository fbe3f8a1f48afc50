//! The addons that the repository ships: each passes the checks, and renders as `golden/render` says.

use crate::{evaluator, files};
use package::{
    Package, Tree,
    graph::{Graph, Node, RefusedStep, State},
    render::{Context, Instance, config_files},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The checked package in `folder`.
fn package(folder: &Path) -> Package {
    let tree = Tree::from_files(files::below(folder))
        .unwrap_or_else(|findings| panic!("{folder:?}: {findings:?}"));
    package::check(tree, &evaluator()).unwrap_or_else(|refusal| panic!("{folder:?}: {refusal}"))
}

/// Every shipped version, by folder `<addon>/<version>`.
fn shipped() -> Vec<(PathBuf, Package)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../addons");
    let folders = |at: &Path| -> Vec<PathBuf> {
        fs::read_dir(at)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.is_dir())
            .collect()
    };
    let mut versions: Vec<PathBuf> = folders(&root)
        .iter()
        .flat_map(|addon| folders(addon))
        .collect();
    versions.sort();
    versions
        .into_iter()
        .map(|folder| (folder.clone(), package(&folder)))
        .collect()
}

#[test]
fn every_shipped_addon_passes_and_lies_where_its_version_says() {
    let shipped = shipped();
    assert!(!shipped.is_empty());
    for (folder, package) in shipped {
        let place = format!("{}/{}", package.manifest.name, package.manifest.version);
        assert!(folder.ends_with(&place), "{folder:?} holds {place}");
    }
}

#[test]
fn no_edge_between_shipped_versions_is_closed() {
    let mut plugins = BTreeMap::<_, Vec<Node>>::new();
    for (_, package) in shipped() {
        let node = Node::new(&package.manifest, true);
        plugins.entry(package.manifest.name).or_default().push(node);
    }
    for nodes in plugins.into_values() {
        assert_eq!(Graph::new(nodes).closed_edges(), []);
    }
}

fn redis(version: &str) -> Package {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../addons/redis")
        .join(version);
    package(&folder)
}

/// The files of an App `shop` of that topology.
fn rendered(package: &Package, topology: &str) -> BTreeMap<String, String> {
    let instance = Instance {
        app: "shop".parse().unwrap(),
        namespace: "default".to_owned(),
        topology: topology.parse().unwrap(),
        profile: None,
        runtime: package.manifest.runtimes[0].version.clone(),
        components: BTreeMap::new(),
    };
    let context = Context::new(package, &instance, &evaluator()).unwrap();
    config_files(package, &"redis".parse().unwrap(), &context, &evaluator()).unwrap()
}

#[test]
fn redis_renders_as_before() {
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        for topology in ["standalone", "replication"] {
            let files = rendered(&redis(version), topology);
            let name = format!("redis-{version}-{topology}");
            insta::with_settings!({snapshot_path => "../golden/render", prepend_module_to_snapshot => false,
                omit_expression => true}, {
                insta::assert_yaml_snapshot!(name, files);
            });
        }
    }
}

#[test]
fn the_agent_is_told_of_the_probe() {
    let actions = redis("1.0.0").manifest.components["redis"]
        .actions()
        .unwrap();
    insta::with_settings!({snapshot_path => "../golden/render", prepend_module_to_snapshot => false,
        omit_expression => true}, {
        insta::assert_yaml_snapshot!("actions", actions);
    });
}

#[test]
fn what_templates_may_refer_to_is_as_before() {
    let package = redis("1.0.0");
    let settings = api::crd::app::AppComponent {
        replicas: Some(5),
        ..Default::default()
    };
    let instance = Instance {
        app: "shop".parse().unwrap(),
        namespace: "default".to_owned(),
        topology: "replication".parse().unwrap(),
        profile: None,
        runtime: "7.0.15".parse().unwrap(),
        components: BTreeMap::from([("redis".parse().unwrap(), settings)]),
    };
    let context = Context::new(&package, &instance, &evaluator()).unwrap();
    insta::with_settings!({snapshot_path => "../golden/render", prepend_module_to_snapshot => false,
        omit_expression => true}, {
        insta::assert_yaml_snapshot!("context", context);
    });
}

#[test]
fn redis_2_is_reached_by_way_of_1_1_only() {
    let nodes = ["1.0.0", "1.1.0", "2.0.0"].map(|v| Node::new(&redis(v).manifest, true));
    let graph = Graph::new(nodes);
    let at = |addon: &str| State {
        addon: addon.parse().unwrap(),
        runtime: "7.0.15".parse().unwrap(),
    };
    assert_eq!(graph.step(&at("1.0.0"), &at("1.1.0")), Ok(()));
    let refused = graph.step(&at("1.0.0"), &at("2.0.0"));
    assert!(
        matches!(refused, Err(RefusedStep::NotInUpgradeFrom { .. })),
        "{refused:?}"
    );
    assert_eq!(
        graph.path(&at("1.0.0"), &at("2.0.0")),
        Some(vec![at("1.1.0"), at("2.0.0")])
    );
}

#[test]
fn an_upgrade_of_redis_to_1_1_changes_its_configuration() {
    let (old, new) = (redis("1.0.0"), redis("1.1.0"));
    assert_ne!(rendered(&old, "standalone"), rendered(&new, "standalone"));
    assert_eq!(
        old.tree.differing(&new.tree),
        ["addon.yaml", "scripts/probe.sh", "templates/redis.conf"]
    );
}
