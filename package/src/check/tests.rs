use super::*;
use crate::{
    EvaluateError, Parameters, RenderRequest, SchemaRequest, ValidateError,
    render::{Context, Instance, config_files},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

const RUNTIMES: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "2.1.0-rc.1"];

/// Renders a template to its name, and notes the files of schemas that it is asked about.
#[derive(Default)]
struct Named(Mutex<BTreeSet<(String, Vec<String>)>>);

impl Evaluate for Named {
    fn render(&self, request: &RenderRequest<'_>) -> Result<String, EvaluateError> {
        Ok(request.template.to_owned())
    }

    fn validate(&self, request: &SchemaRequest<'_>) -> Result<Parameters, ValidateError> {
        let files = request
            .files
            .keys()
            .map(|name| (*name).to_owned())
            .collect();
        let asked = (request.runtime.to_string(), files);
        self.0.lock().unwrap().insert(asked);
        Ok(Parameters::default())
    }
}

/// An addon of which the entry `i` of the field `field` has the range `ranges[i]`.
fn addon(field: &str, ranges: &[String], entry: impl Fn(usize) -> String) -> Tree {
    let runtimes: Vec<String> = RUNTIMES
        .iter()
        .map(|v| format!("{{version: {v}, image: 'a:1'}}"))
        .collect();
    let entries: Vec<String> = ranges
        .iter()
        .enumerate()
        .map(|(i, range)| format!("{{{}, runtimes: '{range}'}}", entry(i)))
        .collect();
    let manifest = format!(
        "apiVersion: {}\nkind: Addon\nname: a\nversion: 1.0.0\nruntimes: [{}]\n\
         components: {{c: {{command: [c], {field}: [{}]}}}}\n",
        manifest::API_VERSION,
        runtimes.join(", "),
        entries.join(", ")
    );
    let mut files = BTreeMap::from([("addon.yaml".to_owned(), manifest.into_bytes())]);
    for i in 0..ranges.len() {
        let path = if field == "schema" {
            format!("schema/t{i}.cue")
        } else {
            format!("templates/t{i}")
        };
        files.insert(path, b"x".to_vec());
    }
    Tree::from_files(files).unwrap()
}

/// For each runtime, which of `ranges` match.
fn matching(ranges: &[String]) -> Vec<(Version, Vec<usize>)> {
    let of = |version: &str| {
        let version: Version = version.parse().unwrap();
        let all = ranges.iter().enumerate();
        let fits = |range: &String| range.parse::<api::Range>().unwrap().matches(&version);
        let fitting = all
            .filter(|(_, range)| fits(range))
            .map(|(i, _)| i)
            .collect();
        (version, fitting)
    };
    RUNTIMES.iter().map(|version| of(version)).collect()
}

fn any_ranges() -> impl Strategy<Value = Vec<String>> {
    let range = r"1\.[01]\.x|[12]\.x|>=1\.1\.0|<2\.0\.0|>=2\.1\.0-rc\.1|[12]\.[01]\.0|3\.x|1\.0\.0 \|\| 2\.x";
    proptest::collection::vec(range, 1..4)
}

