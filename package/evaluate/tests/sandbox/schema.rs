//! Parameters against schemas: `golden/schema/<behaviour>/{schema/*.cue, values.json}` → `answer.snap`,
//! for runtime 16.4.0.

use evaluate::Host;
use package::{Evaluate, SchemaRequest, ValidateError};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What `evaluate` says of `values` by the schema of these files, as a person reads it.
pub fn answer(
    evaluate: &dyn Evaluate,
    files: &BTreeMap<&str, &str>,
    values: &Map<String, Value>,
) -> String {
    let request = SchemaRequest {
        files,
        runtime: &"16.4.0".parse().unwrap(),
        values,
        describe: true,
    };
    match evaluate.validate(&request) {
        Ok(parameters) => serde_json::to_string_pretty(&parameters).unwrap(),
        Err(ValidateError::Values(violations)) => {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            format!("values:\n{}", lines.join("\n"))
        }
        Err(ValidateError::Schema(findings)) => {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            format!("schema:\n{}", lines.join("\n"))
        }
        Err(ValidateError::Unavailable { reason }) => panic!("no verdict: {reason}"),
    }
}

/// The same for one file, `a.cue`, and no values.
pub fn answer_to(evaluate: &dyn Evaluate, schema: &str) -> String {
    answer(evaluate, &BTreeMap::from([("a.cue", schema)]), &Map::new())
}

/// A case: files by name, and values.
pub type Case = (BTreeMap<String, String>, Map<String, Value>);

/// Every case, by its folder.
pub fn cases() -> BTreeMap<PathBuf, Case> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schema");
    let folders = fs::read_dir(golden).unwrap();
    folders.map(|folder| case(folder.unwrap().path())).collect()
}

fn case(folder: PathBuf) -> (PathBuf, Case) {
    let files = fs::read_dir(folder.join("schema")).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let files = files.collect();
    let values = folder.join("values.json");
    let values = match values.exists() {
        true => serde_json::from_str(&fs::read_to_string(values).unwrap()).unwrap(),
        false => Map::new(),
    };
    (folder, (files, values))
}

/// What `evaluate` says of a case.
pub fn answer_case(evaluate: &dyn Evaluate, (files, values): &Case) -> String {
    let files = files
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    answer(evaluate, &files, values)
}

#[test]
fn every_case_is_answered_as_before() {
    let cases = cases();
    assert!(cases.len() > 15, "the cases are there");
    for (folder, case) in cases {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("answer", answer_case(&Host, &case)));
    }
}

#[test]
fn a_hundred_parameters_are_checked() {
    let schema = crate::hundred::schema();
    let files = BTreeMap::from([("hundred.cue", schema.as_str())]);
    let good = answer(&Host, &files, &crate::hundred::good());
    let good: package::Parameters = serde_json::from_str(&good).unwrap();
    assert_eq!((good.declared.len(), good.values.len()), (100, 100));
    let bad = answer(&Host, &files, &crate::hundred::bad());
    assert_eq!(
        bad,
        "values:\n\
         level_4: \"most\": want one of \"logical\", \"minimal\", \"replica\" (schema/hundred.cue:65:24)\n\
         max_conections_6: 1: unknown parameter `max_conections_6` (did you mean `max_connections_6`?)\n\
         max_connections_3: 0: want int & >=1 & <=262143 (schema/hundred.cue:48:27)\n\
         work_memory_5: \"64 MB\": want =~\"^[0-9]+(kB|MB|GB)$\" (schema/hundred.cue:5:8)"
    );
}

/// Without descriptions, schema and values are evaluated at once where that is enough.
#[test]
fn it_says_the_same_of_values_without_descriptions() {
    for (folder, (files, values)) in cases() {
        let files: BTreeMap<&str, &str> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        for values in [values, Map::new()] {
            let mut request = SchemaRequest {
                files: &files,
                runtime: &"16.4.0".parse().unwrap(),
                values: &values,
                describe: true,
            };
            let described = Host.validate(&request);
            request.describe = false;
            match (described, Host.validate(&request)) {
                (Ok(described), Ok(plain)) => {
                    assert_eq!(described.values, plain.values, "{folder:?}");
                    let effects = |all: &package::Parameters| -> Vec<_> {
                        let all = all.declared.iter();
                        all.map(|(name, one)| (name.clone(), one.effect)).collect()
                    };
                    assert_eq!(effects(&described), effects(&plain), "{folder:?}");
                }
                (Err(ValidateError::Values(all)), plain) => {
                    assert_eq!(plain, Err(ValidateError::Values(all)), "{folder:?}");
                }
                // Lost defaults are looked for where parameters are described.
                (described, plain) => {
                    let both = (&described, &plain);
                    let refused = matches!(both, (Err(_), Err(ValidateError::Schema(_))));
                    assert!(refused, "{folder:?}: {both:?}");
                }
            }
        }
    }
}

#[test]
fn the_answer_is_the_same_every_time() {
    for (folder, case) in cases() {
        assert_eq!(
            answer_case(&Host, &case),
            answer_case(&Host, &case),
            "{folder:?}"
        );
    }
}
