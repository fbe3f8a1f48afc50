//! Commits and tags that must be signed, by OpenPGP and by SSH: made by the real git, gpg and ssh-keygen.

use crate::{
    git_server::Repository,
    gpg::Gpg,
    ssh_server::keygen,
    stage::says,
    world::{World, is, manifest, ready},
};
use anyhow::Result;
use api::{
    conditions::{SOURCE_VERIFIED, VERSIONS_UNCHANGED},
    labels,
};
use futures::future::try_join;
use kube::{
    ResourceExt as _,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

#[derive(Clone, Copy)]
enum Kind {
    OpenPgp,
    Ssh,
}

/// Somebody with a key.
struct Author {
    /// What git is told, so that it signs with the key.
    signs: Vec<String>,
    public: String,
    /// As it stands in provenance and in refusals.
    fingerprint: String,
}

/// Where authors keep their keys.
struct Keyring {
    gpg: Gpg,
    directory: PathBuf,
}

impl Keyring {
    fn new(world: &World) -> Result<Self> {
        let directory = world.directory.path().join("keys");
        std::fs::create_dir(&directory)?;
        let gpg = Gpg::new(&directory);
        let (program, home) = (directory.join("sign"), gpg.home.display());
        let text = format!(
            "#!/bin/sh\nexec gpg --homedir {home} --batch --pinentry-mode loopback --passphrase '' \"$@\"\n"
        );
        std::fs::write(&program, text)?;
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700))?;
        Ok(Self { gpg, directory })
    }

    fn author(&self, kind: Kind, name: &str) -> Result<Author> {
        let (format, key, public, fingerprint) = match kind {
            Kind::OpenPgp => {
                let mail = format!("{name}@example.com");
                self.gpg.generate(&mail, "ed25519", "never");
                let print = self.gpg.fingerprint(&mail);
                ("openpgp", print.clone(), self.gpg.export(&mail), print)
            }
            Kind::Ssh => {
                let path = self.directory.join(name);
                keygen(&path, "ed25519", "");
                let print = Command::new("ssh-keygen").arg("-lf").arg(&path).output()?;
                let print = String::from_utf8(print.stdout)?;
                let print = print.split_whitespace().nth(1).unwrap().to_owned();
                let public = std::fs::read_to_string(path.with_extension("pub"))?;
                ("ssh", path.display().to_string(), public, print)
            }
        };
        let program = self.directory.join("sign");
        let settings = [
            format!("gpg.format={format}"),
            format!("gpg.openpgp.program={}", program.display()),
            format!("user.signingkey={key}"),
        ];
        let signs = settings.into_iter().flat_map(|one| ["-c".to_owned(), one]);
        Ok(Author {
            signs: signs.collect(),
            public,
            fingerprint,
        })
    }
}

/// A repository with one addon, and the source that demands signatures in it; all have one name.
struct Stage<'a> {
    world: &'a World,
    repository: Repository,
    name: &'static str,
}

impl<'a> Stage<'a> {
    fn new(world: &'a World, name: &'static str) -> Self {
        let repository = Repository::create(world.directory.path(), &format!("{name}.git"));
        Self {
            world,
            repository,
            name,
        }
    }

    /// Makes the source, and the Secret with the keys of `trusted`.
    async fn demand(&self, mode: &str, reference: &Value, trusted: &[&Author]) -> Result<()> {
        self.trust(trusted).await?;
        let url = self.world.server.url(&format!("{}.git", self.name));
        let verify = json!({"mode": mode, "secretRef": {"name": self.name}});
        let git = json!({"url": url, "insecure": true, "ref": reference, "verify": verify});
        let spec = json!({"interval": "1h", "git": git});
        self.world.create(self.name, spec).await?;
        Ok(())
    }

    async fn trust(&self, trusted: &[&Author]) -> Result<()> {
        let keys = trusted.iter().enumerate();
        let keys = keys.map(|(n, author)| (format!("author-{n}"), json!(author.public)));
        let keys = Value::Object(keys.collect());
        self.world.secret(self.name, keys).await
    }

    fn write(&self, version: &str, text: &str) {
        let script = format!("#!/bin/sh\n# {text}\nexec sleep 1000\n");
        self.repository
            .write("addon.yaml", &manifest(self.name, version));
        self.repository.write("scripts/start.sh", &script);
    }

