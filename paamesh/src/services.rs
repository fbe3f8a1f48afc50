//! The services of one process: each waits for its leadership, works, and ends with the process.

use crate::{args, client, health, lead::Leadership, logs};
use anyhow::Context as _;
use futures::{FutureExt as _, future::BoxFuture};
use prometheus_client::registry::Registry;
use std::{future::Future, sync::Arc};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// Resolves when the process is to end.
type Shutdown = futures::future::Shared<BoxFuture<'static, ()>>;

/// Runs the services that have arguments until SIGTERM or SIGINT, or until one fails.
///
/// # Errors
/// A service failed, or lost its leadership; the process is to be started again.
pub fn run(
    service: args::ServiceFlags,
    operator: Option<args::OperatorFlags>,
    registry: Option<args::RegistryFlags>,
) -> anyhow::Result<()> {
    logs::start(service.log_format, &service.log)?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider was installed"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // As many as the registry's looks need that wait for servers at once.
        .max_blocking_threads(1024)
        .build()?;
    let result = runtime.block_on(serve(service, operator, registry));
    // A look at a repository that hangs must not delay the end of the process.
    runtime.shutdown_background();
    result
}

async fn serve(
    service: args::ServiceFlags,
    operator: Option<args::OperatorFlags>,
    registry: Option<args::RegistryFlags>,
) -> anyhow::Result<()> {
    let shutdown: Shutdown = signals()?.boxed().shared();
    let evaluate: Arc<dyn package::Evaluate> = Arc::new(evaluate::Process::new());
    let mut metrics = Registry::with_prefix("paamesh");
    let mut ready = Vec::new();
    let mut tasks = JoinSet::new();

    if let Some(own) = operator {
        let (sender, receiver) = watch::channel(true);
        ready.push(("operator", receiver));
        let client = client::limited("operator", service.api_qps).await?;
        let settings = operator::Settings {
            namespace: service.namespace.clone(),
            agent_image: own.agent_image,
            workers: service.workers,
            reconcile_timeout: service.reconcile_timeout,
        };
        let own_metrics = operator::register(&mut metrics);
        let (evaluate, stop) = (evaluate.clone(), shutdown.clone());
        let work = async move {
            sender.send_replace(false);
            operator::run(client, settings, evaluate, own_metrics, sender, stop)
                .await
                .context("operator")
        };
        tasks.spawn(led("operator", service.clone(), shutdown.clone(), work));
    }
    if let Some(own) = registry {
        let (sender, receiver) = watch::channel(true);
        ready.push(("registry", receiver));
        let client = client::limited("registry", service.api_qps).await?;
        let settings = registry::Settings {
            namespace: service.namespace.clone(),
            data_dir: own.data_dir,
            directories: own.directories,
            workers: service.workers,
            reconcile_timeout: service.reconcile_timeout,
        };
        let own_metrics = registry::register(&mut metrics);
        let webhooks = registry::Webhooks::new(&own_metrics);
        if let Some(listen) = own.webhook_listen.0 {
            // A replica that stands by listens too, and says that it does.
            let listener = TcpListener::bind(listen).await.with_context(|| {
                format!("--webhook-listen {listen}: is the port taken by another process?")
            })?;
            let (webhooks, stop) = (webhooks.clone(), shutdown.clone());
            tasks.spawn(async move {
                webhooks.serve(listener, stop).await;
                Ok(())
            });
        }
        let (evaluate, stop) = (evaluate.clone(), shutdown.clone());
        let work = async move {
            sender.send_replace(false);
            let work = registry::run_with_webhooks(
                client,
                settings,
                evaluate,
                own_metrics,
                webhooks,
                sender,
                stop,
            );
            work.await.context("registry")
        };
        tasks.spawn(led("registry", service.clone(), shutdown.clone(), work));
    }
    let health = health::Health {
        services: Arc::new(ready),
        metrics: Arc::new(metrics),
    };
    tasks.spawn(health::serve(service.listen, health, shutdown.clone()));

    // The first task that ends decides: all end on shutdown, and a failure ends the process.
    while let Some(ended) = tasks.join_next().await {
        ended.context("a service panicked")??;
    }
    Ok(())
}

/// Waits for the leadership of `name`, then does `work`. A standby is ready: it has nothing to sync.
async fn led(
    name: &'static str,
    service: args::ServiceFlags,
    shutdown: Shutdown,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let client = client::unlimited(name).await?;
    let mut leadership = tokio::select! {
        led = Leadership::acquire(client, &service.namespace, name, &service.identity) => led?,
        () = shutdown.clone() => return Ok(()),
    };
    tracing::info!(service = name, identity = service.identity, "leading");
    let result = tokio::select! {
        result = work => result,
        () = leadership.lost() => Err(anyhow::anyhow!("{name}: lost the leadership")),
    };
    if result.is_ok() {
        leadership.release().await;
    }
    result
}

fn signals() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending");
    })
}
