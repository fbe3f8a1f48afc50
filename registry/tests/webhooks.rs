//! Webhooks over real HTTP, to a registry on a real API server that looks at a real Git server: what
//! each forge sends wakes its source, and nothing else does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests, which clippy does not know as such

#[path = "../transport/tests/support/git_server.rs"]
#[allow(dead_code)]
mod git_server;
#[path = "support/world.rs"]
#[allow(dead_code)]
mod world;

use anyhow::{Context as _, Result, ensure};
use api::conditions::READY;
use kit::eventually;
use kube::api::{Patch, PatchParams};
use ring::hmac;
use serde_json::json;
use std::{ops::Deref, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use world::{SOON, World, addon};

/// How long nothing must happen to be believed; more than the second between two looks.
const SILENCE: Duration = Duration::from_millis(1600);
/// The body and the secret that GitHub documents, and the signature of both
/// (docs.github.com, "Validating webhook deliveries").
const GITHUB_BODY: &str = "Hello, World!";
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_SIGNATURE: &str =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// A world of its own, and what is sent to its webhooks.
struct Hooked(World);

impl Deref for Hooked {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

type Headers<'a> = &'a [(&'a str, &'a str)];

impl Hooked {
    async fn new() -> Result<Self> {
        let mut hooked = Self(World::idle().await?);
        let (metrics, webhooks) = hooked.0.hook().await?;
        // Nobody leads yet.
        let answer = hooked.post("none", &[], b"").await?;
        assert_eq!(answer.status, 503);
        assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
        hooked.0.run(metrics, webhooks).await?;
        Ok(hooked)
    }

    /// A source of the directory `name`, with a webhook of that kind whose token is `token`.
    async fn source(&self, name: &str, kind: Option<&str>, token: Option<&str>) -> Result<()> {
        if let Some(token) = token {
            self.secret(name, json!({"token": token})).await?;
        }
        let git = json!({
            "url": self.server.url("addons.git"), "insecure": true, "directories": [name],
        });
        let mut spec = json!({"interval": "1h", "git": git});
        if let Some(kind) = kind {
            spec["webhook"] = json!({"type": kind, "secretRef": {"name": name}});
        }
        self.create(name, spec).await?;
        Ok(())
    }

    /// Pushes a version of the addon `name`.
    fn push(&self, name: &str, version: &str) {
        addon(self, &format!("{name}/{version}"), name, version);
        self.repository.push();
    }

    async fn has(&self, addon: &str) -> Result<bool> {
        Ok(self.addons().get_opt(addon).await?.is_some())
    }

    async fn appears(&self, addon: &str) -> Result<()> {
        eventually(SOON, addon, async || {
            ensure!(self.has(addon).await?, "it is not there");
            Ok(())
        })
        .await
    }

    /// Waits until a source was looked at for the first time.
    async fn looked(&self, name: &str) -> Result<()> {
        eventually(SOON, "the first look", async || {
            let status = self.sources().get(name).await?.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|c| c.type_ == READY);
            ensure!(ready.is_some(), "no condition");
            Ok(())
        })
        .await
    }

    async fn post(&self, source: &str, headers: Headers<'_>, body: &[u8]) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.hooks).await?;
        let head = head(source, headers, body.len());
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body).await?;
        answer(stream).await
    }

    fn counted(&self, reason: &str) -> Result<u64> {
        let text = self.metrics()?;
        let reason = format!("reason=\"{reason}\"");
        let line = text.lines().find(|line| {
            line.starts_with("paamesh_webhook_requests_total{") && line.contains(&reason)
        });
        let value = line.and_then(|line| line.rsplit(' ').next());
        Ok(value.map_or(Ok(0), str::parse)?)
    }

    /// What the Git server was asked since the last call, after it fell silent.
    async fn requests(&self) -> Result<Vec<String>> {
        let mut seen = usize::MAX;
        while seen != self.server.requests_so_far() {
            seen = self.server.requests_so_far();
            tokio::time::sleep(SILENCE).await;
        }
        Ok(self.server.requests())
    }
}

fn head(source: &str, headers: Headers<'_>, length: usize) -> String {
    let mut head = format!("POST /hook/{source} HTTP/1.1\r\nHost: hooks\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {length}\r\n\r\n"));
    head
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// Without the date.
    head: String,
    body: String,
}

