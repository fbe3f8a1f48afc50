//! The catalog that the tests read: a store with four versions and users, a queue that somebody made by
//! hand, and a cache whose README alone says what it is good for.

use crate::{
    hands::{Hands, Said},
    world::PLATFORM,
};
use anyhow::Result;
use serde_json::json;

const STORE: &str = r#"apiVersion: middleware.io/v1alpha1
kind: Addon
name: store
version: VERSION
description: Keeps keys and values, alone or as a primary with replicas.
keywords: [database, kv]
maintainers: [Store team <store@example.com>]
licence: Apache-2.0
kubernetes: ">=1.28.0"
upgradeFrom: [FROM]
runtimes:
  - {version: 7.2.4, image: "example.com/store:7.2.4"}
  - {version: 7.0.15, image: "example.com/store:7.0.15"}
components:
  store:
    command: [store]
    ports: [{name: store, port: 7000}]
    schema: [{file: store.cue}]
  exporter:
    command: [export]
topologies:
  - name: standalone
    description: One server.
    components: {store: {replicas: 1}}
  - name: replication
    description: One primary that takes writes, and replicas that serve reads.
    components:
      store: {replicas: 3, min: 2, max: 7}
      exporter: {optional: true}
profiles:
  - name: production
    description: Three members.
    components: {store: {replicas: 3}}
"#;

const SCHEMA: &str = "\
parameters: {
	// The most clients at once.
	clients: int & >=1 & <=1000 | *100 @effect(reload)
	// The memory for data, in MiB.
	memory: int & >=16 | *64
}
";

const README: &str = "\
# Store

Keeps keys and values.

- Write through the primary.
";

const QUEUE: &str = r#"apiVersion: middleware.io/v1alpha1
kind: Addon
name: queue
version: 0.1.0
description: Hands messages from one to another.
keywords: [messages]
runtimes:
  - {version: 1.0.0, image: "example.com/queue:1.0.0"}
components:
  queue:
    command: [queue]
"#;

/// Puts all of it into the cluster.
pub async fn fill(hands: &Hands) -> Result<()> {
    for namespace in [PLATFORM, "team-a", "team-b"] {
        hands.namespace(namespace).await?;
    }
    let from_platform = || Said {
        source: Some("platform"),
        ..Said::default()
    };
    let withdrawn = Said {
        lifecycle: json!({
            "withdrawn": "it was removed from the source",
            "advisories": [{
                "id": "CVE-2026-1234", "severity": "high",
                "summary": "Anybody who can connect reads everything.",
                "url": "https://example.com/1234",
            }],
        }),
        ..from_platform()
    };
    let deprecated = Said {
        lifecycle: json!({"deprecated": "take 2.0.0", "endOfSupport": "2027-03-31"}),
        users: 2,
        ..from_platform()
    };
    let newest = Said {
        signer: Some("sha256:9f86d081884c7d65"),
        users: 1,
        ..from_platform()
    };
    let refused = Said {
        phase: Some((
            "Pending",
            "Unverified",
            "policy `signed` wants a signature, and there is none",
        )),
        ..from_platform()
    };
    store(hands, "1.0.0", "", withdrawn).await?;
    store(hands, "1.1.0", "1.0.x", deprecated).await?;
    store(hands, "2.0.0", "1.1.x", newest).await?;
    store(hands, "3.0.0", "2.0.x", refused).await?;
    hands
        .publish(&[("addon.yaml", QUEUE)], Said::default())
        .await?;
    let cache = QUEUE
        .replace("queue", "cache")
        .replace("Hands messages from one to another.", "Forgets.");
    let readme = "# Cache\n\nGood for sessions.\n";
    hands
        .publish(
            &[("addon.yaml", &cache), ("README.md", readme)],
            from_platform(),
        )
        .await?;
    hands
        .app("team-a/orders", "store", "1.1.0", "replication")
        .await?;
    hands
        .app("team-b/carts", "store", "1.1.0", "standalone")
        .await?;
    hands
        .app("team-b/sessions", "store", "2.0.0", "standalone")
        .await
}

async fn store(hands: &Hands, version: &str, from: &str, said: Said) -> Result<()> {
    let manifest = STORE.replace("VERSION", version);
    let manifest = match from {
        "" => manifest.replace("upgradeFrom: [FROM]\n", ""),
        from => manifest.replace("FROM", &format!("{from:?}")),
    };
    let files = [
        ("addon.yaml", manifest.as_str()),
        ("README.md", README),
        ("schema/store.cue", SCHEMA),
    ];
    hands.publish(&files, said).await
}
