//! What the manifest will say one day: refused by name, never ignored, so
//! that no author believes in something that nothing serves.

/// What the field `key` of the struct `name` is about, in the plural, where it is known and not
/// served yet.
pub(super) fn field(name: &str, key: &str) -> Option<&'static str> {
    let fields: &[(&str, &str)] = match name {
        "Manifest" => MANIFEST,
        "Component" => COMPONENT,
        "Orders" => ORDERS,
        "Probe" => PROBE,
        "Profile" => PROFILE,
        "Topology" => TOPOLOGY,
        "TopologyComponent" => MEMBERS,
        _ => return None,
    };
    let field = fields.iter().find(|(field, _)| *field == key);
    field.map(|(_, what)| *what)
}

const HOOKS: &str = "operations and hooks";
const LEADERSHIP: &str = "leadership and high availability";
const ORDERS_OF_ONE: &str = "orders of one topology";
const SERVICES: &str = "backup, monitoring and alerts";
const STOPPING: &str = "orders for stopping";

const MANIFEST: &[(&str, &str)] = &[
    ("alerts", SERVICES),
    ("backup", SERVICES),
    ("capabilities", "capabilities"),
    ("highAvailability", LEADERSHIP),
    ("hooks", HOOKS),
    ("leadership", LEADERSHIP),
    ("monitoring", SERVICES),
    ("operations", HOOKS),
];
const COMPONENT: &[(&str, &str)] = &[
    ("alerts", SERVICES),
    ("autoRoleSwitch", LEADERSHIP),
    ("exporter", SERVICES),
    ("hooks", HOOKS),
    ("leadership", LEADERSHIP),
    ("onTotalLoss", LEADERSHIP),
    ("persistence", LEADERSHIP),
    ("update", "strategies of updates"),
];
const ORDERS: &[(&str, &str)] = &[("stop", STOPPING)];
const PROBE: &[(&str, &str)] = &[("in", "other places of probes")];
const PROFILE: &[(&str, &str)] = &[("backup", SERVICES), ("alerts", SERVICES)];
const TOPOLOGY: &[(&str, &str)] = &[
    ("orders", ORDERS_OF_ONE),
    ("start", ORDERS_OF_ONE),
    ("stop", ORDERS_OF_ONE),
    ("upgradeOrder", ORDERS_OF_ONE),
];
const MEMBERS: &[(&str, &str)] = &[
    ("groups", "several groups of a component"),
    ("shards", "several groups of a component"),
];
