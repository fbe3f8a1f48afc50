//! A catalog for tests: of each standing one, of each part one.

use super::{
    draw::look::Look,
    state::State,
    update::{Event, Load, update},
    view::{
        App, Catalog, Choice, Id, Parameter, Parameters, Part, Plugin, Root, Standing, Version,
        Way, Ways,
    },
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A README with everything that Markdown has here.
const README: &str = "\
# Redis

Redis 7.2 as one server (`standalone`) or as one primary with **replicas**.

- Ordinal 0 is the primary; the others follow it. Write through `<app>-redis-primary-svc`.
- The append-only file is on: see [persistence](https://redis.io/docs/persistence).

## Ports

| Port | What for |
| --- | --- |
| 6379 | clients |
| 16379 | the bus between members |

```sh
kubectl get mwapp cache
redis-cli -h cache-redis-primary-svc ping
```
";

/// The state with the whole catalog on a screen of that size.
pub(crate) fn state(width: u16, height: u16) -> State {
    let state = State {
        size: (width, height),
        look: Look {
            colours: true,
            unicode: true,
        },
        place: "kind-dev".to_owned(),
        ..State::default()
    };
    answered(state, Event::Catalog(Ok(catalog())))
}

/// The state after `event`, and after all that it asked for was loaded.
pub(crate) fn answered(state: State, event: Event) -> State {
    let (mut state, loads) = update(state, event);
    for load in loads {
        state = answered(state, answer(load));
    }
    state
}

/// The state after keys were pressed: characters, and names in `<>`.
pub(crate) fn pressed(state: State, keys: &str) -> State {
    events(keys).into_iter().fold(state, answered)
}

/// The events of keys: `j<enter><c-d>`.
pub(crate) fn events(keys: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (name, after) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            Some(named) => named,
            None => rest.split_at(c.len_utf8()),
        };
        rest = after;
        events.push(Event::Key(key(name)));
    }
    events
}

fn key(name: &str) -> KeyEvent {
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    if let Some(letter) = name.strip_prefix("c-") {
        let code = KeyCode::Char(letter.chars().next().unwrap());
        return KeyEvent::new(code, KeyModifiers::CONTROL);
    }
    plain(match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "backtab" => KeyCode::BackTab,
        "down" => KeyCode::Down,
        "up" => KeyCode::Up,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "back" => KeyCode::Backspace,
        "end" => KeyCode::End,
        letter => KeyCode::Char(letter.chars().next().unwrap()),
    })
}

/// What the cluster answers.
pub(crate) fn answer(load: Load) -> Event {
    match load {
        Load::Catalog => Event::Catalog(Ok(catalog())),
        Load::Root(id) if id.plugin == "mongodb" => {
            let why = "not visible to you (needs get configmaps in paamesh-system)";
            Event::Root(id, Part::Absent(why.to_owned()))
        }
        Load::Root(id) => {
            let root = root(&id.plugin);
            Event::Root(id, Part::Ready(root))
        }
        Load::Parameters(id) => Event::Parameters(id, Part::Ready(parameters())),
        Load::Ways(id) => {
            let ways = ways(&id);
            Event::Ways(id, Part::Ready(ways))
        }
    }
}

/// Four plugins.
pub(crate) fn catalog() -> Catalog {
    let one = |name: &str, version: &str, standing| Plugin {
        name: name.to_owned(),
        recommended: version.to_owned(),
        versions: vec![self::version(version, standing)],
    };
    Catalog {
        plugins: vec![
            one("memcached", "1.0.0", Standing::Active),
            one("mongodb", "0.9.0-rc.1", Standing::Pending),
            one("postgresql", "1.0.0", Standing::Active),
            redis(),
        ],
        apps_hidden: None,
    }
}

