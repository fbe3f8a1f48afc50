//! Each directory of `tests/golden/policy/` is one policy, or several, and one version.

use super::*;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    policies: BTreeMap<String, Value>,
    version: Subject,
}

crate::golden::golden!("policy", Case, |case| {
    let raw = case.policies.into_iter().map(|(name, spec)| {
        let mut raw = RawPolicy {
            spec,
            ..RawPolicy::default()
        };
        raw.metadata.name = Some(name);
        raw
    });
    let policies: Vec<Policy> = raw.map(|raw| Policy::read(&raw)).collect();
    match judge(&policies, &case.version) {
        Ok(()) => vec!["allowed".to_owned()],
        Err(refusal) => refusal.to_string().lines().map(str::to_owned).collect(),
    }
});
