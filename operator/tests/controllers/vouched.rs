//! The registry's key, and what it vouches for: the operator believes nothing else.

use crate::world::{Operator, PLATFORM, SOON, Scene, digest};
use anyhow::{Context as _, Result, ensure};
use api::{
    crd::addon::AddonPhase::Active,
    provenance::{PUBLIC_KEY, Provenance, SECRET, SignedProvenance, Signer},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::api::{core::v1::Secret, rbac::v1::ClusterRole};
use kit::{ControlPlane, eventually};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::json;
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

/// A registry, as far as the operator sees it: a key.
pub struct Registry(Ed25519KeyPair);

impl Registry {
    /// One with a key of its own, of which nobody knows yet.
    pub fn new() -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap())
    }

    /// The one whose key lies in the platform's namespace of the shared API server.
    pub async fn shared(client: &Client) -> Result<&'static Self> {
        static REGISTRY: OnceCell<Registry> = OnceCell::const_new();
        let make = async || {
            let registry = Self::new();
            registry.publish_key(client).await?;
            Ok(registry)
        };
        REGISTRY.get_or_try_init(make).await
    }

    /// Puts the public key where the operator looks for it.
    pub async fn publish_key(&self, client: &Client) -> Result<()> {
        // RFC 8410, section 4.
        let prefix = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
        let der = [prefix.as_slice(), self.0.public_key().as_ref()].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            STANDARD.encode(der)
        );
        let secret: Secret = serde_json::from_value(json!({
            "metadata": {"name": SECRET},
            "stringData": {PUBLIC_KEY: pem},
        }))?;
        let secrets = Api::<Secret>::namespaced(client.clone(), PLATFORM);
        secrets.create(&PostParams::default(), &secret).await?;
        Ok(())
    }

    /// The annotation for `provenance`.
    pub fn sign(&self, provenance: Provenance) -> Result<String> {
        let signature = STANDARD.encode(self.0.sign(&provenance.signed_bytes()?));
        let signed = SignedProvenance {
            provenance,
            signature,
        };
        Ok(serde_json::to_string(&signed)?)
    }
}

/// What a registry says of the version that `files` are.
pub fn provenance(
    scene: &Scene,
    version: &str,
    files: &BTreeMap<String, String>,
    signer: Option<&str>,
) -> Result<Provenance> {
    Ok(Provenance {
        plugin: scene.plugin.parse()?,
        version: version.parse()?,
        digest: digest(files),
        source: "platform".to_owned(),
        url: "https://git.example.com/platform/addons".to_owned(),
        revision: format!("main@sha1:{}", "1".repeat(40)),
        directory: "redis".to_owned(),
        signer: signer.map(|key| Signer::Key(key.to_owned())),
        images: Vec::new(),
    })
}

