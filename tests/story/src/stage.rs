//! What every step has at hand: the cluster, the repository, a voice, and how to wait.

use crate::{Options, cluster, look, repository::Repository, voice::Voice};
use anyhow::{Context, Result, anyhow, ensure};
use kit::{AuditLog, Kubectl};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Where people put their Apps in the story.
pub const NAMESPACE: &str = "default";
/// Where the platform runs.
pub const PLATFORM: &str = "paamesh-system";
/// Everything of an App that the platform makes, for `kubectl get`.
const OWNED: &str = "mwc,mwg,pods,services,configmaps,persistentvolumeclaims,serviceaccounts,\
    roles,rolebindings,leases";
const INTERVAL: Duration = Duration::from_millis(150);

/// The stage that the story is played on.
#[derive(Debug)]
pub struct Stage {
    /// How it speaks.
    pub voice: Voice,
    /// What it is played with.
    pub options: Options,
    /// `kubectl` for the cluster.
    pub kubectl: Kubectl,
    /// The person's clone.
    pub repository: Repository,
    /// When the story began.
    pub began: Instant,
    /// What is worth a line at the end: what, and how long it took.
    pub measured: Vec<(String, Duration)>,
    /// Whether watches are to be long.
    pub long: bool,
    /// Where a person pushes to, once the Git server is up.
    pub git_url: String,
}

impl Stage {
    /// An empty stage; nothing is started.
    pub fn new(options: Options) -> Result<Self> {
        Ok(Self {
            voice: Voice::new(),
            kubectl: Kubectl::new(cluster::state(&options.cluster).join("kubeconfig"))?,
            options,
            repository: Repository::new()?,
            began: Instant::now(),
            measured: Vec::new(),
            long: false,
            git_url: String::new(),
        })
    }

    /// The cluster's audit log.
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(cluster::state(&self.options.cluster).join("audit.log"))
    }

    /// A directory of the checkout.
    pub fn checkout(&self, path: &str) -> PathBuf {
        kit::root().join(path)
    }

    /// What was seen.
    pub fn say(&self, text: impl AsRef<str>) {
        self.voice.say(text.as_ref());
    }

    /// Runs `kubectl`, shows command and output, and returns the output.
    pub fn show(&self, args: &[&str]) -> Result<String> {
        let root = format!("{}/", kit::root().display());
        let typed = args.iter().map(|word| match word.strip_prefix(&root) {
            Some(path) => path.to_owned(),
            None if word.contains('"') => format!("'{word}'"),
            None => (*word).to_owned(),
        });
        let typed: Vec<String> = typed.collect();
        let typed = typed.join(" ");
        // A person's kubectl is in the namespace of the story.
        let typed = typed
            .strip_prefix(&format!("-n {NAMESPACE} "))
            .unwrap_or(&typed);
        self.voice.command(&format!("kubectl {typed}"));
        let output = self.kubectl.run(args)?;
        self.voice.output(&output);
        Ok(output)
    }

    /// One object.
    pub fn get(&self, kind: &str, name: &str) -> Result<Value> {
        self.get_in(NAMESPACE, kind, name)
    }

    /// One object of another namespace.
    pub fn get_in(&self, namespace: &str, kind: &str, name: &str) -> Result<Value> {
        self.kubectl.json(&["-n", namespace, "get", kind, name])
    }

    /// The objects that `args` of `kubectl get` name.
    pub fn list(&self, args: &[&str]) -> Result<Vec<Value>> {
        let mut list = self.kubectl.json(&[&["get"], args].concat())?;
        serde_json::from_value(list["items"].take()).context("items")
    }

    /// The pods of an App, by name.
    pub fn pods(&self, app: &str) -> Result<Vec<Value>> {
        let label = format!("middleware.io/app={app}");
        let mut pods = self.list(&["pods", "-n", NAMESPACE, "-l", &label])?;
        pods.sort_by_key(look::name);
        Ok(pods)
    }

    /// `kind/name` → (uid, resourceVersion) of an App and of all that the platform made for it, once
    /// that has come to rest.
    pub fn owned(&self, app: &str) -> Result<BTreeMap<String, (String, String)>> {
        let label = format!("middleware.io/app={app}");
        let look = || -> Result<_> {
            let mut objects = self.list(&[OWNED, "-n", NAMESPACE, "-l", &label])?;
            objects.push(self.get("mwapp", app)?);
            Ok(look::versions(&objects))
        };
        let mut before = look()?;
        self.wait(30, &format!("the objects of {app} are at rest"), || {
            std::thread::sleep(Duration::from_secs(1));
            let now = look()?;
            let moved = look::differences(&before, &now);
            before = now;
            ensure!(moved.is_empty(), "{}", moved.join(", "));
            Ok(())
        })?;
        ensure!(before.len() > 5, "only {:?} belong to {app}", before.keys());
        Ok(before)
    }

    /// uid of each pod of an App, by name.
    pub fn pod_uids(&self, app: &str) -> Result<BTreeMap<String, String>> {
        let uid = |p: &Value| (look::name(p), look::text(p, "/metadata/uid").to_owned());
        Ok(self.pods(app)?.iter().map(uid).collect())
    }

    /// Looks until `look` returns `Ok`; says what it waits for where that takes long.
    pub fn wait<T>(
        &self,
        seconds: u64,
        what: &str,
        mut look: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            let seen = match look() {
                Ok(value) => return Ok(value),
                Err(seen) => seen,
            };
            if start.elapsed() > Duration::from_secs(seconds) {
                return Err(anyhow!(
                    "not within {seconds} s: {what}\nseen instead: {seen:#}"
                ));
            }
            self.voice
                .waiting(what, start.elapsed(), &format!("{seen:#}"));
            std::thread::sleep(INTERVAL);
        }
    }

    /// Waits until an object has the condition, and returns the object.
    pub fn wait_for(&self, seconds: u64, kind: &str, name: &str, condition: &str) -> Result<Value> {
        self.wait(seconds, &format!("{kind}/{name} {condition}"), || {
            let object = self.get(kind, name)?;
            look::told(&object, condition, "True")?;
            Ok(object)
        })
    }

    /// Remembers a time for the end of the story.
    pub fn measure(&mut self, what: &str, took: Duration) {
        self.measured.push((what.to_owned(), took));
    }
}
