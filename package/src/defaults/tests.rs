use super::*;
use api::crd::app::Resources;
use proptest::prelude::*;
use serde_json::json;

/// An addon with a component of everything, an optional one, and two profiles.
fn manifest() -> Manifest {
    serde_json::from_value(json!({
        "apiVersion": manifest::API_VERSION, "kind": manifest::KIND, "name": "a", "version": "1.0.0",
        "runtimes": [
            {"version": "1.0.0", "image": "a:1"},
            {"version": "2.0.0", "image": "a:2", "values": {"log": {"level": null, "file": "b"}, "new": 1}},
        ],
        "values": {"log": {"level": "info"}, "threads": 1},
        "components": {
            "db": {
                "command": ["db"],
                "resources": {"requests": {"cpu": "100m"}},
                "volumes": [
                    {"name": "data", "mountPath": "/data", "size": "1Gi"},
                    {"name": "wal", "mountPath": "/wal", "size": "2Gi"},
                ],
            },
            "proxy": {"command": ["proxy"]},
        },
        "topologies": [
            {"name": "one", "components": {"db": {"max": 1}}},
            {"name": "many", "components": {"db": {"replicas": 3, "max": 7, "odd": true}, "proxy": {"optional": true}}},
        ],
        "profiles": [
            {"name": "big", "values": {"threads": 8, "log": {"level": "warn"}}, "components": {"db": {
                "replicas": 5, "resources": {"requests": {"cpu": "2"}}, "storage": {"data": "100Gi"},
                "parameters": {"a": 1, "b": 2},
            }}},
            {"name": "even", "components": {"db": {"replicas": 4}}},
        ],
    }))
    .unwrap()
}

fn of(
    topology: &str,
    profile: Option<&str>,
    component: &str,
    settings: &AppComponent,
) -> AppComponent {
    let profile: Option<ProfileName> = profile.map(|name| name.parse().unwrap());
    in_force(
        &manifest(),
        &topology.parse().unwrap(),
        profile.as_ref(),
        &component.parse().unwrap(),
        settings,
    )
}

fn size(settings: &AppComponent, volume: &str) -> Option<String> {
    settings.storage[volume].size.clone()
}

#[test]
fn where_nothing_is_set_the_addons_own_defaults_are_in_force() {
    let settings = of("many", None, "db", &AppComponent::default());
    assert_eq!((settings.enabled, settings.replicas), (Some(true), Some(3)));
    assert_eq!(settings.resources.unwrap().requests["cpu"], "100m");
    assert_eq!(settings.storage["wal"].size.as_deref(), Some("2Gi"));
    assert!(settings.config.is_empty());
}

#[test]
fn a_profile_goes_before_the_addon_where_the_topology_allows_it() {
    let settings = of("many", Some("big"), "db", &AppComponent::default());
    assert_eq!(settings.replicas, Some(5));
    assert_eq!(size(&settings, "data").as_deref(), Some("100Gi"));
    assert_eq!(size(&settings, "wal").as_deref(), Some("2Gi"));
    assert_eq!(settings.resources.unwrap().requests["cpu"], "2");
    assert_eq!(
        Value::Object(settings.config.parameters),
        json!({"a": 1, "b": 2})
    );
    let alone = of("one", Some("big"), "db", &AppComponent::default());
    assert_eq!(alone.replicas, Some(1), "the topology allows one");
    let even = of("many", Some("even"), "db", &AppComponent::default());
    assert_eq!(even.replicas, Some(3), "the topology wants an odd number");
}

#[test]
fn an_app_goes_before_its_profile_value_by_value() {
    let own: AppComponent = serde_json::from_value(json!({
        "replicas": 7,
        "storage": {"data": {"storageClass": "fast"}, "wal": {"size": "9Gi"}},
        "config": {"parameters": {"b": 3, "c": 4}},
    }))
    .unwrap();
    let settings = of("many", Some("big"), "db", &own);
    assert_eq!(settings.replicas, Some(7));
    assert_eq!(size(&settings, "data").as_deref(), Some("100Gi"));
    assert_eq!(
        settings.storage["data"].storage_class.as_deref(),
        Some("fast")
    );
    assert_eq!(size(&settings, "wal").as_deref(), Some("9Gi"));
    assert_eq!(
        Value::Object(settings.config.parameters),
        json!({"a": 1, "b": 3, "c": 4})
    );
    assert_eq!(settings.resources.unwrap().requests["cpu"], "2");
}