    /// Commits everything, in place of the last commit where `again`; the hash.
    fn commit(&self, by: Option<&Author>, again: bool) -> String {
        self.repository.git(&["add", "--all"]);
        let signs = by.iter().flat_map(|author| &author.signs);
        let mut words: Vec<&str> = signs.map(String::as_str).collect();
        words.extend(["commit", "--quiet", "--allow-empty", "--message", "change"]);
        words.extend(by.map(|_| "-S"));
        words.extend(again.then_some("--amend"));
        self.repository.git(&words);
        self.repository.head()
    }

    /// Tags the commit, with a note where `how` has words, signed where there is an author.
    fn tag(&self, tag: &str, how: &[&str], by: Option<&Author>) {
        let signs = by.iter().flat_map(|author| &author.signs);
        let mut words: Vec<&str> = signs.map(String::as_str).collect();
        words.extend(["tag", "--force"]);
        words.extend(how);
        words.push(tag);
        self.repository.git(&words);
        self.push();
    }

    fn push(&self) {
        let push = [
            "push",
            "--quiet",
            "--force",
            "origin",
            "HEAD:main",
            "--tags",
        ];
        self.repository.git(&push);
    }

    /// Looks, and waits until it is refused with `text`.
    async fn refused(&self, text: &str) -> Result<()> {
        let failed = "VerificationFailed";
        let refused = |source: &api::AddonSource| {
            is(source, SOURCE_VERIFIED, "False", failed) && says(source, failed, text)
        };
        self.world.look_at(self.name, refused).await?;
        Ok(())
    }

    /// Looks, publishes `version`, and checks that `by` is who vouches for it.
    async fn published(&self, version: &str, by: &Author) -> Result<()> {
        self.world.ask_for(self.name).await?;
        let name = format!("{}-{version}", self.name);
        let addon = self.world.addon(&name).await?;
        let provenance: Value = serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
        assert_eq!(provenance["signer"], json!({"key": by.fingerprint}));
        self.world.publish(&name).await?;
        let verified = |source: &api::AddonSource| {
            ready(source) && is(source, SOURCE_VERIFIED, "True", "Verified")
        };
        self.world.seen_of(self.name, verified).await?;
        Ok(())
    }

    async fn is_unknown(&self, version: &str) -> Result<()> {
        let name = format!("{}-{version}", self.name);
        assert_eq!(self.world.addons().get_opt(&name).await?, None, "{name}");
        Ok(())
    }
}

const SIGNED: &[&str] = &["--sign", "--message", "a version"];
const NOTED: &[&str] = &["--annotate", "--message", "a version"];

#[tokio::test(flavor = "multi_thread")]
async fn only_commits_that_a_trusted_key_signed_are_read() -> Result<()> {
    let world = World::shared("commits").await?;
    let keys = Keyring::new(&world)?;
    try_join(
        commits(&world, &keys, Kind::OpenPgp, "commits-pgp"),
        commits(&world, &keys, Kind::Ssh, "commits-ssh"),
    )
    .await?;
    Ok(())
}

