use super::*;
use proptest::{collection::vec, prelude::*};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn ranges(text: &str) -> Vec<Range> {
    text.split(',')
        .filter(|r| !r.is_empty())
        .map(|r| r.trim().parse().unwrap())
        .collect()
}

/// `addon/runtime`.
fn state(text: &str) -> State {
    let (addon, runtime) = text.split_once('/').unwrap();
    State {
        addon: version(addon),
        runtime: version(runtime),
    }
}

/// A version with runtimes, `upgradeFrom` and `migrateFrom` as `runtime: ranges`.
fn node(addon: &str, runtimes: &str, upgrade_from: &str, migrate_from: &[(&str, &str)]) -> Node {
    Node {
        version: version(addon),
        runtimes: runtimes.split_whitespace().map(version).collect(),
        upgrade_from: ranges(upgrade_from),
        migrate_from: migrate_from
            .iter()
            .map(|(to, from)| (version(to), ranges(from)))
            .collect(),
        open: true,
    }
}

/// 1.0.0 → 1.1.0 → 2.0.0, and back from 1.1.0 to 1.0.0; runtime 7.0.15 → 7.2.0 from 1.1.0 on; 2.0.0
/// has left 7.0.15; 1.2.0 is closed.
fn redis() -> Graph {
    let mut withdrawn = node("1.2.0", "7.0.15", "1.x", &[]);
    withdrawn.open = false;
    Graph::new([
        node("1.0.0", "7.0.15", "1.1.0", &[]),
        node("1.1.0", "7.0.15 7.2.0", "1.0.x", &[("7.2.0", "7.0.x")]),
        withdrawn,
        node("2.0.0", "7.2.0", "1.1.x", &[("7.2.0", "7.0.x")]),
    ])
}

fn shown(states: &[State]) -> String {
    let shown = states.iter().map(|s| format!("{}/{}", s.addon, s.runtime));
    shown.collect::<Vec<_>>().join(" ")
}

/// What a step is answered with; empty where it is allowed.
fn step(from: &str, to: &str) -> String {
    let answer = redis().step(&state(from), &state(to));
    answer
        .err()
        .map_or_else(String::new, |refused| refused.to_string())
}

#[test]
fn a_step_is_allowed_or_refused_for_one_reason() {
    for (from, to, answer) in [
        ("1.0.0/7.0.15", "1.0.0/7.0.15", ""),
        ("1.0.0/7.0.15", "1.1.0/7.0.15", ""),
        ("1.0.0/7.0.15", "1.1.0/7.2.0", ""),
        ("1.0.5/7.0.15", "1.1.0/7.0.15", ""),
        ("1.1.0/7.0.15", "1.0.0/7.0.15", ""),
        ("1.1.0/7.0.15", "1.1.0/7.2.0", ""),
        ("1.1.0/7.0.15", "2.0.0/7.2.0", ""),
        ("1.2.0/7.0.15", "1.2.0/7.0.15", ""),
        (
            "1.0.0/7.0.15",
            "2.0.0/7.2.0",
            "version 2.0.0 cannot follow 1.0.0: its upgradeFrom lists 1.1.x",
        ),
        (
            "2.0.0/7.2.0",
            "1.0.0/7.0.15",
            "version 1.0.0 cannot follow 2.0.0: its upgradeFrom lists 1.1.0",
        ),
        (
            "1.1.0/7.0.15",
            "2.0.0/7.0.15",
            "version 2.0.0 does not run 7.0.15; it runs 7.2.0",
        ),
        (
            "1.1.0/7.0.15",
            "1.1.0/6.2.0",
            "version 1.1.0 does not run 6.2.0; it runs 7.2.0, 7.0.15",
        ),
        (
            "1.1.0/7.2.0",
            "1.1.0/7.0.15",
            "the wanted version cannot move runtime 7.2.0 to 7.0.15: its migrateFrom for 7.0.15 lists nothing",
        ),
        (
            "1.1.0/7.2.0",
            "1.0.0/7.0.15",
            "the wanted version cannot move runtime 7.2.0 to 7.0.15: its migrateFrom for 7.0.15 lists nothing",
        ),
        (
            "1.0.0/7.0.15",
            "1.2.0/7.0.15",
            "version 1.2.0 takes no new users: it is not Active, it is withdrawn, or it is being deleted",
        ),
        (
            "1.0.0/7.0.15",
            "9.0.0/7.0.15",
            "there is no version 9.0.0; there are 2.0.0, 1.1.0, 1.0.0",
        ),
    ] {
        assert_eq!(step(from, to), answer, "{from} → {to}");
    }
}

