use super::*;
use crate::{EvaluateError, RenderRequest, Tree};
use std::sync::Mutex;

/// Notes which files it was asked about, and for which runtime.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Evaluate for Asked {
    fn render(&self, _: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        Ok(String::new())
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        let files: Vec<&str> = request.files.keys().copied().collect();
        let line = format!("{} {}", request.runtime, files.join(" "));
        self.0.lock().unwrap().push(line);
        Ok(Parameters {
            values: request.values.clone(),
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
  - { version: 2.0.0, image: "a:2" }
components:
  db:
    command: [db]
    schema:
      - { file: all.cue }
      - { file: new.cue, runtimes: ">=2.0.0" }
  proxy:
    command: [proxy]
"#;
    let files = [
        ("addon.yaml", manifest),
        ("schema/all.cue", "parameters: {}"),
        ("schema/new.cue", "parameters: {}"),
        ("schema/other.cue", "parameters: {}"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    crate::load(Tree::from_files(files).unwrap()).unwrap()
}

#[test]
fn a_schema_is_the_files_that_are_for_the_runtime() {
    let (package, asked) = (package(), Asked::default());
    let values: Map<String, Value> = Map::from_iter([("a".to_owned(), Value::from(1))]);
    for runtime in ["1.0.0", "2.0.0"] {
        let (runtime, component) = (runtime.parse().unwrap(), "db".parse().unwrap());
        let answer = parameters(&package, &runtime, &component, &values, &asked).unwrap();
        assert_eq!(answer.values, values);
    }
    let asked = asked.0.into_inner().unwrap();
    assert_eq!(asked, ["1.0.0 all.cue", "2.0.0 all.cue new.cue"]);
}

#[test]
fn a_component_without_a_schema_takes_no_parameters() {
    let (package, asked) = (package(), Asked::default());
    let (runtime, component) = ("1.0.0".parse().unwrap(), "proxy".parse().unwrap());
    let ask =
        |values: &Map<String, Value>| parameters(&package, &runtime, &component, values, &asked);
    assert_eq!(ask(&Map::new()), Ok(Parameters::default()));
    let error = ask(&Map::from_iter([("a".to_owned(), Value::from("b"))])).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"a: "b": the component `proxy` has no schema, and takes no parameters"#
    );
    assert!(asked.0.lock().unwrap().is_empty());
}
