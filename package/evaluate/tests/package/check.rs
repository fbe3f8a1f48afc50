//! What the checks say of broken addons: `golden/check/<behaviour>/addon/` → `findings.snap`.
//!
//! A case is laid over `golden/check/base/`, a whole addon without a fault: it holds only the files
//! that differ.

use crate::{
    evaluator,
    files::{self, Files},
};
use package::{Refusal, Tree};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/check")
}

/// The verdict on `files`, as a person reads it.
fn verdict(files: Files) -> String {
    let tree = match Tree::from_files(files) {
        Ok(tree) => tree,
        Err(findings) => {
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            return lines.join("\n");
        }
    };
    match package::check(tree, &evaluator()) {
        Ok(package) => format!(
            "accepted: {} {}",
            package.manifest.name, package.manifest.version
        ),
        Err(refusal @ Refusal::Invalid { .. }) => {
            let Refusal::Invalid {
                plugin, version, ..
            } = &refusal
            else {
                unreachable!()
            };
            let known = |name: Option<String>| name.unwrap_or_else(|| "?".to_owned());
            let plugin = known(plugin.as_ref().map(ToString::to_string));
            let version = known(version.as_ref().map(ToString::to_string));
            format!("refused: {plugin} {version}\n{refusal}")
        }
        Err(other) => other.to_string(),
    }
}

#[test]
fn every_case_is_answered_as_before() {
    let base = files::below(&golden().join("base/addon"));
    let mut cases: Vec<PathBuf> = fs::read_dir(golden())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are there");
    for case in cases {
        let mut addon = base.clone();
        addon.extend(files::below(&case.join("addon")));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("findings", verdict(addon)));
    }
}

#[test]
fn an_addon_without_a_manifest_is_refused() {
    let said = verdict(Files::from([("README.md".to_owned(), Vec::new())]));
    assert!(said.contains("addon.yaml: the file is missing"), "{said}");
}

#[test]
fn the_verdict_is_the_same_every_time() {
    for case in fs::read_dir(golden()).unwrap() {
        let addon = files::below(&case.unwrap().path().join("addon"));
        assert_eq!(verdict(addon.clone()), verdict(addon));
    }
}

/// An evaluator that is not there.
struct Gone;

impl package::Evaluate for Gone {
    fn render(&self, _: &package::RenderRequest<'_>) -> Result<String, package::EvaluateError> {
        let reason = "the evaluator ended".to_owned();
        Err(package::EvaluateError::Unavailable { reason })
    }

    fn validate(
        &self,
        _: &package::SchemaRequest<'_>,
    ) -> Result<package::Parameters, package::ValidateError> {
        let reason = "the evaluator ended".to_owned();
        Err(package::ValidateError::Unavailable { reason })
    }
}

#[test]
fn without_an_evaluator_there_is_no_verdict() {
    let tree = Tree::from_files(files::below(&golden().join("base/addon"))).unwrap();
    let refusal = package::check(tree.clone(), &Gone).unwrap_err();
    assert_eq!(refusal.to_string(), "not judged: the evaluator ended");
    assert!(package::load(tree).is_ok());
}

/// The manifest of the base addon, with `cut` characters at `place` replaced by `text`.
fn edited(place: usize, cut: usize, text: &str) -> Files {
    let mut addon = files::below(&golden().join("base/addon"));
    let manifest: Vec<char> = String::from_utf8(addon["addon.yaml"].clone())
        .unwrap()
        .chars()
        .collect();
    let place = place % manifest.len();
    let rest = &manifest[(place + cut).min(manifest.len())..];
    let edited: String = manifest[..place]
        .iter()
        .copied()
        .chain(text.chars())
        .chain(rest.iter().copied())
        .collect();
    addon.insert("addon.yaml".to_owned(), edited.into_bytes());
    addon
}

proptest::proptest! {
    #[test]
    fn any_edit_is_accepted_or_refused_with_a_place_in_the_file(
        place in 0..1000_usize, cut in 0..12_usize, text in r#"[\[\]{}:,'"&*!|>%@#a-z0-9. \n-]{0,8}"#,
    ) {
        let addon = edited(place, cut, &text);
        let lines = addon["addon.yaml"].iter().filter(|b| **b == b'\n').count() + 2;
        let Err(Refusal::Invalid { findings, .. }) =
            package::check(Tree::from_files(addon).unwrap(), &evaluator()) else { return Ok(()) };
        proptest::prop_assert!(!findings.is_empty());
        for finding in findings {
            proptest::prop_assert!(!finding.message.is_empty());
            proptest::prop_assert!(finding.line.is_none_or(|line| line as usize <= lines), "{finding}");
        }
    }
}

#[test]
fn scripts_and_actions_are_bounded_together() {
    let mut addon = files::below(&golden().join("base/addon"));
    let most = package::tree::MAX_SCRIPT_BYTES;
    let others = addon["scripts/probe.sh"].len();
    addon.insert("scripts/start.sh".to_owned(), vec![b'#'; most - others]);
    let said = verdict(addon.clone());
    assert!(said.contains("scripts and actions have 307"), "{said}");
    addon.insert(
        "scripts/start.sh".to_owned(),
        vec![b'#'; most - others - 200],
    );
    assert_eq!(verdict(addon), "accepted: demo 1.2.3");
}