#[test]
fn an_app_on_a_closed_version_may_still_change_its_runtime() {
    let mut closed = node("1.0.0", "7.0.15 7.2.0", "", &[("7.2.0", "7.0.15")]);
    closed.open = false;
    let graph = Graph::new([closed]);
    assert_eq!(
        graph.step(&state("1.0.0/7.0.15"), &state("1.0.0/7.2.0")),
        Ok(())
    );
    assert!(matches!(
        graph.entry(&state("1.0.0/7.2.0")),
        Err(RefusedStep::NotOpen { .. })
    ));
}

#[test]
fn something_new_may_be_any_open_version_with_a_runtime_that_it_runs() {
    assert_eq!(redis().entry(&state("2.0.0/7.2.0")), Ok(()));
    assert!(matches!(
        redis().entry(&state("2.0.0/7.0.15")),
        Err(RefusedStep::RuntimeUnsupported { .. })
    ));
    assert!(matches!(
        redis().entry(&state("1.2.0/7.0.15")),
        Err(RefusedStep::NotOpen { .. })
    ));
    assert!(matches!(
        redis().entry(&state("3.0.0/7.0.15")),
        Err(RefusedStep::UnknownVersion { .. })
    ));
}

#[test]
fn walks_the_shortest_way_and_says_what_can_be_reached() {
    let (graph, from) = (redis(), state("1.0.0/7.0.15"));
    assert_eq!(shown(&graph.next(&from)), "1.1.0/7.2.0 1.1.0/7.0.15");
    assert_eq!(
        shown(&graph.reachable(&from)),
        "2.0.0/7.2.0 1.1.0/7.2.0 1.1.0/7.0.15"
    );
    assert_eq!(
        shown(&graph.path(&from, &state("2.0.0/7.2.0")).unwrap()),
        "1.1.0/7.2.0 2.0.0/7.2.0"
    );
    assert_eq!(graph.path(&from, &from), Some(Vec::new()));
    assert_eq!(graph.path(&from, &state("2.0.0/7.0.15")), None);
    assert_eq!(graph.path(&state("2.0.0/7.2.0"), &from), None);
    assert_eq!(graph.refused(&from).len(), 2);
}

#[test]
fn an_edge_whose_ends_share_no_runtime_and_that_nothing_bridges_is_closed() {
    let graph = Graph::new([
        node("1.0.0", "6.2.0", "", &[]),
        node("1.1.0", "7.0.15", "1.0.x", &[]),
        node("1.2.0", "7.0.15", "1.x", &[("7.0.15", "6.2.x")]),
    ]);
    let closed = ClosedEdge {
        from: version("1.0.0"),
        to: version("1.1.0"),
    };
    assert_eq!(graph.closed_edges(), [closed]);
}

