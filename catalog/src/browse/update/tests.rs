use super::*;
use crate::browse::sample::{self, answered, catalog, events, pressed};
use crate::browse::view::Standing;

/// `plugin` or `plugin version`, and where keys go.
fn at(state: &State) -> String {
    let Selected { plugin, version } = &state.selected;
    let version = version
        .as_ref()
        .map(|v| format!(" {v}"))
        .unwrap_or_default();
    format!("{plugin}{version} {:?}", state.focus)
}

fn after(keys: &str) -> State {
    pressed(sample::state(80, 24), keys)
}

#[test]
fn keys_and_arrows_move_the_selection() {
    for (keys, wanted) in [
        ("", "memcached List"),
        ("j", "mongodb List"),
        ("<down><down>", "postgresql List"),
        ("jk", "memcached List"),
        ("kkk", "memcached List"),
        ("G", "redis List"),
        ("jjjjjjj", "redis List"),
        ("Gg", "memcached List"),
        ("G<enter>", "redis List"),
        ("G<enter>j", "redis 2.1.0 List"),
        ("G<enter>jj<enter>", "redis 2.0.0 Details"),
        ("G<enter><enter>", "redis Details"),
        ("G<enter>jj<enter><esc>", "redis 2.0.0 List"),
        ("G<enter>jjh", "redis List"),
        ("G<enter>jj<esc>", "redis List"),
        // One version only: there is nothing to unfold.
        ("<enter>", "memcached Details"),
        ("G<enter>jj[", "redis 1.1.0 List"),
        ("G<enter>jj]", "redis 2.1.0 List"),
        ("G<enter><enter>[[", "redis 1.0.1 Details"),
        ("G[", "redis 1.1.0 List"),
        ("/pg", "postgresql Search"),
        ("/postgers", "postgresql Search"),
        ("/sql<enter>", "postgresql List"),
        ("/sql<enter><esc>", "postgresql List"),
        ("/sql<esc>", "postgresql List"),
        ("/cache<down>", "redis Search"),
    ] {
        assert_eq!(at(&after(keys)), wanted, "{keys}");
    }
}

#[test]
fn the_search_finds_name_keyword_and_description_as_one_types() {
    let found = |keys: &str| -> Vec<String> {
        let state = after(keys);
        let found = state.found().into_iter();
        found.map(|plugin| plugin.name.clone()).collect()
    };
    assert_eq!(found("/cache"), ["memcached", "redis"]);
    assert_eq!(found("/sql"), ["postgresql"]);
    assert_eq!(found("/replicas"), ["redis"]);
    assert_eq!(found("/sql<back><back><back>red"), ["redis"]);
    assert_eq!(found("/sql<c-u>mem"), ["memcached", "redis"]);
    assert_eq!(found("/data store<c-w>base"), ["postgresql"]);
    assert_eq!(found("/nothing-like-that"), Vec::<String>::new());
    assert_eq!(found("/nothing-like-that<esc>").len(), 4);
    // `q` and `?` are letters there.
    assert_eq!(after("/q?").query, "q?");
}

#[test]
fn only_what_is_looked_at_is_loaded_and_only_once() {
    let empty = State {
        size: (80, 24),
        ..State::default()
    };
    let (state, loads) = update(empty, Event::Catalog(Ok(catalog())));
    let first = sample::catalog().plugins[0].id();
    assert_eq!(loads, [Load::Root(first.clone())]);
    let mut keys = events("4");
    let (state, loads) = update(state, keys.remove(0));
    assert_eq!(loads, [Load::Parameters(first.clone())]);
    let (state, loads) = update(state, events("2").remove(0));
    assert_eq!(loads, [Load::Ways(first)]);
    let (state, loads) = update(state, events("4").remove(0));
    assert_eq!(loads, []);
    let (_, loads) = update(state, events("/").remove(0));
    let roots = loads.iter().filter(|load| matches!(load, Load::Root(_)));
    assert_eq!(
        roots.count(),
        3,
        "the search reads what all say of themselves"
    );
}

