//! The manifest: what is accepted reads back from its own print, YAML and JSON alike; what is refused
//! is refused with a place in the file, in bounds, and the same way each time.

use crate::{Corpus, Target, ensure, shape};
use arbitrary::{Result, Unstructured};
use package::{
    Evaluate, EvaluateError, Finding, Manifest, Package, Parameters, Refusal, RenderRequest,
    SchemaRequest, Tree, ValidateError, check, load, manifest::FILE,
};
use serde_json::Value;
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target {
    name: "manifest",
    make,
    check: holds,
    words,
    more: Vec::new,
};

/// What a status holds of a finding.
const MAX_FILE: usize = 512;
const MAX_MESSAGE: usize = 2048;

/// The files that stand beside the manifest: what it may name.
const FILES: [(&str, &[u8]); 5] = [
    ("README.md", b"# Demo\n"),
    ("scripts/probe.sh", b"#!/bin/sh\n"),
    ("scripts/start.sh", b"#!/bin/sh\n"),
    ("templates/main.conf", b"x\n"),
    ("templates/redis.conf", b"x\n"),
];

const SCHEMA_FILE: Option<(&str, &[u8])> = Some(("schema/main.cue", b"parameters: {}\n"));

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Manifest).to_value());

fn words() -> Vec<String> {
    let mut words = shape::words(&SCHEMA);
    words.extend(shape::SCALARS.map(str::to_owned));
    words
}

/// A manifest in the shape of its types, as YAML or JSON; half of them with an identity that is one.
fn make(u: &mut Unstructured<'_>, corpus: &Corpus) -> Result<Vec<u8>> {
    let mut value = shape::value(u, &SCHEMA, &SCHEMA, 0)?;
    if let Some(fields) = value
        .as_object_mut()
        .filter(|_| u.ratio(9, 10).unwrap_or(true))
    {
        fields.insert(
            "apiVersion".to_owned(),
            package::manifest::API_VERSION.into(),
        );
        fields.insert("kind".to_owned(), package::manifest::KIND.into());
        fields.remove("minPlatform");
    }
    let json = u.ratio(1, 4)?;
    let text = match serde_saphyr::to_string(&value) {
        Ok(yaml) if !json => yaml,
        _ => value.to_string(),
    };
    if u.ratio(1, 4)? {
        let one = Corpus {
            inputs: vec![text.into_bytes()],
            words: corpus.words.clone(),
        };
        return one.changed(u);
    }
    Ok(text.into_bytes())
}

fn holds(input: &[u8]) -> std::result::Result<(), String> {
    // A schema that nobody names is refused.
    let schema = SCHEMA_FILE.filter(|(path, _)| {
        let name = path.trim_start_matches(package::tree::SCHEMA_PREFIX);
        input.windows(name.len()).any(|w| w == name.as_bytes())
    });
    let tree = |manifest: &[u8]| {
        let files = FILES.into_iter().chain(schema).chain([(FILE, manifest)]);
        Tree::from_files(files.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())))
    };
    let Ok(whole) = tree(input) else {
        return Ok(()); // Too large a file; the tree's matter.
    };
    let parsed = load(whole.clone());
    let judged = check(whole.clone(), &Blank);
    ensure!(
        judged == check(whole, &Blank),
        "two verdicts on the same bytes"
    );
    let text = String::from_utf8_lossy(input);
    for refusal in [parsed.as_ref().err(), judged.as_ref().err()]
        .into_iter()
        .flatten()
    {
        refused(refusal, &text)?;
    }
    let package = match (parsed, judged) {
        (Ok(parsed), Ok(judged)) => {
            ensure!(
                parsed == judged,
                "checked, it is another package than parsed"
            );
            parsed
        }
        (Err(_), Ok(_)) => return Err("it is a package, and does not parse".to_owned()),
        (Ok(parsed), Err(_)) => parsed,
        (Err(_), Err(_)) => return Ok(()),
    };
    let read = |print: &str| {
        tree(print.as_bytes())
            .map_err(|f| format!("{f:?}"))
            .map(load)
    };
    // JSON takes control characters that YAML wants escaped.
    let json = serde_json::to_string(&package.manifest).map(|json| {
        let escaped = |c: char| match c {
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}'..='\u{ffff}' => {
                format!("\\u{:04x}", u32::from(c))
            }
            c => c.to_string(),
        };
        json.chars().map(escaped).collect::<String>()
    });
    printed(&package, "JSON", json.map_err(|e| e.to_string()), read)?;
    printed(
        &package,
        "YAML",
        serde_saphyr::to_string(&package.manifest).map_err(|e| e.to_string()),
        read,
    )
}

