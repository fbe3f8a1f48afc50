//! The plan of a source of 1,000 versions: once for each change of any of them, and for each look.
//! `cargo bench -p paamesh-registry --bench plan`

#![allow(clippy::unwrap_used)] // a benchmark is a test

use divan::Bencher;
use registry::source::{Observed, Plan, plan};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// A source of `n` published versions, of which `removed` are gone; the newest `keep` are wanted, and one
/// App runs the oldest.
fn observed(n: usize, removed: usize, keep: Option<usize>) -> Observed {
    let (mut offers, mut addons, mut ledger) = (Vec::new(), json!({}), json!({}));
    for minor in 0..n {
        let version = format!("1.{minor}.0");
        let (digest, name) = (format!("sha256:{minor:064x}"), format!("redis-{version}"));
        let directory = format!("redis/{version}");
        if minor >= removed {
            offers.push(json!({
                "directory": directory, "tree": digest,
                "verdict": {"good": {"plugin": "redis", "version": version, "digest": digest}},
            }));
        }
        ledger[&version] = json!(digest);
        let before = minor.saturating_sub(5);
        let ways = json!({
            "runtimes": ["7.0.15", "7.2.4"], "upgradeFrom": [format!(">=1.{before}.0 <{version}")],
        });
        addons[&name] = json!({
            "plugin": "redis", "version": version, "uid": name, "resourceVersion": "1",
            "digest": digest, "phase": "Active", "owner": "thisSource",
            "users": usize::from(minor == 0),
            "ways": keep.map_or(Value::Null, |_| ways),
            "provenance": {
                "plugin": "redis", "version": version, "digest": digest, "source": "platform",
                "url": "https://git.example.com/addons", "revision": "main@sha1:1",
                "directory": directory,
            },
        });
    }
    let observed = json!({
        "source": "platform", "url": "https://git.example.com/addons", "generation": 1,
        "retention": keep,
        "look": {"found": {"revision": "main@sha1:1", "offers": offers}},
        "addons": addons, "ledger": {"redis": ledger},
    });
    serde_json::from_value(observed).unwrap()
}

#[divan::bench(args = [100, 1000, 5000])]
fn nothing_changed(bencher: Bencher<'_, '_>, n: usize) {
    let observed = observed(n, 0, None);
    assert_eq!(plan(&observed).published, n);
    bencher.bench_local(|| plan(divan::black_box(&observed)));
}

#[divan::bench]
fn a_hundred_of_1000_are_removed(bencher: Bencher<'_, '_>) {
    let observed = observed(1000, 100, None);
    assert_eq!(plan(&observed).withdraw.len(), 100);
    bencher.bench_local(|| -> Plan { plan(divan::black_box(&observed)) });
}

#[divan::bench]
fn half_of_1000_are_old(bencher: Bencher<'_, '_>) {
    let observed = observed(1000, 0, Some(500));
    // The oldest is in use; every fifth is on its way.
    assert_eq!(plan(&observed).prune.len(), 400);
    bencher.bench_local(|| -> Plan { plan(divan::black_box(&observed)) });
}