fn redis() -> Plugin {
    let mut versions = vec![
        version("2.1.0", Standing::Failed),
        version("2.0.0", Standing::Active),
        version("1.1.0", Standing::Active),
        version("1.0.1", Standing::Deprecated),
        version("1.0.0", Standing::Withdrawn),
    ];
    versions[0].remarks =
        vec!["Invalid: addon.yaml:3:1: `prots` is no field; did you mean `ports`?".to_owned()];
    versions[3].remarks = vec!["deprecated: use 1.1.0".to_owned()];
    versions[4].remarks = vec!["withdrawn: loses the last second on a restart".to_owned()];
    versions[1].users = Some(1);
    versions[1].apps = vec![app("team-a", "sessions")];
    versions[2].users = Some(3);
    versions[2].apps = vec![app("team-a", "cache"), app("team-b", "queue")];
    Plugin {
        name: "redis".to_owned(),
        recommended: "2.0.0".to_owned(),
        versions,
    }
}

fn version(version: &str, standing: Standing) -> Version {
    Version {
        version: version.to_owned(),
        standing,
        runtimes: vec!["7.2.4".to_owned(), "7.0.15".to_owned()],
        topologies: vec!["standalone".to_owned(), "replication".to_owned()],
        facts: vec![
            (
                "from".to_owned(),
                "platform main@sha1:0123456789".to_owned(),
            ),
            ("digest".to_owned(), format!("sha256:{}", "ab".repeat(32))),
        ],
        ..Version::default()
    }
}

fn app(namespace: &str, name: &str) -> App {
    App {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        words: ["7.2.4", "replication", "Running"]
            .map(str::to_owned)
            .to_vec(),
    }
}

fn root(plugin: &str) -> Root {
    let description = match plugin {
        "redis" => "In-memory data store; one server, or one primary with replicas.",
        "postgresql" => "Relational database.",
        _ => "In-memory cache; members share nothing.",
    };
    let component = |text: &str| vec![("redis".to_owned(), text.to_owned())];
    Root {
        description: description.to_owned(),
        keywords: vec![
            if plugin == "postgresql" {
                "sql"
            } else {
                "cache"
            }
            .to_owned(),
        ],
        facts: vec![("licence".to_owned(), "BSD-3-Clause".to_owned())],
        readme: (plugin == "redis").then(|| README.to_owned()),
        topologies: vec![
            Choice {
                name: "standalone".to_owned(),
                description: "One server.".to_owned(),
                components: component("1 member"),
            },
            Choice {
                name: "replication".to_owned(),
                description: "One primary that takes writes, and replicas that serve reads."
                    .to_owned(),
                components: component("3 members, 2 to 7"),
            },
        ],
        profiles: vec![Choice {
            name: "production".to_owned(),
            description: "Three members, and room to grow.".to_owned(),
            components: component("3 members, cpu 1, memory 4Gi, data 100Gi"),
        }],
    }
}

fn parameters() -> Parameters {
    let one = |name: &str, default: Option<&str>, rule: &str, effect: &str, text: &str| Parameter {
        name: name.to_owned(),
        default: default.map(str::to_owned),
        rule: rule.to_owned(),
        effect: effect.to_owned(),
        description: text.to_owned(),
    };
    let policies = r#""noeviction" | "allkeys-lru" | "allkeys-lfu" | "volatile-ttl""#;
    let redis = vec![
        one(
            "maxclients",
            Some("10000"),
            "int & >=1 & <=65000",
            "at once",
            "Most connections.",
        ),
        one(
            "maxmemory-policy",
            Some("\"noeviction\""),
            policies,
            "reload",
            "What goes when the memory is full.",
        ),
        one("tls-ciphers", None, "string", "restart", ""),
    ];
    Parameters {
        runtime: "7.2.4".to_owned(),
        components: vec![("redis".to_owned(), redis)],
    }
}

fn ways(id: &Id) -> Ways {
    let edits = |edits: &[&str]| Way::Edits(edits.iter().map(|&edit| edit.to_owned()).collect());
    let refused = |why: &str| Way::Refused(why.to_owned());
    match id.version.as_str() {
        "1.0.1" => Ways {
            onward: [
                ("2.0.0".to_owned(), edits(&["1.1.0", "2.0.0"])),
                ("1.1.0".to_owned(), edits(&["1.1.0"])),
                (
                    "1.0.0".to_owned(),
                    refused("version 1.0.0 takes no new users"),
                ),
            ]
            .into(),
            inward: [("1.0.0".to_owned(), edits(&["1.0.1"]))].into(),
        },
        _ => Ways::default(),
    }
}
