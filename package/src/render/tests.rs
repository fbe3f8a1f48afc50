use super::*;
use crate::{Parameters, SchemaRequest, Tree};
use serde_json::json;

/// Renders a template to what it sees, and takes every parameter; `c` is 3 where it is not set.
struct Shown;

impl Evaluate for Shown {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        Ok(format!("{}: {}", request.template, request.context))
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        let mut values = request.values.clone();
        values.entry("c").or_insert(json!(3));
        Ok(Parameters {
            values,
            ..Parameters::default()
        })
    }
}

fn package() -> Package {
    let manifest = r#"
apiVersion: middleware.io/v1alpha1
kind: Addon
name: demo
version: 1.0.0
runtimes:
  - { version: 1.0.0, image: "a:1" }
  - { version: 2.0.0, image: "a:2", images: { proxy: "p:2" }, values: { level: 2 } }
values: { level: 1 }
components:
  db:
    command: [db]
    schema: [{ file: db.cue }]
    credentials: [{ name: admin, username: root }, { name: app }]
    config:
      - { file: db.conf, template: old.conf, runtimes: "<2.0.0" }
      - { file: db.conf, template: new.conf, runtimes: ">=2.0.0" }
      - { file: all.conf, template: all.conf }
  proxy:
    command: [proxy]
topologies:
  - name: one
    components: { db: {}, proxy: { optional: true } }
profiles:
  - name: big
    values: { level: 9, size: big }
    components: { db: { parameters: { a: 1, b: 1 } } }
"#;
    let files = [
        ("addon.yaml", manifest),
        ("schema/db.cue", "parameters: {}"),
    ]
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    crate::load(Tree::from_files(files).unwrap()).unwrap()
}

fn instance(runtime: &str, profile: Option<&str>) -> Instance {
    Instance {
        app: "shop".parse().unwrap(),
        namespace: "prod".to_owned(),
        topology: "one".parse().unwrap(),
        profile: profile.map(|name| name.parse().unwrap()),
        runtime: runtime.parse().unwrap(),
        components: BTreeMap::new(),
    }
}

fn set(instance: &mut Instance, component: &str, settings: Value) {
    let settings = serde_json::from_value(settings).unwrap();
    instance
        .components
        .insert(component.parse().unwrap(), settings);
}

fn seen(instance: &Instance) -> Value {
    let context = Context::new(&package(), instance, &Shown).unwrap();
    context.of(&"db".parse().unwrap()).unwrap()
}

#[test]
fn a_template_sees_what_is_in_force() {
    let mut wanted = instance("2.0.0", Some("big"));
    set(
        &mut wanted,
        "db",
        json!({"config": {"parameters": {"b": 2}}}),
    );
    let seen = seen(&wanted);
    assert_eq!(
        seen["component"]["parameters"],
        json!({"a": 1, "b": 2, "c": 3})
    );
    assert_eq!(seen["components"]["db"], seen["component"]);
    assert_eq!(seen["component"]["image"], "a:2");
    assert_eq!(seen["profile"], "big");
    assert_eq!(
        seen["values"],
        json!({"level": 2, "size": "big"}),
        "the runtime's delta comes last"
    );
    assert_eq!(
        seen["runtime"],
        json!({"version": "2.0.0", "major": 2, "minor": 0, "patch": 0})
    );
    assert_eq!(
        seen["component"]["credentials"],
        json!({
            "admin": {
                "username": "root",
                "usernameFile": "/credentials/admin-username",
                "passwordFile": "/credentials/admin-password",
                "secret": "shop-db-credentials",
                "usernameKey": "admin-username",
                "passwordKey": "admin-password",
            },
            "app": {
                "username": "app",
                "usernameFile": "/credentials/app-username",
                "passwordFile": "/credentials/app-password",
                "secret": "shop-db-credentials",
                "usernameKey": "app-username",
                "passwordKey": "app-password",
            },
        })
    );
}

#[test]
fn an_optional_component_is_there_where_it_is_enabled() {
    let mut wanted = instance("2.0.0", None);
    assert_eq!(seen(&wanted)["components"].get("proxy"), None);
    assert_eq!(seen(&wanted)["profile"], Value::Null);
    let component = "proxy".parse().unwrap();
    let context = Context::new(&package(), &wanted, &Shown).unwrap();
    let error = config_files(&package(), &component, &context, &Shown).unwrap_err();
    assert!(
        matches!(error, RenderError::UnknownComponent { .. }),
        "{error}"
    );
    set(&mut wanted, "proxy", json!({"enabled": true}));
    assert_eq!(seen(&wanted)["components"]["proxy"]["image"], "p:2");
}

#[test]
fn a_configuration_file_is_that_of_the_runtime() {
    for (runtime, template) in [("1.0.0", "old.conf"), ("2.0.0", "new.conf")] {
        let context = Context::new(&package(), &instance(runtime, None), &Shown).unwrap();
        let files = config_files(&package(), &"db".parse().unwrap(), &context, &Shown).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["all.conf", "db.conf"]);
        assert!(
            files["db.conf"].starts_with(template),
            "{}",
            files["db.conf"]
        );
    }
}

#[test]
fn what_the_addon_has_not_is_refused_with_what_it_has() {
    let told = |instance: &Instance| {
        Context::new(&package(), instance, &Shown)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        told(&instance("3.0.0", None)),
        "no runtime 3.0.0; there are 2.0.0, 1.0.0"
    );
    assert_eq!(
        told(&instance("2.0.0", Some("tiny"))),
        "no profile `tiny`; there are big"
    );
    let mut wanted = instance("2.0.0", None);
    wanted.topology = "two".parse().unwrap();
    assert_eq!(told(&wanted), "no topology `two`; there are one");
    let mut wanted = instance("2.0.0", None);
    set(
        &mut wanted,
        "proxy",
        json!({"enabled": true, "config": {"parameters": {"x": 1}}}),
    );
    assert_eq!(
        told(&wanted),
        "parameters of `proxy`: x: 1: the component `proxy` has no schema, and takes no parameters"
    );
}