/// SemVer's order, not that of text: 1.0.10 after 1.0.9, a pre-release before its release.
#[test]
fn versions_are_in_the_order_of_semver() {
    let graph = Graph::new([
        node("1.0.0", "7.2.0", "", &[]),
        node("1.0.9", "7.2.0", "1.0.0", &[]),
        node("1.0.10-rc.2", "7.2.0", "1.0.9", &[]),
        node("1.0.10-rc.10", "7.2.0", "1.0.9, 1.0.10-rc.2", &[]),
        node("1.0.10", "7.2.0", "1.0.x, >=1.0.10-rc.1 <1.0.10", &[]),
        node("1.0.11", "7.2.0", "1.0.9 || 1.0.10", &[]),
    ]);
    let open: Vec<String> = graph
        .open_versions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        open,
        [
            "1.0.11",
            "1.0.10",
            "1.0.10-rc.10",
            "1.0.10-rc.2",
            "1.0.9",
            "1.0.0"
        ]
    );
    let from = state("1.0.0/7.2.0");
    let path = graph.path(&from, &state("1.0.11/7.2.0")).unwrap();
    assert_eq!(
        shown(&path),
        "1.0.10/7.2.0 1.0.11/7.2.0",
        "over the newest of two"
    );
    let path = graph.path(&from, &state("1.0.10-rc.10/7.2.0")).unwrap();
    assert_eq!(shown(&path), "1.0.9/7.2.0 1.0.10-rc.10/7.2.0");
}

/// What the lint says: the kind, the version, and the other version where there is one.
fn linted(graph: &Graph) -> Vec<String> {
    let notes = graph.lint();
    let told = notes
        .iter()
        .map(|note| format!("{:?} {}", note.kind, note.version));
    told.collect()
}

#[test]
fn the_lint_says_what_an_author_should_look_at() {
    let graph = Graph::new([
        node("1.0.0", "6.2.0", "1.1.0", &[]),
        node("1.1.0", "6.2.0", "1.0.x, 0.9.x", &[]),
        node("2.0.0", "7.0.15", "1.1.x", &[]),
        node("3.0.0", "7.0.15", "", &[]),
        node("3.1.0-rc.1", "7.0.15", "3.0.0", &[]),
    ]);
    assert_eq!(
        linted(&graph),
        [
            "ClosedEdge 2.0.0",
            "Unreachable 3.0.0",
            "DeadEnd 2.0.0",
            "DeadEnd 1.1.0",
            "UnmatchedRange 1.1.0",
            "Cycle 1.0.0",
        ]
    );
    let severities: Vec<Severity> = graph.lint().iter().map(|note| note.severity).collect();
    assert!(severities.is_sorted(), "errors first");
}

#[test]
fn a_chain_is_right_and_so_is_a_single_version() {
    assert_eq!(
        linted(&Graph::new([node("1.0.0", "6.2.0", "", &[])])),
        [""; 0]
    );
    let chain = Graph::new([
        node("1.0.9", "6.2.0", "", &[]),
        node("1.0.10", "6.2.0", "1.0.9", &[]),
        node("1.0.11", "6.2.0", "1.0.x", &[]),
    ]);
    assert_eq!(linted(&chain), [""; 0]);
    assert_eq!(
        chain.predecessors(&version("1.0.11")).open,
        [version("1.0.10"), version("1.0.9")],
        "newest first, itself not"
    );
}

fn any_graph() -> impl Strategy<Value = Graph> {
    let small = || (0..3_u64, 0..3_u64).prop_map(|(minor, patch)| Version::new(1, minor, patch));
    let range = prop_oneof![
        small().prop_map(|v| v.to_string()),
        (0..3_u64).prop_map(|minor| format!("1.{minor}.x")),
        Just("*".to_owned()),
    ];
    let ranges = vec(range.prop_map(|r| r.parse().unwrap()), 0..3);
    let migrate = vec((small(), ranges.clone()), 0..2).prop_map(|m| m.into_iter().collect());
    let node = (small(), vec(small(), 1..3), ranges, migrate, any::<bool>()).prop_map(
        |(version, runtimes, upgrade_from, migrate_from, open)| Node {
            version,
            runtimes,
            upgrade_from,
            migrate_from,
            open,
        },
    );
    vec(node, 1..6).prop_map(Graph::new)
}

