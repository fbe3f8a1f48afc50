//! etcd and the API server without a node: `hack/control-plane` for tests.

use crate::{AuditLog, Kubectl, eventually, hack};
use anyhow::{Context, Result, ensure};
use k8s_openapi::{
    api::core::v1::Namespace,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client, Config,
    api::{Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{conditions::is_crd_established, wait::Condition},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::{Path, PathBuf},
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A control plane of one's own; stopped when dropped, and when this process is gone.
#[derive(Debug)]
pub struct ControlPlane {
    // Held for its place only; `hack/control-plane stop` removes it.
    place: TempDir,
}

impl ControlPlane {
    /// An empty control plane: etcd and the API server, no controllers.
    ///
    /// # Errors
    /// It did not start; the message has what the script said.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with the controllers that `hack/control-plane` lists: garbage collection,
    /// namespaces, service accounts.
    ///
    /// # Errors
    /// As for [`ControlPlane::start`].
    pub async fn start_with_controllers() -> Result<Self> {
        Self::start_with(&["--with-controllers"]).await
    }

    /// One control plane for all tests of this process, with the CRDs installed. Tests keep apart by
    /// namespaces, and by names where objects have none.
    ///
    /// # Errors
    /// As for [`ControlPlane::start`].
    pub async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        SHARED
            .get_or_try_init(async || {
                let started = Self::start().await?;
                started.install_crds().await?;
                Ok(started)
            })
            .await
    }

    async fn start_with(flags: &'static [&'static str]) -> Result<Self> {
        tokio::task::spawn_blocking(|| Self::launch(flags)).await?
    }

    /// The same as [`ControlPlane::start`] for code that blocks.
    ///
    /// # Errors
    /// As for [`ControlPlane::start`].
    pub fn start_blocking() -> Result<Self> {
        Self::launch(&[])
    }

    fn launch(flags: &[&str]) -> Result<Self> {
        let place = tempfile::Builder::new().prefix("paamesh-test-").tempdir()?;
        let started = Self { place };
        let mut script = hack("control-plane");
        script.arg("start").arg(started.directory()).args(flags);
        script.args(["--owner-pid", &std::process::id().to_string()]);
        let out = script.output().context("run hack/control-plane start")?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "hack/control-plane start: {said}");
        Ok(started)
    }

    /// Where it keeps its state; files of a test may lie here too.
    pub fn directory(&self) -> &Path {
        self.place.path()
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory().join("kubeconfig")
    }

    /// The administrator's client. Each test makes its own: a client lives in one runtime.
    ///
    /// # Errors
    /// The kubeconfig cannot be used.
    pub async fn client(&self) -> Result<Client> {
        self.client_as("paamesh-test-kit").await
    }

    /// The administrator's client under a user agent of its own, to be found in the audit log.
    ///
    /// # Errors
    /// As for [`ControlPlane::client`].
    pub async fn client_as(&self, user_agent: &str) -> Result<Client> {
        let mut config = self.config().await?;
        config
            .headers
            .push(("user-agent".parse()?, user_agent.parse()?));
        Ok(Client::try_from(config)?)
    }

    /// How the administrator reaches it.
    pub(crate) async fn config(&self) -> Result<Config> {
        install_crypto();
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig())?;
        let options = KubeConfigOptions::default();
        Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
    }

    /// `kubectl` for this control plane.
    ///
    /// # Errors
    /// `kubectl` is not built.
    pub fn kubectl(&self) -> Result<Kubectl> {
        Kubectl::new(self.kubeconfig())
    }

    /// Its audit log.
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(self.directory().join("audit.log"))
    }

    /// Applies every CRD of the platform and waits until each is served.
    ///
    /// # Errors
    /// The API server refused one, or did not serve it within 30 s.
    pub async fn install_crds(&self) -> Result<()> {
        let crds: Api<CustomResourceDefinition> = Api::all(self.client().await?);
        let mine = PatchParams::apply("paamesh-test-kit").force();
        for crd in api::crd::all() {
            let name = crd.metadata.name.clone().unwrap_or_default();
            let applied = crds.patch(&name, &mine, &Patch::Apply(&crd)).await;
            applied.with_context(|| format!("apply the CRD {name}"))?;
        }
        for crd in api::crd::all() {
            let name = crd.metadata.name.unwrap_or_default();
            eventually(
                Duration::from_secs(30),
                "the CRD is established",
                async || {
                    let found = crds.get(&name).await?;
                    ensure!(
                        is_crd_established().matches_object(Some(&found)),
                        "{:?}",
                        found.status
                    );
                    Ok(())
                },
            )
            .await?;
        }
        Ok(())
    }

    /// Kills the API server (SIGKILL); its data stay.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_api_server(&self) -> Result<()> {
        let file = self.directory().join("pids/kube-apiserver.pid");
        let text = std::fs::read_to_string(&file).context("the API server's pid")?;
        let pid = text.lines().next().unwrap_or_default().parse()?;
        let pid = Pid::from_raw(pid).context("the API server's pid")?;
        kill_process(pid, Signal::KILL).context("kill the API server")
    }

    /// Starts again what of it is dead, with the data and at the address that it had.
    ///
    /// # Errors
    /// It did not start; the message has what the script said.
    pub async fn start_again(&self) -> Result<()> {
        let mut script = hack("control-plane");
        script.arg("start").arg(self.directory());
        let out = tokio::task::spawn_blocking(move || script.output()).await?;
        let out = out.context("run hack/control-plane start")?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "hack/control-plane start: {said}");
        Ok(())
    }

    /// A new namespace, whose name begins with `prefix`.
    ///
    /// # Errors
    /// The API server refused it.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        };
        let namespace = Namespace {
            metadata,
            ..Namespace::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        namespaces
            .create(&PostParams::default(), &namespace)
            .await?;
        Ok(name)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        let _ = hack("control-plane")
            .arg("stop")
            .arg(self.directory())
            .output();
    }
}

/// rustls asks for one provider for the whole process; the first call decides.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