#[tokio::test]
async fn what_the_registry_vouches_for_has_its_signer_and_no_event_and_two_writes() -> Result<()> {
    let scene = Scene::new("vouched").await?;
    let registry = Registry::shared(&scene.client).await?;
    scene.active("1.0.0").await?;
    let files = scene.redis("1.1.0");
    let of_it = provenance(&scene, "1.1.0", &files, Some("SHA256:thekey"))?;
    let mark = scene.plane.audit().mark()?;
    scene
        .put_vouched("1.1.0", &files, &registry.sign(of_it)?)
        .await?;
    let addon = scene.addon_is("1.1.0", Active).await?;
    let status = addon.status.clone().unwrap_or_default();
    assert_eq!(status.signer.as_deref(), Some("SHA256:thekey"));
    let about = |e: &kit::Event| e.name().starts_with(&scene.addon_name("1.1.0"));
    let of_operator = scene
        .plane
        .audit()
        .since(mark)?
        .by(crate::world::AGENT)
        .writes();
    let writes: Vec<String> = of_operator
        .filter(|e| about(e) || e.name() == scene.plugin || e.resource() == "events")
        .filter(|e| e.resource() != "events" || e.uri.contains(&scene.plugin))
        .iter()
        .map(|e| format!("{} {}", e.verb, e.resource()))
        .collect();
    assert_eq!(
        writes,
        ["update addonledgers", "patch middlewareaddons/status"]
    );
    let published = scene.events("Published").await?;
    assert_eq!(published.len(), 1, "1.0.0, by hand, alone: {published:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_vouched_for_of_something_else_counts_as_made_by_hand() -> Result<()> {
    let scene = Scene::new("forged").await?;
    let registry = Registry::shared(&scene.client).await?;
    scene.put_policy(json!({"signature": {}})).await?;
    let files = scene.redis("1.0.0");
    let good = || provenance(&scene, "1.0.0", &files, Some("SHA256:thekey"));
    let mut of_other_content = good()?;
    of_other_content.digest = api::Digest::sha256([7; 32]);
    let mut of_other_version = good()?;
    of_other_version.version = "1.1.0".parse()?;
    let unsigned = SignedProvenance {
        provenance: good()?,
        signature: String::new(),
    };
    let changed = registry
        .sign(good()?)?
        .replace("SHA256:thekey", "SHA256:another");
    let cases = [
        (Registry::new().sign(good()?)?, "is not the registry's"),
        (changed, "is not the registry's"),
        (
            registry.sign(of_other_content)?,
            "vouches for forged 1.0.0 with digest",
        ),
        (
            registry.sign(of_other_version)?,
            "vouches for forged 1.1.0 with digest",
        ),
        (serde_json::to_string(&unsigned)?, "is not signed"),
        ("{}".to_owned(), "is not readable"),
    ];
    scene.put_vouched("1.0.0", &files, "{}").await?;
    for (annotation, said) in cases {
        annotate(&scene, &annotation).await?;
        eventually(SOON, said, async || {
            let unverified = scene.addon_says("1.0.0", "Unverified").await?;
            ensure!(unverified.message.contains(said), "{}", unverified.message);
            Ok(())
        })
        .await?;
    }
    annotate(&scene, &registry.sign(good()?)?).await?;
    scene.addon_is("1.0.0", Active).await?;
    Ok(())
}

async fn annotate(scene: &Scene, annotation: &str) -> Result<()> {
    let patch = json!({"metadata": {"annotations": {api::labels::PROVENANCE: annotation}}});
    scene
        .addons()
        .patch(
            &scene.addon_name("1.0.0"),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await?;
    Ok(())
}

/// No key: nothing is signed. No answer: no verdict. Another key: it is read again.
#[tokio::test]
async fn the_key_may_come_late_be_unreadable_and_be_made_anew() -> Result<()> {
    let plane = Box::leak(Box::new(ControlPlane::start_with_controllers().await?));
    let operator = Operator::start(plane).await?;
    let scene = Scene::on(plane, "keys").await?;
    scene.put_policy(json!({"signature": {}})).await?;
    let (first, second) = (Registry::new(), Registry::new());
    let put = async |version: &str, registry: &Registry| {
        let mut files = scene.redis("1.0.0");
        let manifest = files.get_mut("addon.yaml").context("the manifest")?;
        *manifest = manifest.replace("version: 1.0.0", &format!("version: {version}"));
        let of_it = provenance(&scene, version, &files, Some("SHA256:thekey"))?;
        let annotation = registry.sign(of_it)?;
        scene.put_vouched(version, &files, &annotation).await
    };
    put("1.0.0", &first).await?;
    let unverified = scene.addon_says("1.0.0", "Unverified").await?;
    assert!(
        unverified
            .message
            .contains("Secret `paamesh-provenance` has no Ed25519 key"),
        "{}",
        unverified.message
    );
    first.publish_key(&scene.client).await?;
    // Nobody tells of a Secret: it is looked for again.
    scene.addon_is("1.0.0", Active).await?;

    let secrets = Api::<Secret>::namespaced(scene.client.clone(), PLATFORM);
    secrets.delete(SECRET, &DeleteParams::default()).await?;
    second.publish_key(&scene.client).await?;
    put("1.0.1", &second).await?;
    scene.addon_is("1.0.1", Active).await?;
    put("1.0.2", &first).await?;
    scene.addon_says("1.0.2", "Unverified").await?;

    let allowed = may_read_secrets(&scene, None).await?;
    put("1.0.3", &Registry::new()).await?;
    eventually(SOON, "it was asked for, and refused", async || {
        let asked = plane.audit().events()?.verb("get").resource("secrets");
        let refused = asked.filter(|e| e.response_status.as_ref().is_some_and(|s| s.code == 403));
        ensure!(!refused.is_empty(), "{} questions", asked.len());
        Ok(())
    })
    .await?;
    let waiting = scene.addons().get(&scene.addon_name("1.0.3")).await?;
    assert_eq!(waiting.status, None, "no answer is no verdict");
    may_read_secrets(&scene, Some(allowed)).await?;
    scene.addon_says("1.0.3", "Unverified").await?;
    operator.stop();
    Ok(())
}

/// Takes the operator's right to Secrets away, or gives it back.
async fn may_read_secrets(scene: &Scene, role: Option<ClusterRole>) -> Result<ClusterRole> {
    let roles = Api::<ClusterRole>::all(scene.client.clone());
    let now = roles.get("paamesh-operator").await?;
    let mut wanted = role.unwrap_or_else(|| {
        let mut role = now.clone();
        let rules = role.rules.iter_mut().flatten();
        for rule in rules {
            rule.resources.iter_mut().flatten().for_each(|resource| {
                if resource == "secrets" {
                    "nothing".clone_into(resource);
                }
            });
        }
        role
    });
    wanted.metadata.resource_version = now.resource_version();
    roles
        .replace("paamesh-operator", &PostParams::default(), &wanted)
        .await?;
    Ok(now)
}