proptest! {
    /// Entries of one file are accepted exactly where each has a runtime and no runtime has two; and
    /// then each runtime gets the file of its own entry, or none.
    #[test]
    fn a_runtime_has_one_file_of_a_name_at_most(ranges in any_ranges()) {
        let tree = addon("config", &ranges, |i| format!("file: f, template: t{i}"));
        let matching = matching(&ranges);
        let used: BTreeSet<usize> = matching.iter().flat_map(|(_, fit)| fit.clone()).collect();
        let fine = used.len() == ranges.len() && matching.iter().all(|(_, fit)| fit.len() < 2);
        let checked = check(tree, &Named::default());
        prop_assert_eq!(checked.is_ok(), fine, "{:?}", checked.err());
        let Ok(package) = checked else { return Ok(()) };
        for (runtime, fit) in matching {
            let instance = Instance {
                app: "app".parse().unwrap(),
                namespace: "default".to_owned(),
                topology: "default".parse().unwrap(),
                profile: None,
                runtime,
                components: BTreeMap::new(),
            };
            let context = Context::new(&package, &instance, &Named::default()).unwrap();
            let component = "c".parse().unwrap();
            let files = config_files(&package, &component, &context, &Named::default()).unwrap();
            let got: Vec<String> = files.into_values().collect();
            let want: Vec<String> = fit.iter().map(|i| format!("t{i}")).collect();
            prop_assert_eq!(got, want);
        }
    }

    /// The schema of a runtime is the files whose range has it; every runtime has one.
    #[test]
    fn the_schema_of_a_runtime_is_the_files_that_are_for_it(ranges in any_ranges()) {
        let tree = addon("schema", &ranges, |i| format!("file: t{i}.cue"));
        let matching = matching(&ranges);
        let used: BTreeSet<usize> = matching.iter().flat_map(|(_, fit)| fit.clone()).collect();
        let fine = used.len() == ranges.len() && matching.iter().all(|(_, fit)| !fit.is_empty());
        let named = Named::default();
        let checked = check(tree, &named);
        prop_assert_eq!(checked.is_ok(), fine, "{:?}", checked.err());
        if fine {
            let file = |i: &usize| format!("t{i}.cue");
            let want: BTreeSet<(String, Vec<String>)> = matching
                .iter()
                .map(|(runtime, fit)| (runtime.to_string(), fit.iter().map(file).collect()))
                .collect();
            prop_assert_eq!(named.0.into_inner().unwrap(), want);
        }
    }
}

/// What is said of an addon with so many runtimes, topologies and profiles, and of the component's
/// fields that are `rest`.
fn much(runtimes: usize, topologies: usize, profiles: usize, rest: &str) -> String {
    let many = |n: usize, entry: &dyn Fn(usize) -> String| {
        (0..n).map(entry).collect::<Vec<_>>().join(", ")
    };
    let manifest = format!(
        "apiVersion: {}\nkind: Addon\nname: a\nversion: 1.0.0\nruntimes: [{}]\n\
         components: {{c: {{command: [c], {rest}}}}}\ntopologies: [{}]\nprofiles: [{}]\n",
        manifest::API_VERSION,
        many(runtimes, &|i| format!("{{version: 1.{i}.0, image: 'a:1'}}")),
        many(topologies, &|i| format!(
            "{{name: t{i}, components: {{c: {{}}}}}}"
        )),
        many(profiles, &|i| format!("{{name: p{i}}}")),
    );
    let files = [
        ("addon.yaml", manifest.as_str()),
        ("schema/s.cue", "x"),
        ("templates/t", "x"),
    ];
    let files = files
        .into_iter()
        .filter(|(path, _)| !path.starts_with("schema") || rest.contains("s.cue"));
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let tree = Tree::from_files(files).unwrap();
    check(tree, &Named::default())
        .err()
        .map_or_else(String::new, |refusal| refusal.to_string())
}

#[test]
fn more_than_can_be_tried_is_refused() {
    let files: Vec<String> = (0..9)
        .map(|i| format!("{{file: f{i}, template: t}}"))
        .collect();
    let files = format!("config: [{}]", files.join(", "));
    let schema = "schema: [{file: s.cue}]";
    for (said, says) in [
        (much(32, 8, 4, ""), "make 1280 cases, and at most 1024"),
        (
            much(32, 8, 3, &files),
            "make 9216 templates to render, and at most 8192",
        ),
        (
            much(64, 1, 8, schema),
            "make 576 schemas to read, and at most 512",
        ),
        (much(32, 8, 3, ""), ""),
        (much(64, 1, 7, schema), ""),
    ] {
        assert!(
            said.contains(says) && said.is_empty() == says.is_empty(),
            "{said}"
        );
    }
}
