//! What the manifest will say one day: refused by name, never ignored, so that no
//! author believes in something that nothing serves.

/// What the field `key` of the struct `name` is about, in the plural, where it is known and not
/// served yet.
pub(super) fn field(name: &str, key: &str) -> Option<&'static str> {
    let fields: &[(&str, &str)] = match name {
        "Manifest" => MANIFEST,
        "Runtime" => RUNTIME,
        "Component" => COMPONENT,
        "Probe" => PROBE,
        "Topology" => TOPOLOGY,
        "TopologyComponent" => MEMBERS,
        _ => return None,
    };
    let field = fields.iter().find(|(field, _)| *field == key);
    field.map(|(_, what)| *what)
}

const ORDERS: &str = "orders of components";
const ACTIONS: &str = "actions, operations and hooks";
const LEADERSHIP: &str = "leadership and high availability";
const DELTAS: &str = "deltas by runtime version";
const DEFAULTS: &str = "profiles";
const SERVICES: &str = "backup, monitoring and alerts";

const MANIFEST: &[(&str, &str)] = &[
    ("actions", ACTIONS),
    ("alerts", SERVICES),
    ("backup", SERVICES),
    ("capabilities", "capabilities"),
    ("deltas", DELTAS),
    ("highAvailability", LEADERSHIP),
    ("hooks", ACTIONS),
    ("kubernetes", "ranges of Kubernetes versions"),
    ("leadership", LEADERSHIP),
    ("monitoring", SERVICES),
    ("objects", "further objects"),
    ("operations", ACTIONS),
    ("orders", ORDERS),
    ("parameters", "parameters and schemas"),
    ("profiles", DEFAULTS),
    ("schema", "parameters and schemas"),
    ("templates", "further objects"),
    ("upgradeOrder", ORDERS),
];
const RUNTIME: &[(&str, &str)] = &[("deltas", DELTAS), ("images", "images by component")];
const COMPONENT: &[(&str, &str)] = &[
    ("actions", ACTIONS),
    ("autoRoleSwitch", LEADERSHIP),
    ("exporter", SERVICES),
    ("hooks", ACTIONS),
    ("leadership", LEADERSHIP),
    ("objects", "further objects"),
    ("onTotalLoss", LEADERSHIP),
    ("parameters", "parameters and schemas"),
    ("persistence", LEADERSHIP),
    ("reload", ACTIONS),
    ("update", ORDERS),
];
const PROBE: &[(&str, &str)] = &[("in", "places of actions")];
const TOPOLOGY: &[(&str, &str)] = &[
    ("orders", ORDERS),
    ("profiles", DEFAULTS),
    ("start", ORDERS),
    ("stop", ORDERS),
    ("upgradeOrder", ORDERS),
];
const MEMBERS: &[(&str, &str)] = &[
    ("groups", "several groups of a component"),
    ("odd", "odd numbers of members"),
    ("optional", "optional components"),
    ("shards", "several groups of a component"),
];
