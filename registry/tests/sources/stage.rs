//! An OCI registry with addons in it, behind a server that counts requests and misbehaves when told to.

use crate::{
    http_server::{HttpServer, Request, Response, forward},
    registries::{Demands, Registry, openssl},
    world::manifest,
};
use api::{AddonSource, Digest, conditions::READY};
use package::Tree;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use transport::{
    Credentials,
    oci::{Artifact, Artifacts, Reference, Remote},
};

type Fault = dyn Fn(&Request) -> Option<Response> + Send + Sync;

pub struct Stage {
    pub registry: Registry,
    pub server: HttpServer,
    fault: Arc<Mutex<Option<Box<Fault>>>>,
    pub directory: PathBuf,
}

impl Stage {
    /// A registry below `directory`.
    pub fn new(directory: &Path, demands: &Demands) -> Self {
        let registry = Registry::distribution(directory, demands);
        let fault: Arc<Mutex<Option<Box<Fault>>>> = Arc::default();
        let (port, faults) = (registry.port, fault.clone());
        let server = HttpServer::start(move |request| {
            let faulty = faults
                .lock()
                .unwrap()
                .as_ref()
                .and_then(|fault| fault(request));
            faulty.unwrap_or_else(|| forward(port, request))
        });
        Self {
            registry,
            server,
            fault,
            directory: directory.to_owned(),
        }
    }

    /// From now on what `fault` answers is the answer.
    pub fn fault(&self, fault: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) {
        *self.fault.lock().unwrap() = Some(Box::new(fault));
    }

    pub fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }

    /// The URL of the repository `path`, through the server.
    pub fn url(&self, path: &str) -> String {
        format!("oci://127.0.0.1:{}/{path}", self.server.port)
    }

    /// Pushes a version past the server; `text` is what its one script says. Returns the digest.
    pub fn push(&self, path: &str, plugin: &str, version: &str, text: &str) -> Digest {
        let credentials = Credentials {
            username: Some("ann".into()),
            password: Some("secret".into()),
            ..Credentials::default()
        };
        let url = self.registry.url(path);
        let manifest = manifest(plugin, version);
        push(&url, credentials, plugin, version, &manifest, text)
    }

    /// Lets the tag `tag` of the repository name `digest`, as registries let everybody.
    pub fn tag(&self, path: &str, tag: &str, digest: &Digest) {
        self.link(path, &format!("_manifests/tags/{tag}/current"), digest);
    }

    /// Makes the key pair `name`; returns the public half.
    pub fn key(&self, name: &str) -> String {
        let file = format!("{name}.pem");
        let curve = "ec_paramgen_curve:P-256";
        let make = [
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            curve,
            "-out",
            &file,
        ];
        openssl(&self.directory, &make);
        let public = openssl(&self.directory, &["pkey", "-in", &file, "-pubout"]);
        String::from_utf8(public).unwrap()
    }

    /// Signs `digest` of the repository with the key `name`, as cosign 2 does.
    pub fn sign(&self, path: &str, digest: &Digest, name: &str) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": path},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        let (file, key) = (format!("payload-{}", digest.hex()), format!("{name}.pem"));
        std::fs::write(self.directory.join(&file), &payload).unwrap();
        let signature = openssl(&self.directory, &["dgst", "-sha256", "-sign", &key, &file]);
        let layer = self.blob(path, &payload);
        let config = self.blob(path, b"{}");
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config, "size": 2,
            },
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": layer, "size": payload.len(),
                "annotations": {
                    "dev.cosignproject.cosign/signature": STANDARD.encode(signature),
                },
            }],
        });
        let manifest = self.blob(path, manifest.to_string().as_bytes());
        let hex = manifest.hex();
        self.link(
            path,
            &format!("_manifests/revisions/sha256/{hex}"),
            &manifest,
        );
        self.tag(path, &format!("sha256-{}.sig", digest.hex()), &manifest);
    }

    fn blob(&self, path: &str, bytes: &[u8]) -> Digest {
        let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
        let digest = Digest::sha256(hash.as_ref().try_into().unwrap());
        let hex = digest.hex();
        let blobs = self
            .registry
            .storage
            .join("docker/registry/v2/blobs/sha256");
        let to = blobs.join(&hex[..2]).join(hex);
        std::fs::create_dir_all(&to).unwrap();
        std::fs::write(to.join("data"), bytes).unwrap();
        self.link(path, &format!("_layers/sha256/{hex}"), &digest);
        digest
    }

    fn link(&self, path: &str, place: &str, digest: &Digest) {
        let repositories = self
            .registry
            .storage
            .join("docker/registry/v2/repositories");
        let to = repositories.join(path).join(place);
        std::fs::create_dir_all(&to).unwrap();
        std::fs::write(to.join("link"), digest.as_str()).unwrap();
    }
}

/// Pushes a version to the repository `url`, over plain HTTP unless there is an authority; `text` is what
/// its one script says. Returns the digest.
pub fn push(
    url: &str,
    credentials: Credentials,
    plugin: &str,
    version: &str,
    manifest: &str,
    text: &str,
) -> Digest {
    let script = format!("#!/bin/sh\n# {text}\nexec sleep 1000\n");
    let files = [("addon.yaml", manifest), ("scripts/start.sh", &script)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let remote = Remote {
        url: url.to_owned(),
        insecure: credentials.ca.is_none(),
        reference: Reference::default(),
        credentials,
        timeout: Duration::from_secs(20),
    };
    let artifact = Artifact {
        plugin,
        version: &version.parse().unwrap(),
        tree: &Tree::from_files(files).unwrap(),
        referrers: false,
    };
    // It blocks, as all of transport does.
    let push = || Artifacts::new().push(&remote, &artifact).unwrap();
    let pushed = std::thread::scope(|scope| scope.spawn(push).join().unwrap());
    pushed.revision.digest
}

/// What the condition Ready says.
pub fn said(source: &AddonSource) -> String {
    let said = crate::world::condition(source, READY);
    said.map(|(_, _, message)| message).unwrap_or_default()
}

/// Whether Ready is False for `reason` and says `text`.
pub fn says(source: &AddonSource, reason: &str, text: &str) -> bool {
    crate::world::is(source, READY, "False", reason) && said(source).contains(text)
}
