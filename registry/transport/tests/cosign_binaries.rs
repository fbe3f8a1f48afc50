//! The real cosign, versions 2 and 3: it verifies what we sign, and we verify what it signs, by key and
//! by the identity that a real Fulcio and a real timestamp authority vouch for. In `make test-long`
//! alone, because building the programs takes minutes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "support/http_server.rs"]
#[allow(dead_code)]
mod http_server;
#[path = "support/registries.rs"]
#[allow(dead_code)]
mod registries;

use api::{Digest, provenance::Signer};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_server::{HttpServer, Response};
use package::Tree;
use registries::{Demands, Registry, Service, free_port, openssl, tool};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use transport::{
    Credentials,
    cosign::{Format, Identity, Keys, PrivateKey, Refusal, Trust, TrustRoot, Verified},
    oci::{Artifact, Artifacts, Reference, Remote},
};

/// What cosign is told in each version, so that it asks nobody but the registry.
const OFFLINE: &str = "--insecure-ignore-tlog=true --allow-http-registry";

/// Every kind of key.
const KINDS: [(&str, &str); 4] = [
    ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
    ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
    ("ed25519", "-algorithm ED25519"),
    ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
];

/// A registry, and a directory for keys.
struct World {
    directory: tempfile::TempDir,
    registry: Registry,
    artifacts: Artifacts,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::distribution(directory.path(), &Demands::default());
        Self {
            directory,
            registry,
            artifacts: Artifacts::new(),
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn remote(&self, repository: &str) -> Remote {
        Remote {
            url: self.registry.url(repository),
            insecure: true,
            reference: Reference::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Pushes an artifact to `repository`; its digest, and its name as cosign takes it.
    fn push(&self, repository: &str) -> (Digest, String) {
        let tree =
            Tree::from_files(vec![("addon.yaml".to_owned(), b"an addon\n".to_vec())]).unwrap();
        let artifact = Artifact {
            plugin: "addon",
            version: &"1.0.0".parse().unwrap(),
            tree: &tree,
            referrers: false,
        };
        let pushed = self.artifacts.push(&self.remote(repository), &artifact);
        let digest = pushed.unwrap().revision.digest;
        let name = format!("127.0.0.1:{}/{repository}@{digest}", self.registry.port);
        (digest, name)
    }

    /// Makes `NAME.pem` and `NAME.pub`.
    fn key(&self, name: &str, kind: &str) {
        let file = format!("{name}.pem");
        let arguments: Vec<&str> = ["genpkey"].into_iter().chain(kind.split(' ')).collect();
        openssl(self.path(), &[&arguments[..], &["-out", &file]].concat());
        let public = format!("{name}.pub");
        openssl(
            self.path(),
            &["pkey", "-in", &file, "-pubout", "-out", &public],
        );
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs cosign of that version; what it printed where it failed.
    fn cosign(&self, version: u8, line: &str) -> Result<(), String> {
        let output = Command::new(tool(&format!("cosign{version}")))
            .current_dir(self.path())
            .args(line.split_whitespace())
            .env("HOME", self.path())
            .env("COSIGN_PASSWORD", "")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        output.status.success().then_some(()).ok_or(said)
    }

    fn verify(
        &self,
        repository: &str,
        digest: &Digest,
        trust: &Trust,
    ) -> Result<Verified, Refusal> {
        self.artifacts
            .verify(&self.remote(repository), digest, trust)
    }
}

#[test]
fn cosign_verifies_what_we_sign() {
    let world = World::new();
    world.key("other", KINDS[0].1);
    for (name, kind) in KINDS {
        world.key(name, kind);
        let key = PrivateKey::parse(&world.read(&format!("{name}.pem")), "").unwrap();
        // cosign 2 wants a trust root where there is a bundle, even to verify with a key.
        for (format, versions) in [(Format::Tag, &[2, 3][..]), (Format::Bundle, &[3])] {
            let repository = format!("ours/{name}-{}", versions.len());
            let (digest, image) = world.push(&repository);
            let remote = world.remote(&repository);
            world
                .artifacts
                .sign(&remote, &digest, &key, &[format])
                .unwrap();
            for version in versions {
                let verify = |key: &str| {
                    let line = format!("verify --key {key}.pub {OFFLINE} {image}");
                    world.cosign(*version, &line)
                };
                let verified = verify(name);
                assert_eq!(verified, Ok(()), "{name} {format:?} by cosign {version}");
                assert!(
                    verify("other").is_err(),
                    "{name} {format:?} by cosign {version}"
                );
            }
        }
    }
}

#[test]
fn we_verify_what_cosign_signs() {
    let world = World::new();
    world
        .cosign(3, "signing-config create --out signing.json")
        .unwrap();
    for (name, kind) in KINDS {
        world.key(name, kind);
        let import =
            format!("import-key-pair --key {name}.pem --output-key-prefix imported-{name}");
        world.cosign(2, &import).unwrap();
        let trust = Trust::from(Keys::parse(&world.read(&format!("{name}.pub"))).unwrap());
        for (version, how, format) in [
            (2, "--tlog-upload=false", Format::Tag),
            (3, "--signing-config signing.json", Format::Bundle),
        ] {
            let repository = format!("theirs/{name}-{version}");
            let (digest, image) = world.push(&repository);
            let refused = world.verify(&repository, &digest, &trust);
            assert!(
                matches!(refused, Err(Refusal::Missing { .. })),
                "{refused:?}"
            );
            let sign =
                format!("sign --yes --key imported-{name}.key {how} --allow-http-registry {image}");
            world.cosign(version, &sign).unwrap();
            let verified = world.verify(&repository, &digest, &trust).unwrap();
            assert_eq!(verified.format, format, "{name}");
        }
        // And the key as cosign keeps it signs here.
        let sealed = PrivateKey::parse(&world.read(&format!("imported-{name}.key")), "").unwrap();
        assert_eq!(sealed.public_pem(), world.read(&format!("{name}.pub")));
    }
}

/// The tool `name` in `directory` with the words of `line`, once it answers at `port`.
fn service(name: &str, directory: &Path, line: &str, port: u16) -> Service {
    let mut command = Command::new(tool(name));
    let command = command.current_dir(directory).args(line.split_whitespace());
    Service::start(command, port)
}

/// Sigstore of our own: an issuer of identities, Fulcio, a timestamp authority, their trust root.
struct Sigstore {
    issuer: HttpServer,
    directory: PathBuf,
    _services: [Service; 2],
}

impl Sigstore {
    fn start(world: &World) -> Self {
        let directory = world.path().to_owned();
        let issuer = issuer(&directory);
        authorities(&directory);
        let (fulcio, clock) = (free_port(), free_port());
        let url = format!("http://127.0.0.1:{}", issuer.port);
        let config = format!(
            "oidc-issuers:\n  {url}:\n    issuer-url: {url}\n    client-id: sigstore\n    type: email\n"
        );
        std::fs::write(directory.join("fulcio.yaml"), config).unwrap();
        let line = format!(
            "serve --ca fileca --fileca-cert fulcio.pem --fileca-key fulcio.key --fileca-key-passwd x \
             --fileca-watch=false --ct-log-url= --config-path fulcio.yaml --host 127.0.0.1 --port {fulcio} \
             --grpc-host 127.0.0.1 --grpc-port {} --metrics-port {} --legacy-unix-domain-socket @f{fulcio}",
            free_port(),
            free_port()
        );
        let services = [
            service("fulcio", &directory, &line, fulcio),
            service(
                "timestamp-server",
                &directory,
                &format!(
                    "serve --host 127.0.0.1 --port {clock} --timestamp-signer file --file-signer-key-path \
                     clock.key --certificate-chain-path clock.pem --disable-ntp-monitoring"
                ),
                clock,
            ),
        ];
        let (fulcio, clock) = (
            format!("http://127.0.0.1:{fulcio}"),
            format!("http://127.0.0.1:{clock}/api/v1/timestamp"),
        );
        let long_ago = "start-time=2020-01-01T00:00:00Z";
        for line in [
            format!(
                "trusted-root create --fulcio=url={fulcio},certificate-chain=fulcio.pem,{long_ago} \
                 --tsa=url={clock},certificate-chain=clock.pem,{long_ago} --out trusted_root.json"
            ),
            format!(
                "signing-config create --fulcio=url={fulcio},api-version=1,{long_ago},operator=test \
                 --oidc-provider=url={url},api-version=1,{long_ago},operator=test \
                 --tsa=url={clock},api-version=1,{long_ago},operator=test --tsa-config=EXACT:1 \
                 --out signing.json"
            ),
        ] {
            world.cosign(3, &line).unwrap();
        }
        std::fs::write(directory.join("urls"), format!("{fulcio} {clock}")).unwrap();
        Self {
            issuer,
            directory,
            _services: services,
        }
    }

    /// What says to Fulcio that we are `mail`.
    fn token(&self, mail: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let claims = format!(
            r#"{{"iss":"http://127.0.0.1:{}","sub":"{mail}","aud":"sigstore","email":"{mail}","email_verified":true,"iat":{now},"exp":{}}}"#,
            self.issuer.port,
            now + 300
        );
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT","kid":"1"}"#);
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        std::fs::write(self.directory.join("jwt"), &signed).unwrap();
        let signature = openssl(
            &self.directory,
            &["dgst", "-sha256", "-sign", "issuer.key", "jwt"],
        );
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// An issuer of OpenID Connect, as far as Fulcio asks it: who it is, and by which key.
fn issuer(directory: &Path) -> HttpServer {
    openssl(directory, &["genrsa", "-out", "issuer.key", "2048"]);
    let modulus = openssl(
        directory,
        &["rsa", "-in", "issuer.key", "-noout", "-modulus"],
    );
    let modulus = String::from_utf8(modulus).unwrap();
    let hex = modulus.trim().trim_start_matches("Modulus=").as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = hex.chunks(2).map(byte).collect();
    let keys = format!(
        r#"{{"keys":[{{"kty":"RSA","alg":"RS256","use":"sig","kid":"1","n":"{}","e":"AQAB"}}]}}"#,
        URL_SAFE_NO_PAD.encode(bytes)
    );
    HttpServer::start(move |request| {
        let own = request.headers.get("host").cloned().unwrap_or_default();
        let body = match request.target.as_str() {
            "/keys" => keys.clone(),
            "/.well-known/openid-configuration" => format!(
                r#"{{"issuer":"http://{own}","jwks_uri":"http://{own}/keys","authorization_endpoint":"http://{own}/auth","token_endpoint":"http://{own}/token","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}}"#
            ),
            _ => return Response::new(404, ""),
        };
        Response::new(200, body).header("Content-Type", "application/json")
    })
}

/// `fulcio.pem` and `fulcio.key`, `clock.pem` and `clock.key`: each with the chain up to its root.
fn authorities(directory: &Path) {
    let run = |script: &str| {
        let output = Command::new("sh")
            .args(["-euc", script])
            .current_dir(directory)
            .output();
        let output = output.unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {error}");
    };
    let made = |name: &str, extensions: &str| {
        std::fs::write(directory.join("extensions"), extensions).unwrap();
        run(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout {name}-root.key \
               -out {name}-root.crt -days 2 -subj '/O=test/CN={name} root' \
               -addext keyUsage=critical,keyCertSign,cRLSign
             openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.plain -out {name}.csr \
               -subj '/O=test/CN={name}'
             openssl x509 -req -in {name}.csr -CA {name}-root.crt -CAkey {name}-root.key -CAcreateserial \
               -days 2 -extfile extensions -out {name}.crt
             cat {name}.crt {name}-root.crt >{name}.pem"
        ));
    };
    made(
        "fulcio",
        "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
         extendedKeyUsage=codeSigning\n",
    );
    run("openssl ec -in fulcio.plain -aes256 -passout pass:x -out fulcio.key");
    made(
        "clock",
        "basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
    );
    run("cp clock.plain clock.key");
}

#[test]
fn we_verify_the_identity_that_a_real_fulcio_vouches_for() {
    let world = World::new();
    let sigstore = Sigstore::start(&world);
    let urls = world.read("urls");
    let (fulcio, clock) = urls.split_once(' ').unwrap();
    let issuer = format!("http://127.0.0.1:{}", sigstore.issuer.port);
    let trust = |subject: &str| Trust {
        keys: None,
        identities: vec![Identity::exactly(&issuer, subject).unwrap()],
        root: Some(TrustRoot::parse(&world.read("trusted_root.json")).unwrap()),
    };
    for (version, how, format) in [
        (
            2,
            format!(
                "--fulcio-url {fulcio} --timestamp-server-url {clock} --tlog-upload=false \
                 --insecure-skip-verify"
            ),
            Format::Tag,
        ),
        (
            3,
            "--signing-config signing.json --trusted-root trusted_root.json".to_owned(),
            Format::Bundle,
        ),
    ] {
        let repository = format!("keyless/{version}");
        let (digest, image) = world.push(&repository);
        let token = sigstore.token("ann@example.com");
        let sign =
            format!("sign --yes --identity-token {token} {how} --allow-http-registry {image}");
        world.cosign(version, &sign).unwrap();
        let verified = world
            .verify(&repository, &digest, &trust("ann@example.com"))
            .unwrap();
        let ann = Signer::Identity {
            issuer: issuer.clone(),
            subject: "ann@example.com".to_owned(),
        };
        assert_eq!(
            verified,
            Verified {
                signer: ann,
                format
            }
        );
        let refused = world.verify(&repository, &digest, &trust("bob@example.com"));
        assert!(
            matches!(refused, Err(Refusal::WrongIdentity { .. })),
            "{refused:?}"
        );
    }
}
