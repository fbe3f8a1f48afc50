use super::*;
use crate::catalog::model::{Trouble, Users};
use api::{crd::addon::Lifecycle, names::PluginName};

fn version(version: &str, runtimes: &[&str], from: &[&str]) -> AddonVersion {
    let plugin: PluginName = "redis".parse().unwrap();
    AddonVersion {
        plugin,
        version: version.parse().unwrap(),
        phase: AddonPhase::Active,
        trouble: None,
        deleting: false,
        lifecycle: Lifecycle::default(),
        digest: None,
        signer: None,
        origin: None,
        runtimes: runtimes.iter().map(|r| r.parse().unwrap()).collect(),
        topologies: Vec::new(),
        upgrade_from: from.iter().map(|r| r.parse().unwrap()).collect(),
        migrate_from: BTreeMap::new(),
        users: Users::default(),
        created: None,
        content: Vec::new(),
    }
}

fn plugin(versions: Vec<AddonVersion>) -> model::Plugin {
    model::Plugin {
        plugin: "redis".parse().unwrap(),
        versions,
    }
}

fn edits(ways: &BTreeMap<String, Way>, to: &str) -> Option<Vec<String>> {
    match ways.get(to)? {
        Way::Edits(edits) => Some(edits.clone()),
        Way::Refused(_) => None,
    }
}

#[test]
fn ways_lead_over_other_versions_and_end_with_a_reason() {
    let mut failed = version("3.0.0", &["7.2.0"], &["2.x"]);
    failed.phase = AddonPhase::Failed;
    let plugin = plugin(vec![
        failed,
        version("2.0.0", &["7.2.0", "7.0.0"], &["1.1.x"]),
        version("1.1.0", &["7.0.0"], &["1.0.x"]),
        version("1.0.0", &["7.0.0"], &[]),
    ]);
    let of = |version: &str| ways(&plugin, plugin.version(&version.parse().unwrap()).unwrap());
    let first = of("1.0.0");
    assert_eq!(edits(&first.onward, "1.1.0").unwrap(), ["1.1.0"]);
    assert_eq!(edits(&first.onward, "2.0.0").unwrap(), ["1.1.0", "2.0.0"]);
    assert_eq!(
        first.onward["3.0.0"],
        Way::Refused("it is Failed".to_owned())
    );
    let last = of("2.0.0");
    assert_eq!(edits(&last.inward, "1.0.0").unwrap(), ["1.1.0", "2.0.0"]);
    match &last.onward["1.1.0"] {
        Way::Refused(reason) => assert!(reason.contains("upgradeFrom"), "{reason}"),
        way => panic!("{way:?}"),
    }
    assert_eq!(of("3.0.0"), Ways::default());
}

#[test]
fn what_one_must_know_of_a_version_stands_first() {
    let mut one = version("1.0.0", &["7.0.0"], &[]);
    one.lifecycle.withdrawn = Some("loses data".to_owned());
    one.lifecycle.end_of_support = Some("2027-03-31".to_owned());
    assert_eq!(standing(&one), Standing::Withdrawn);
    assert_eq!(remarks(&one), ["withdrawn: loses data"]);
    assert!(facts(&one).contains(&("supported".to_owned(), "until 2027-03-31".to_owned())));
    assert!(facts(&one).contains(&("from".to_owned(), "made by hand".to_owned())));
    let mut failed = version("1.0.1", &[], &[]);
    failed.phase = AddonPhase::Failed;
    failed.trouble = Some(Trouble {
        reason: "Invalid".to_owned(),
        message: "addon.yaml:3: no".to_owned(),
    });
    assert_eq!(remarks(&failed), ["Invalid: addon.yaml:3: no"]);
    failed.deleting = true;
    assert_eq!(standing(&failed), Standing::Terminating);
}

#[test]
fn members_are_told_in_words() {
    let declared = |text: &str| serde_json::from_str::<TopologyComponent>(text).unwrap();
    assert_eq!(members(&declared("{}")), "1 member");
    let some = declared(r#"{"replicas": 3, "min": 1, "max": 7, "odd": true, "optional": true}"#);
    assert_eq!(members(&some), "3 members, 1 to 7, an odd number, optional");
}