async fn answer(mut stream: TcpStream) -> Result<Answer> {
    let mut text = String::new();
    tokio::time::timeout(SOON, stream.read_to_string(&mut text)).await??;
    let (head, body) = text.split_once("\r\n\r\n").context(text.clone())?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    let head: Vec<_> = head.lines().filter(|l| !l.starts_with("date:")).collect();
    Ok(Answer {
        status,
        head: head.join("\n"),
        body: body.to_owned(),
    })
}

fn mac(algorithm: hmac::Algorithm, token: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(algorithm, token.as_bytes());
    hex::encode(hmac::sign(&key, body))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_forge_sends_wakes_its_source_and_nothing_else_does() -> Result<()> {
    let world = Hooked::new().await?;
    let body = br#"{"ref":"refs/heads/main","repository":{"name":"addons"}}"#;
    let sha256 = mac(hmac::HMAC_SHA256, "secret", body);
    let sha512 = mac(hmac::HMAC_SHA512, "secret", body);
    let (tagged, tagged512) = (format!("sha256={sha256}"), format!("sha512={sha512}"));
    let wrong = mac(hmac::HMAC_SHA256, "other", body);
    let wrongly = format!("sha256={wrong}");
    let kinds: [(&str, &str, Vec<&str>, Vec<&str>); 4] = [
        (
            "github",
            "X-Hub-Signature-256",
            vec![&tagged],
            vec![&wrongly, &sha256, &tagged512, ""],
        ),
        (
            "gitlab",
            "X-Gitlab-Token",
            vec!["secret"],
            vec!["other", ""],
        ),
        (
            "gitea",
            "X-Gitea-Signature",
            vec![&sha256],
            vec![&wrong, &tagged, ""],
        ),
        (
            "generic",
            "X-Signature",
            vec![&tagged, &tagged512],
            vec![&wrongly, &sha256, "sha1=00"],
        ),
    ];
    for (kind, ..) in &kinds {
        world.push(kind, "1.0.0");
        world.source(kind, Some(kind), Some("secret")).await?;
    }
    for (kind, ..) in &kinds {
        world.appears(&format!("{kind}-1.0.0")).await?;
        world.push(kind, "1.0.1");
    }
    world.source("unhooked", None, None).await?;
    world.source("unkeyed", Some("github"), None).await?;
    world.source("empty", Some("github"), Some("")).await?;
    for name in ["unhooked", "unkeyed", "empty"] {
        world.looked(name).await?;
    }
    world.requests().await?;

    // Nothing but the right signature in its own header is let in, and no refusal says why.
    let mut refusals = Vec::new();
    for (kind, header, right, refused) in &kinds {
        for value in refused {
            refusals.push(world.post(kind, &[(header, value)], body).await?);
        }
        refusals.push(world.post(kind, &[], body).await?);
        refusals.push(world.post(kind, &[("X-Other", right[0])], body).await?);
    }
    let signed = [("X-Hub-Signature-256", tagged.as_str())];
    for source in ["unhooked", "unkeyed", "empty", "nobody", "%2e%2e", "x%00"] {
        refusals.push(world.post(source, &signed, body).await?);
    }
    // Nobody's token opens no door either.
    let nobodys = format!("sha256={}", mac(hmac::HMAC_SHA256, "", body));
    refusals.push(
        world
            .post("empty", &[("X-Hub-Signature-256", &nobodys)], body)
            .await?,
    );
    for refusal in &refusals {
        assert_eq!(refusal.status, 401, "{refusal:?}");
        assert_eq!(refusal.head, refusals[0].head);
        assert_eq!(refusal.body, refusals[0].body);
    }
    assert_eq!(world.requests().await?, [""; 0]);
    assert_eq!(world.counted("NoWebhook")?, 1);
    assert_eq!(world.counted("NoToken")?, 3);
    assert_eq!(world.counted("NoSuchSource")?, 3);
    assert_eq!(world.counted("SignatureMissing")?, 8);

    // The right one brings what was pushed.
    for (kind, header, right, _) in &kinds {
        assert!(!world.has(&format!("{kind}-1.0.1")).await?, "{kind}");
        for value in right {
            let answer = world.post(kind, &[(header, value)], body).await?;
            assert_eq!(answer.status, 202, "{kind}: {answer:?}");
        }
        world.appears(&format!("{kind}-1.0.1")).await?;
    }
    world.0.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_one_fetch_and_a_replay_none() -> Result<()> {
    let world = Hooked::new().await?;
    world.push("github", "1.0.0");
    world
        .source("github", Some("github"), Some(GITHUB_SECRET))
        .await?;
    world.appears("github-1.0.0").await?;
    world.requests().await?;
    let signed = ("X-Hub-Signature-256", GITHUB_SIGNATURE);
    let body = GITHUB_BODY.as_bytes();
    let pushed = [signed, ("X-GitHub-Event", "push")];

    // What a look costs that finds something, and one that finds nothing.
    world.push("github", "1.0.1");
    world.server.requests();
    let first = [
        signed,
        pushed[1],
        ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
    ];
    assert_eq!(world.post("github", &first, body).await?.status, 202);
    world.appears("github-1.0.1").await?;
    let fetch = world.requests().await?;
    assert_eq!(world.post("github", &pushed, body).await?.status, 202);
    let look = world.requests().await?;
    assert!(
        !look.is_empty() && look.len() < fetch.len(),
        "{look:?} {fetch:?}"
    );

    // The same delivery again, and a ping, cost nothing.
    let again = world.post("github", &first, body).await?;
    assert_eq!((again.status, world.counted("Replayed")?), (200, 1));
    let ping = [signed, ("X-GitHub-Event", "ping")];
    let pong = world.post("github", &ping, body).await?;
    assert_eq!((pong.status, pong.body.as_str()), (200, "pong\n"));
    assert_eq!(world.requests().await?, [""; 0]);

    // A flood: one fetch, and looks that find nothing at most once a second.
    world.push("github", "1.0.2");
    world.server.requests();
    let begun = std::time::Instant::now();
    for _ in 0..10 {
        let posts = (0..50).map(|_| world.post("github", &pushed, body));
        for answer in futures::future::join_all(posts).await {
            assert_eq!(answer?.status, 202);
        }
    }
    let seconds = usize::try_from(begun.elapsed().as_secs())? + 1;
    world.appears("github-1.0.2").await?;
    let asked = world.requests().await?;
    let most = fetch.len() + seconds * look.len();
    assert!(asked.len() <= most, "{} of {most}: {asked:?}", asked.len());
    let packs = |requests: &[String]| requests.iter().filter(|r| r.starts_with("POST")).count();
    assert_eq!(packs(&asked), packs(&fetch), "{asked:?}");
    assert!(world.counted("Coalesced")? >= 400);

    // A push that comes while the source is being looked at is not lost: the look after it sees it.
    world.push("github", "1.0.3");
    assert_eq!(world.post("github", &pushed, body).await?.status, 202);
    world.push("github", "1.0.4");
    assert_eq!(world.post("github", &pushed, body).await?.status, 202);
    world.appears("github-1.0.4").await?;

    // A suspended source says so to who may know it, and is left alone.
    let suspend = json!({"spec": {"suspend": true}});
    world
        .sources()
        .patch("github", &PatchParams::default(), &Patch::Merge(suspend))
        .await?;
    eventually(SOON, "the suspension", async || {
        let answer = world.post("github", &pushed, body).await?;
        ensure!(
            answer.status == 202 && answer.body.contains("suspended"),
            "{answer:?}"
        );
        Ok(())
    })
    .await?;
    world.requests().await?;
    world.post("github", &pushed, body).await?;
    assert_eq!(world.requests().await?, [""; 0]);
    assert_eq!(world.post("github", &pushed[1..], body).await?.status, 401);
    world.0.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_times_and_refusals_are_bounded() -> Result<()> {
    let world = Hooked::new().await?;
    world.push("gitlab", "1.0.0");
    world
        .source("gitlab", Some("gitlab"), Some("secret"))
        .await?;
    world.appears("gitlab-1.0.0").await?;
    let oci = json!({
        "interval": "1h", "oci": {"url": "oci://127.0.0.1:1/addons/redis", "insecure": true},
        "webhook": {"type": "oci", "secretRef": {"name": "gitlab"}},
    });
    world.create("redis", oci).await?;
    world.looked("redis").await?;

    // Bodies, announced and streamed, of those who know the token and of those who do not.
    let token = ("X-Gitlab-Token", "secret");
    let announced = head("gitlab", &[token], 1024 * 1024 + 1);
    for head in [announced.as_str(), &announced.replace("secret", "other")] {
        let mut stream = TcpStream::connect(world.hooks).await?;
        stream.write_all(head.as_bytes()).await?;
        assert_eq!(answer(stream).await?.status, 413);
    }
    // Who sends it all at once gets the answer, not a broken connection.
    let twice = vec![b'x'; 2 * 1024 * 1024];
    assert_eq!(world.post("gitlab", &[token], &twice).await?.status, 413);
    let chunked = "POST /hook/gitlab HTTP/1.1\r\nHost: h\r\nX-Gitlab-Token: secret\r\n\
                   Transfer-Encoding: chunked\r\n\r\n";
    let (mut from, mut to) = TcpStream::connect(world.hooks).await?.into_split();
    to.write_all(chunked.as_bytes()).await?;
    let sending = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        // It stops taking them after the 17th.
        for _ in 0..1000 {
            if to.write_all(chunk.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let mut status = [0; 12];
    tokio::time::timeout(SOON, from.read_exact(&mut status)).await??;
    assert_eq!(&status, b"HTTP/1.1 413");
    sending.abort();
    let largest = vec![b'x'; 1024 * 1024];
    assert_eq!(world.post("gitlab", &[token], &largest).await?.status, 202);

    // Headers and bodies that never end.
    let mut body = TcpStream::connect(world.hooks).await?;
    body.write_all(head("gitlab", &[token], 10).as_bytes())
        .await?;
    let mut headers = TcpStream::connect(world.hooks).await?;
    headers.write_all(b"POST /hook/gitlab HTTP/1.1\r\n").await?;
    assert_eq!(answer(body).await?.status, 408);
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, headers.read_to_end(&mut rest)).await??;

    // Notifications of an OCI registry: only changes of the source's own repository are for it.
    let envelope = |action: &str, repository: &str| {
        let target = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 708,
            "digest": "sha256:fea8895f450959fa676bcc1df0611ea93823a735a01205fd8622846041d0c7cf",
            "repository": repository, "tag": "1.0.0",
            "url": format!("http://127.0.0.1:1/v2/{repository}/manifests/sha256:fea8895f"),
        });
        json!({"events": [{
            "id": "asdf-asdf-asdf-asdf-0", "timestamp": "2006-01-02T15:04:05Z", "action": action,
            "target": target, "request": {"host": "127.0.0.1:1", "method": "PUT"},
        }]})
        .to_string()
    };
    let bearer = [("Authorization", "Bearer secret")];
    let push = envelope("push", "addons/redis");
    for (headers, body, status, reason) in [
        (&bearer[..], push.as_str(), 202, "Look"),
        (
            &bearer,
            &envelope("pull", "addons/redis"),
            200,
            "OtherRepository",
        ),
        (
            &bearer,
            &envelope("push", "addons/other"),
            200,
            "OtherRepository",
        ),
        (&bearer, "{}", 400, "Malformed"),
        (&[], &push, 401, "SignatureMissing"),
        (
            &[("Authorization", "Bearer other")],
            &push,
            401,
            "SignatureWrong",
        ),
    ] {
        let before = world.counted(reason)?;
        let answer = world.post("redis", headers, body.as_bytes()).await?;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(world.counted(reason)?, before + 1, "{reason}");
    }

    // Refusals are bounded in all; who knows the token gets in meanwhile.
    let wrong = [("X-Gitlab-Token", "other")];
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let posts = (0..50).map(|_| world.post("gitlab", &wrong, b"{}"));
        for answer in futures::future::join_all(posts).await {
            statuses.push(answer?.status);
        }
    }
    assert!(statuses.contains(&429) && statuses.iter().all(|s| [401, 429].contains(s)));
    let genuine = world.post("gitlab", &[token], b"{}").await?;
    assert_eq!(genuine.status, 202);
    world.0.end().await
}