async fn commits(world: &World, keys: &Keyring, kind: Kind, name: &'static str) -> Result<()> {
    let (ann, eve) = (keys.author(kind, "ann")?, keys.author(kind, "eve")?);
    let stage = Stage::new(world, name);
    stage.write("1.0.0", "a");
    let signed = stage.commit(Some(&ann), false);
    stage.push();
    stage.demand("HEAD", &json!({}), &[]).await?;
    let none = "none of the keys that are wanted is there; want armored OpenPGP";
    world
        .seen_of(name, |s| says(s, "FetchFailed", none))
        .await?;
    stage.trust(&[&ann]).await?;
    stage.published("1.0.0", &ann).await?;
    let addon = world.addon(&format!("{name}-1.0.0")).await?;
    let provenance: Value = serde_json::from_str(&addon.annotations()[labels::PROVENANCE])?;
    assert_eq!(provenance["revision"], format!("main@sha1:{signed}"));

    stage.write("1.1.0", "a");
    let unsigned = stage.commit(None, false);
    stage.push();
    stage
        .refused(&format!("commit {unsigned} is not signed"))
        .await?;
    stage.write("1.2.0", "a");
    let by_eve = stage.commit(Some(&eve), false);
    stage.push();
    let print = &eve.fingerprint;
    let not_trusted = format!("commit {by_eve} is signed by {print}, which is not trusted");
    stage.refused(&not_trusted).await?;
    stage.is_unknown("1.1.0").await?;
    stage.is_unknown("1.2.0").await?;

    // The same revision, and now she is trusted too; and then she is no more.
    stage.trust(&[&ann, &eve]).await?;
    stage.published("1.2.0", &eve).await?;
    stage.trust(&[&ann]).await?;
    stage.refused(&not_trusted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_tags_that_a_trusted_key_signed_are_read() -> Result<()> {
    let world = World::shared("tags").await?;
    let keys = Keyring::new(&world)?;
    try_join(
        tags(&world, &keys, Kind::OpenPgp, "tags-pgp"),
        tags(&world, &keys, Kind::Ssh, "tags-ssh"),
    )
    .await?;
    Ok(())
}

async fn tags(world: &World, keys: &Keyring, kind: Kind, name: &'static str) -> Result<()> {
    let (ann, eve) = (keys.author(kind, "ann")?, keys.author(kind, "eve")?);
    let stage = Stage::new(world, name);
    stage.write("1.0.0", "a");
    stage.commit(None, false);
    stage.tag("v1.0.0", SIGNED, Some(&ann));
    let range = json!({"semver": "1.x"});
    stage.demand("Tag", &range, &[&ann]).await?;
    stage.published("1.0.0", &ann).await?;

    stage.write("1.1.0", "a");
    stage.commit(Some(&ann), false);
    stage.tag("v1.1.0", &[], None);
    stage
        .refused("has no signed tag: the tag is a lightweight one, which cannot be signed")
        .await?;
    stage.tag("v1.1.0", NOTED, None);
    stage.refused("tag v1.1.0 is not signed").await?;
    stage.tag("v1.1.0", SIGNED, Some(&eve));
    let print = &eve.fingerprint;
    stage
        .refused(&format!(
            "tag v1.1.0 is signed by {print}, which is not trusted"
        ))
        .await?;
    // As somebody does who can push and not sign: the old version as the new one.
    let moved = ["update-ref", "refs/tags/v1.1.0", "refs/tags/v1.0.0"];
    stage.repository.git(&moved);
    stage.push();
    stage
        .refused("tag v1.1.0: what is signed is `v1.0.0 of ")
        .await?;
    stage.is_unknown("1.1.0").await?;
    stage.tag("v1.1.0", SIGNED, Some(&ann));
    stage.published("1.1.0", &ann).await?;

    // A good signature is no leave to change a version: the tag is moved to other bytes.
    stage.write("1.1.0", "b");
    stage.commit(Some(&ann), false);
    stage.tag("v1.1.0", SIGNED, Some(&ann));
    let source = world
        .look_at(name, |s| says(s, "VersionChanged", "scripts/start.sh"))
        .await?;
    assert!(is(&source, SOURCE_VERIFIED, "True", "Verified"));
    assert!(is(&source, VERSIONS_UNCHANGED, "False", "VersionChanged"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_and_commit_are_signed_each_where_both_are_demanded() -> Result<()> {
    let world = World::shared("both").await?;
    let keys = Keyring::new(&world)?;
    let (ann, bob) = (
        keys.author(Kind::OpenPgp, "ann")?,
        keys.author(Kind::Ssh, "bob")?,
    );
    let eve = keys.author(Kind::OpenPgp, "eve")?;
    let by_eve = format!("is signed by {}, which is not trusted", eve.fingerprint);
    let stage = Stage::new(&world, "both");
    stage.write("1.0.0", "a");
    let commit = stage.commit(None, false);
    stage.tag("v1.0.0", SIGNED, Some(&bob));
    let tag = json!({"tag": "v1.0.0"});
    stage.demand("TagAndHEAD", &tag, &[&ann, &bob]).await?;
    stage
        .refused(&format!("commit {commit} is not signed"))
        .await?;
    let commit = stage.commit(Some(&eve), true);
    stage.tag("v1.0.0", SIGNED, Some(&bob));
    stage.refused(&format!("commit {commit} {by_eve}")).await?;
    stage.commit(Some(&ann), true);
    stage.tag("v1.0.0", NOTED, None);
    stage.refused("tag v1.0.0 is not signed").await?;
    stage.tag("v1.0.0", SIGNED, Some(&eve));
    stage.refused(&format!("tag v1.0.0 {by_eve}")).await?;
    stage.is_unknown("1.0.0").await?;
    stage.tag("v1.0.0", SIGNED, Some(&bob));
    stage.published("1.0.0", &bob).await?;

    // A branch has no tag.
    let branch = json!({"spec": {"git": {"ref": {"tag": null, "branch": "main"}}}});
    let sources = world.sources();
    let params = PatchParams::default();
    sources
        .patch("both", &params, &Patch::Merge(branch))
        .await?;
    stage
        .refused("has no signed tag: what was asked for is no tag")
        .await
}