/// What was parsed reads back from its print.
fn printed(
    package: &Package,
    language: &str,
    print: std::result::Result<String, String>,
    read: impl Fn(&str) -> std::result::Result<std::result::Result<Package, Refusal>, String>,
) -> std::result::Result<(), String> {
    let print = print.map_err(|error| format!("it does not print as {language}: {error}"))?;
    let again = read(&print)?
        .map_err(|refusal| format!("its {language} is refused: {refusal}\n{print}"))?;
    ensure!(
        again.manifest == package.manifest,
        "its {language} is another manifest:\n{print}\n{:?}\n{:?}",
        package.manifest,
        again.manifest
    );
    Ok(())
}

fn refused(refusal: &Refusal, text: &str) -> std::result::Result<(), String> {
    let findings = match refusal {
        Refusal::Invalid { findings, .. } => findings,
        Refusal::PlatformTooOld { needs, .. } => {
            ensure!(
                text.contains("minPlatform"),
                "it needs platform {needs} without a word"
            );
            return Ok(());
        }
        Refusal::NotJudged { reason } => return Err(format!("not judged: {reason}")),
    };
    ensure!(!findings.is_empty(), "refused without a finding");
    ensure!(
        findings.is_sorted(),
        "findings are not sorted: {findings:?}"
    );
    findings
        .iter()
        .try_for_each(|finding| placed(finding, text))
}

/// The finding says something, in bounds, and of a place that there is.
fn placed(finding: &Finding, text: &str) -> std::result::Result<(), String> {
    let Finding {
        file,
        line,
        column,
        message,
    } = finding;
    ensure!(!message.trim().is_empty(), "an empty message");
    ensure!(
        file.len() <= MAX_FILE && message.len() <= MAX_MESSAGE,
        "too long a finding: {finding}"
    );
    if file != FILE {
        let known = file.is_empty()
            || FILES.iter().any(|(path, _)| path == file)
            || message.contains("missing");
        ensure!(
            known || line.is_none(),
            "a place in a file that is not there: {finding}"
        );
        return Ok(());
    }
    // The end of a text that ends in a line break is in the line after it.
    let lines: Vec<&str> = text.split('\n').flat_map(|line| line.split('\r')).collect();
    let Some(line) = line else {
        ensure!(column.is_none(), "a column without a line: {finding}");
        return Ok(());
    };
    let line = *line as usize;
    ensure!(
        (1..=lines.len()).contains(&line),
        "line {line} of {}: {finding}",
        lines.len()
    );
    if let Some(column) = column {
        let longest = lines
            .iter()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or_default();
        ensure!(
            (1..=longest + 2).contains(&(*column as usize)),
            "no such column: {finding}"
        );
    }
    Ok(())
}

/// Takes every template and every schema: they have targets of their own.
struct Blank;

impl Evaluate for Blank {
    fn render(&self, _: &RenderRequest<'_>) -> std::result::Result<String, EvaluateError> {
        Ok(String::new())
    }

    fn validate(&self, _: &SchemaRequest<'_>) -> std::result::Result<Parameters, ValidateError> {
        Ok(Parameters::default())
    }
}