#[test]
fn an_optional_component_runs_where_the_app_says_so() {
    let asked = |enabled| AppComponent {
        enabled,
        ..AppComponent::default()
    };
    assert_eq!(of("many", None, "proxy", &asked(None)).enabled, Some(false));
    assert_eq!(
        of("many", None, "proxy", &asked(Some(true))).enabled,
        Some(true)
    );
    assert_eq!(
        of("one", None, "proxy", &asked(Some(true))).enabled,
        Some(false)
    );
    assert_eq!(
        of("many", None, "db", &asked(Some(false))).enabled,
        Some(true)
    );
}

#[test]
fn values_are_changed_by_profile_and_then_by_runtime() {
    let of = |profile: Option<&str>, runtime: &str| {
        let profile: Option<ProfileName> = profile.map(|name| name.parse().unwrap());
        Value::Object(values(
            &manifest(),
            profile.as_ref(),
            &runtime.parse().unwrap(),
        ))
    };
    assert_eq!(
        of(None, "1.0.0"),
        json!({"log": {"level": "info"}, "threads": 1})
    );
    assert_eq!(
        of(Some("big"), "1.0.0"),
        json!({"log": {"level": "warn"}, "threads": 8})
    );
    assert_eq!(
        of(Some("big"), "2.0.0"),
        json!({"log": {"file": "b"}, "threads": 8, "new": 1})
    );
    assert_eq!(of(Some("none"), "9.0.0"), of(None, "1.0.0"));
}

fn any_settings() -> impl Strategy<Value = AppComponent> {
    let text = || proptest::option::of("[1-9]Gi");
    let size = proptest::collection::btree_map("data|wal", text(), 0..3);
    let parameters = proptest::collection::btree_map("[abc]", 0..9, 0..3);
    let replicas = proptest::option::of(0..9_u32);
    (
        proptest::option::of(any::<bool>()),
        replicas,
        text(),
        size,
        parameters,
    )
        .prop_map(
            |(enabled, replicas, memory, size, parameters)| AppComponent {
                enabled,
                replicas,
                resources: memory.map(|memory| Resources {
                    requests: BTreeMap::from([("memory".to_owned(), memory)]),
                    limits: BTreeMap::new(),
                }),
                storage: size
                    .into_iter()
                    .map(|(volume, size)| {
                        (
                            volume.parse().unwrap(),
                            Storage {
                                size,
                                storage_class: None,
                            },
                        )
                    })
                    .collect(),
                config: AppConfig {
                    parameters: parameters.into_iter().map(|(k, v)| (k, json!(v))).collect(),
                },
            },
        )
}

proptest! {
    #[test]
    fn what_is_set_stays_and_what_is_in_force_stays_so(
        own in any_settings(), profile in proptest::option::of("big|even"), topology in "one|many",
    ) {
        let once = of(&topology, profile.as_deref(), "db", &own);
        let twice = of(&topology, profile.as_deref(), "db", &once);
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(own.replicas.or(once.replicas), once.replicas);
        prop_assert!(own.resources.is_none() || own.resources == once.resources);
        for (volume, storage) in &own.storage {
            prop_assert!(storage.size.is_none() || storage.size == once.storage[volume].size);
        }
        for (name, value) in &own.config.parameters {
            prop_assert_eq!(&once.config.parameters[name], value);
        }
        prop_assert!(once.replicas.is_some() && once.resources.is_some() && once.storage.len() == 2);
        prop_assert!(once.storage.values().all(|storage| storage.size.is_some()));
    }

    /// The law of RFC 7396: a patch that was applied changes nothing when it is applied again.
    #[test]
    fn a_merge_patch_is_idempotent(
        target in any_map(), patch in any_map(),
    ) {
        let mut once = target;
        merge(&mut once, &patch);
        let mut twice = once.clone();
        merge(&mut twice, &patch);
        prop_assert_eq!(&once, &twice);
        for (key, value) in &patch {
            match value {
                Value::Null => prop_assert!(!once.contains_key(key)),
                Value::Object(_) => prop_assert!(once[key].is_object()),
                value => prop_assert_eq!(&once[key], value),
            }
        }
    }
}

fn any_map() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9).prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        proptest::collection::btree_map("[abc]", inner, 0..3)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    });
    proptest::collection::btree_map("[abc]", value, 0..4).prop_map(|map| map.into_iter().collect())
}