proptest! {
    #[test]
    fn a_path_is_made_of_allowed_steps_and_there_is_one_to_all_that_can_be_reached(graph in any_graph()) {
        let states: Vec<State> = graph.nodes.values()
            .flat_map(|n| n.runtimes.iter().map(|r| State { addon: n.version.clone(), runtime: r.clone() }))
            .collect();
        for from in &states {
            let reachable = graph.reachable(from);
            prop_assert!(reachable.is_sorted_by(|a, b| a > b) && !reachable.contains(from));
            for to in &states {
                let path = graph.path(from, to);
                prop_assert_eq!(path.is_some(), from == to || reachable.contains(to));
                let Some(path) = path else { continue };
                let mut at = from;
                for next in &path {
                    prop_assert_eq!(graph.step(at, next), Ok(()));
                    at = next;
                }
                prop_assert_eq!(at, to);
                let direct = from != to && graph.step(from, to).is_ok();
                prop_assert_eq!(direct, path.len() == 1);
            }
        }
    }

    /// A cycle always has a step back: the lint names one of every cycle.
    #[test]
    fn the_lint_names_a_cycle_exactly_where_there_is_one(graph in any_graph()) {
        let versions: Vec<&Version> = graph.nodes.keys().collect();
        let mut leads: Vec<(&Version, &Version)> = Vec::new();
        for to in &versions {
            let from = graph.predecessors(to).open;
            leads.extend(versions.iter().filter(|v| from.contains(v)).map(|from| (*from, *to)));
        }
        // Transitive closure, the plain way.
        for _ in &versions {
            let longer: Vec<_> = leads.iter()
                .flat_map(|(a, b)| leads.iter().filter(move |(c, _)| c == b).map(move |(_, d)| (*a, *d)))
                .collect();
            leads.extend(longer);
            leads.sort();
            leads.dedup();
        }
        let round = leads.iter().any(|(a, b)| a == b);
        prop_assert_eq!(graph.lint().iter().any(|note| note.kind == NoteKind::Cycle), round);
    }

    #[test]
    fn a_closed_edge_is_one_that_no_runtime_passes(graph in any_graph()) {
        for edge in graph.closed_edges() {
            let (from, to) = (&graph.nodes[&edge.from], &graph.nodes[&edge.to]);
            for (present, wanted) in from.runtimes.iter().flat_map(|p| to.runtimes.iter().map(move |w| (p, w))) {
                let from = State { addon: edge.from.clone(), runtime: present.clone() };
                let to = State { addon: edge.to.clone(), runtime: wanted.clone() };
                prop_assert!(graph.step(&from, &to).is_err());
            }
        }
    }
}

#[test]
fn states_that_an_author_saves_follow_each_other_both_ways() {
    let graph = Graph::new([
        node("1.1.0", "7.0.15", "", &[]),
        node("1.2.0-dev.1", "7.0.15", "1.1.x", &[]),
        node("1.2.0-dev.2", "7.0.15", "1.1.x", &[]),
        node("1.2.0-dev.10", "7.0.15", "", &[]),
        node("1.2.0", "7.0.15", "1.1.x", &[]),
        node("1.3.0-dev.1", "7.0.15", "", &[]),
    ]);
    let from = state("1.2.0-dev.2/7.0.15");
    let next = shown(&graph.next(&from));
    assert_eq!(next, "1.2.0-dev.10/7.0.15 1.2.0-dev.1/7.0.15");
    assert_eq!(shown(&graph.reachable(&from)), next);
    let ways = graph.ways(&state("1.1.0/7.0.15"));
    let last = ways.to(&state("1.2.0-dev.10/7.0.15")).unwrap();
    assert_eq!(last.len(), 2, "by a state that follows 1.1.0");
    // One that is gone can still be left, and the walk agrees with the step.
    let gone = state("1.2.0-dev.3/7.0.15");
    assert_eq!(graph.step(&gone, &from), Ok(()));
    assert!(graph.reachable(&gone).contains(&from));
    let notes = graph.lint();
    let wrong = |note: &&Note| note.kind == NoteKind::Cycle;
    assert_eq!(notes.iter().find(wrong), None);
}
