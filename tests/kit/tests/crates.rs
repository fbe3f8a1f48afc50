//! The arrows between crates point down only (design.md, section 2), crates keep to what they know,
//! and every dependency has a licence that this project can ship.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{collections::BTreeMap, process::Command};

/// Crate → the crates of ours that it may build on.
const ARROWS: [(&str, &[&str]); 14] = [
    ("api", &[]),
    ("package", &["api"]),
    ("templates", &[]),
    ("evaluate", &["api", "package"]),
    ("transport", &["api", "package"]),
    ("registry", &["api", "package", "transport"]),
    ("operator", &["api", "package"]),
    ("agent", &["api"]),
    ("catalog", &["api", "evaluate", "package", "transport"]),
    (
        "paamesh",
        &[
            "api", "catalog", "evaluate", "operator", "package", "registry",
        ],
    ),
    ("test-kit", &["api"]),
    ("story", &["test-kit"]),
    (
        "bench",
        &["api", "package", "registry", "test-kit", "transport"],
    ),
    (
        "fuzz",
        &[
            "api",
            "catalog",
            "evaluate",
            "package",
            "registry",
            "transport",
        ],
    ),
];

/// Crates that tests may build on besides: nothing stands in for the evaluator and the operator.
const FOR_TESTS: [&str; 3] = ["test-kit", "evaluate", "operator"];

/// Crate → what must not be anywhere below it.
const ABSENT: [(&str, &[&str]); 6] = [
    ("agent", &["kube", "k8s-openapi", "git2"]),
    ("api", &["kube-client", "tokio", "git2"]),
    ("package", &["kube-client", "tokio", "git2", "reqwest"]),
    ("evaluate", &["kube-client", "tokio", "git2", "reqwest"]),
    ("transport", &["kube-client"]),
    ("operator", &["git2", "reqwest"]),
];

const LICENCES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn arrows_point_down() -> Result<()> {
    let packages = metadata(&["--no-deps"])?;
    let ours: Vec<&str> = packages.iter().filter_map(|p| short(&p["name"])).collect();
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    for package in &packages {
        let name = short(&package["name"]).context("a package without a name")?;
        let may = allowed
            .get(name)
            .with_context(|| format!("{name} stands in no row of ARROWS"))?;
        for dependency in package["dependencies"].as_array().context("dependencies")? {
            let Some(on) = short(&dependency["name"]).filter(|on| ours.contains(on)) else {
                continue;
            };
            let tests = dependency["kind"] == "dev" && (FOR_TESTS.contains(&on) || on == name);
            assert!(
                may.contains(&on) || tests,
                "{name} may not depend on {on}: only on {may:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn crates_keep_to_what_they_know() -> Result<()> {
    for (name, absent) in ABSENT {
        let package = if name == "paamesh" {
            name.to_owned()
        } else {
            format!("paamesh-{name}")
        };
        let tree = cargo(&[
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "-p",
            &package,
        ])?;
        let below: Vec<&str> = tree
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert!(below.len() > 1, "{tree}");
        for crate_ in absent {
            assert!(!below.contains(crate_), "{name} has {crate_} below it");
        }
    }
    Ok(())
}

#[test]
fn every_licence_is_permissive() -> Result<()> {
    let packages = metadata(&[])?;
    assert!(packages.len() > 100, "only {} packages", packages.len());
    let refused: Vec<_> = packages
        .iter()
        .map(|p| {
            (
                p["name"].to_string(),
                p["license"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .filter(|(_, licence)| !accepted(licence))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    Ok(())
}

/// Whether an SPDX expression leaves a choice that is in [`LICENCES`]. `/` is an older `OR`.
fn accepted(expression: &str) -> bool {
    let text = expression.replace('/', " OR ");
    match text.rfind('(') {
        Some(open) => {
            let Some(length) = text[open..].find(')') else {
                return false;
            };
            let inner = if accepted(&text[open + 1..open + length]) {
                "MIT"
            } else {
                "refused"
            };
            accepted(&format!(
                "{}{inner}{}",
                &text[..open],
                &text[open + length + 1..]
            ))
        }
        None => text.split(" OR ").any(|choice| {
            choice
                .split(" AND ")
                .all(|licence| LICENCES.contains(&licence.trim()))
        }),
    }
}

#[test]
fn licence_expressions_are_read() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-2.0 OR MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
    ] {
        assert!(accepted(good), "{good}");
    }
    for bad in [
        "",
        "GPL-2.0",
        "MIT AND GPL-2.0",
        "(MIT AND GPL-3.0) OR AGPL-3.0",
        "(MIT",
    ] {
        assert!(!accepted(bad), "{bad}");
    }
}

/// The name of a crate of ours without the prefix that crates of ours have; others as they are.
fn short(name: &Value) -> Option<&str> {
    let name = name.as_str()?;
    Some(name.strip_prefix("paamesh-").unwrap_or(name))
}

/// What cargo says of the packages. It fetches what is missing: a build fetches the crates of its own
/// platform only.
fn metadata(flags: &[&str]) -> Result<Vec<Value>> {
    let args = [&["metadata", "--format-version", "1", "--locked"], flags].concat();
    let mut all: Value = serde_json::from_str(&cargo(&args)?)?;
    serde_json::from_value(all["packages"].take()).context("packages")
}

fn cargo(args: &[&str]) -> Result<String> {
    let out = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(kit::root())
        .output()?;
    let said = String::from_utf8_lossy(&out.stderr);
    anyhow::ensure!(out.status.success(), "cargo {}: {said}", args.join(" "));
    Ok(String::from_utf8(out.stdout)?)
}