#[test]
fn another_catalog_leaves_the_selection_where_it_was() {
    let state = after("G<enter>jj<enter>2");
    let mut changed = catalog();
    changed.plugins.remove(0);
    let new = crate::browse::view::Version {
        version: "3.0.0".to_owned(),
        standing: Standing::Active,
        ..Default::default()
    };
    changed.plugins[2].versions.insert(0, new);
    let (state, loads) = update(state, Event::Catalog(Ok(changed.clone())));
    assert_eq!(at(&state), "redis 2.0.0 Details");
    let id = state.id().unwrap();
    assert_eq!(loads, [Load::Ways(id)], "the graph is another");
    // A version that goes leaves its plugin, a plugin that goes the first row.
    changed.plugins[2].versions.retain(|v| v.version != "2.0.0");
    changed.plugins[2].recommended = "3.0.0".to_owned();
    let state = answered(state, Event::Catalog(Ok(changed.clone())));
    assert_eq!(at(&state), "redis Details");
    changed.plugins.truncate(2);
    let state = answered(state, Event::Catalog(Ok(changed)));
    assert_eq!(state.selected.plugin, "mongodb");
}

#[test]
fn what_was_seen_stays_when_the_cluster_does_not_answer() {
    let why = || Event::Catalog(Err("no answer".to_owned()));
    let (state, _) = update(sample::state(80, 24), why());
    assert_eq!(state.plugins().len(), 4);
    assert_eq!(state.trouble.as_deref(), Some("no answer"));
    let (state, _) = update(state, Event::Catalog(Ok(catalog())));
    assert_eq!(state.trouble, None);
    let (state, _) = update(State::default(), why());
    assert_eq!(state.catalog, Part::Absent("no answer".to_owned()));
    let (_, loads) = update(state, events("r").remove(0));
    assert_eq!(loads, [Load::Catalog]);
}

#[test]
fn a_page_is_scrolled_no_further_than_it_goes() {
    let state = after("G<enter>jj<enter>G");
    let (last, lines) = (state.page_top, draw::page(&state, 52).len());
    let height: usize = Layout::of(&state).page.height.into();
    assert_eq!(last + height, lines);
    assert_eq!(pressed(state.clone(), "jjj").page_top, last);
    assert_eq!(pressed(state.clone(), "kk").page_top, last - 2);
    assert_eq!(pressed(state.clone(), "<c-u>g").page_top, 0);
    assert_eq!(pressed(state.clone(), "<tab>").page_top, 0);
    // A larger screen shows what there is.
    let (state, _) = update(state, Event::Size(120, 200));
    assert_eq!(state.page_top, 0);
}

#[test]
fn tabs_turn_by_number_letter_and_arrow() {
    for (keys, tab) in [
        ("5", Tab::InUse),
        ("<tab>", Tab::Versions),
        ("<backtab>", Tab::InUse),
        ("<enter>ll", Tab::Topologies),
        ("<enter><right>h", Tab::Readme),
        ("<enter>h", Tab::InUse),
    ] {
        assert_eq!(after(keys).tab, tab, "{keys}");
    }
}

#[test]
fn a_manifest_is_taken_of_a_version_that_may_be_pinned() {
    let state = after("Gy");
    assert!(state.taken.unwrap().contains("pluginVersion: 2.0.0"));
    let state = after("G<enter><end>y");
    assert_eq!(state.taken, None);
    let told = "redis 1.0.0 is Withdrawn: no new App may pin it";
    assert_eq!(state.told.as_deref(), Some(told));
    assert!(
        after("G<enter><end>kyj").told.is_none(),
        "the next key takes it away"
    );
}

#[test]
fn it_ends_where_one_wants_it_to() {
    for keys in ["q", "<c-c>", "/x<c-c>", "?<c-c>", "<enter>q"] {
        assert!(after(keys).over, "{keys}");
    }
    for keys in ["/q", "?q", "?", "x", "<esc>"] {
        assert!(!after(keys).over, "{keys}");
    }
    assert!(after("?").help && !after("?x").help);
}
