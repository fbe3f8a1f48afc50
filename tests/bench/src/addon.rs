//! Addons for measuring: each a plugin of its own with templates, a script and a schema of 20 fields,
//! so that a version has four sections.

use anyhow::{Result, anyhow};
use api::provenance::{Provenance, SignedProvenance};
use package::{Package, Tree};
use std::fmt::Write as _;

const FIELDS: usize = 20;

/// The name of the `n`-th plugin.
pub fn name(prefix: &str, n: usize) -> String {
    format!("{prefix}{n:05}")
}

/// Version `1.minor.0` of `plugin`.
pub fn tree(plugin: &str, minor: usize) -> Result<Tree> {
    let files = files(plugin, minor).map(|(path, text)| (path, text.into_bytes()));
    Tree::from_files(files).map_err(|findings| anyhow!("{findings:?}"))
}

/// Its files, by path.
pub fn files(plugin: &str, minor: usize) -> [(String, String); 4] {
    let files = [
        ("addon.yaml", manifest(plugin, minor)),
        ("schema/cache.cue", schema(plugin)),
        (
            "scripts/start.sh",
            format!("#!/bin/sh\n# {plugin}\nexec cache \"$@\"\n"),
        ),
        ("templates/cache.conf", template(plugin)),
    ];
    files.map(|(path, text)| (path.to_owned(), text))
}

/// The package of `tree`, unchecked.
pub fn package(tree: Tree) -> Result<Package> {
    package::load(tree).map_err(|refusal| anyhow!("{refusal}"))
}

/// Where `package` is said to come from.
pub fn origin(package: &Package) -> SignedProvenance {
    let provenance = Provenance {
        plugin: package.manifest.name.clone(),
        version: package.manifest.version.clone(),
        digest: package.digest.clone(),
        source: "bench".to_owned(),
        url: "oci://bench".to_owned(),
        revision: package.manifest.version.to_string(),
        directory: package.manifest.version.to_string(),
        signer: None,
        images: Vec::new(),
    };
    SignedProvenance {
        provenance,
        signature: String::new(),
    }
}

fn manifest(plugin: &str, minor: usize) -> String {
    format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {plugin}\nversion: 1.{minor}.0\n\
         description: A cache that is measured.\nlicence: Apache-2.0\n\
         runtimes:\n  - version: 1.6.18\n    image: cache:1.6.18\n\
         components:\n  cache:\n    command: [/scripts/start.sh]\n\
         \u{20}   ports:\n      - name: cache\n        port: 11211\n\
         \u{20}   resources:\n      requests: {{ cpu: 20m, memory: 32Mi }}\n      limits: {{ memory: 128Mi }}\n\
         \u{20}   runAs: {{ user: 11211, group: 11211 }}\n\
         \u{20}   schema:\n      - file: cache.cue\n\
         \u{20}   config:\n      - file: cache.conf\n        template: cache.conf\n\
         topologies:\n  - name: default\n    description: One member.\n    components:\n      cache: {{ replicas: 1, max: 3 }}\n"
    )
}

fn schema(plugin: &str) -> String {
    let mut text = format!("// The parameters of {plugin}.\nparameters: {{\n");
    for n in 0..FIELDS {
        let _ = writeln!(
            text,
            "\t// Field {n}.\n\tfield{n}: int & >=0 & <=4096 | *{n} @effect(restart)"
        );
    }
    text.push_str("}\n");
    text
}

fn template(plugin: &str) -> String {
    let mut text = format!("# {plugin}\n");
    for n in 0..FIELDS {
        let _ = writeln!(text, "field{n} {{{{ component.parameters.field{n} }}}}");
    }
    text
}
