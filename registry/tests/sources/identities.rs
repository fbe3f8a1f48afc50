//! Artifacts that an identity signed, not a key: the real cosign with a real Fulcio and a real timestamp
//! authority (`transport/tests/fixtures/cosign/make-keyless`), believed under the given trust root alone.

use crate::{
    cosign_fixtures::{fixture, load},
    registries::Demands,
    stage::{Stage, says},
    world::{World, is, ready},
};
use anyhow::Result;
use api::{conditions::SOURCE_VERIFIED, labels};
use kube::{
    ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

/// Who signed the fixtures.
const ISSUER: &str = "http://127.0.0.1:5985";
const ANN: &str = "ann@example.com";
const FAILED: &str = "VerificationFailed";

/// The trust root `file` of the fixtures, where it demands the logs `kind` of sigstore itself.
fn with_logs(file: &str, kind: &str) -> Result<String> {
    let mut root: Value = serde_json::from_str(&fixture(file))?;
    let public: Value = serde_json::from_str(&fixture("public-good/trusted_root.json"))?;
    root[kind] = public[kind].clone();
    Ok(root.to_string())
}

fn demand(stage: &Stage, repository: &str, subject: &str, root: &str) -> Value {
    let issuer = "http://127\\.0\\.0\\.1:[0-9]+";
    let verify = json!({
        "matchOIDCIdentity": [{"issuer": issuer, "subject": subject}],
        "trustedRootSecretRef": {"name": root},
    });
    json!({"interval": "1h", "oci": {
        "url": stage.url(&format!("keyless/{repository}")), "insecure": true, "verify": verify,
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_believed_under_the_given_trust_root_alone() -> Result<()> {
    const ROOT: &str = "keyless/trusted_root.json";
    let world = World::shared("keyless").await?;
    let stage = Stage::new(world.directory.path(), &Demands::default());
    load(&stage.registry.storage);
    for (name, root) in [
        ("keyless-root", fixture(ROOT)),
        ("keyless-other", fixture("keyless/other_authority.json")),
        ("keyless-clock", fixture("keyless/other_clock.json")),
        ("keyless-log", with_logs(ROOT, "tlogs")?),
        ("keyless-ctlog", with_logs(ROOT, "ctlogs")?),
    ] {
        let root = json!({"trusted_root.json": root});
        world.secret(name, root).await?;
    }
    // Who is who says it, of which repository, under which trust root; and why it is not believed.
    let ann = "ann@example\\.com";
    let unknown_clock = "a timestamp is of no timestamp authority of the trust root";
    let too_late = "the identity had expired when it signed, or nobody can tell: ";
    let refusals = [
        (
            "bob",
            "v3",
            "bob@example\\.com",
            "keyless-root",
            "is signed by `ann@example.com` of `http://127.0.0.1:5985`, and the identities are \
             `bob@example\\.com` of",
        ),
        (
            "other",
            "v2",
            ann,
            "keyless-other",
            "the trust root does not vouch for the signer: no authority of the trust root made",
        ),
        ("clock", "v3", ann, "keyless-clock", unknown_clock),
        ("late", "late", ann, "keyless-root", too_late),
        (
            "untimed",
            "untimed",
            ann,
            "keyless-root",
            "no clock of the trust root says that it signed then",
        ),
        ("log", "v3", ann, "keyless-log", "in no transparency log"),
        (
            "ctlog",
            "v3",
            ann,
            "keyless-ctlog",
            "is in no log of certificates, and the trust root",
        ),
    ];
    for (name, repository, subject, root, _) in refusals {
        let spec = demand(&stage, repository, subject, root);
        world.create(&format!("keyless-{name}"), spec).await?;
    }
    let missing = demand(&stage, "v3", ann, "keyless-none");
    world.create("keyless-missing", missing).await?;
    for (name, _, _, _, why) in refusals {
        let refused = |source: &api::AddonSource| {
            is(source, SOURCE_VERIFIED, "False", FAILED) && says(source, FAILED, why)
        };
        world.seen_of(&format!("keyless-{name}"), refused).await?;
    }
    let late = "and trusted clocks say that it signed at 20";
    world
        .seen_of("keyless-late", |s| says(s, FAILED, late))
        .await?;
    let secret = "Secret `keyless-none` of oci.verify.trustedRootSecretRef";
    world
        .seen_of("keyless-missing", |s| says(s, "FetchFailed", secret))
        .await?;
    for plugin in [
        "keyless-v2",
        "keyless-v3",
        "keyless-late",
        "keyless-untimed",
    ] {
        let there = world.versions_of(plugin).await?;
        assert!(there.is_empty(), "{there:?}");
    }

    // In both formats; what is recorded is who it was, not the expression.
    for repository in ["v2", "v3"] {
        let name = format!("keyless-{repository}");
        let spec = demand(&stage, repository, ann, "keyless-root");
        world.create(&name, spec).await?;
        let addon = world.addon(&format!("{name}-1.0.0")).await?;
        let provenance: Value = serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
        let signer = json!({"identity": {"issuer": ISSUER, "subject": ANN}});
        assert_eq!(provenance["signer"], signer);
        world.publish(&format!("{name}-1.0.0")).await?;
        let verified = |source: &api::AddonSource| {
            ready(source) && is(source, SOURCE_VERIFIED, "True", "Verified")
        };
        world.seen_of(&name, verified).await?;
    }
    // Whoever is trusted too is believed without another word.
    let identities = json!([{"issuer": ".*", "subject": ".*@example\\.com"}]);
    let patch = json!({"spec": {"oci": {"verify": {"matchOIDCIdentity": identities}}}});
    let (sources, params) = (world.sources(), PatchParams::default());
    sources
        .patch("keyless-bob", &params, &Patch::Merge(patch))
        .await?;
    world.seen_of("keyless-bob", ready).await?;
    Ok(())
}
