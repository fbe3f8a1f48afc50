//! The platform's programs as processes of their own, and what the kernel says of them.

use anyhow::{Context, Result, ensure};
use kit::{ControlPlane, Process};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// As the chart has it.
const MALLOC_CONF: &str = "narenas:2,tcache:false,dirty_decay_ms:1000,muzzy_decay_ms:0";
/// Kernel ticks a second, fixed on Linux for user space.
const TICKS: f64 = 100.0;

/// Where a service runs.
pub struct Service {
    process: Process,
}

/// What a process and its children took of a processor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// The process itself.
    pub own: f64,
    /// Its children, those that ended too: the evaluators.
    pub children: f64,
}

impl Service {
    /// Starts `paamesh <name>` on `cp` and waits until it is ready; `flags` come last.
    pub async fn start(
        paamesh: &Path,
        name: &str,
        cp: &ControlPlane,
        namespace: &str,
        flags: &[&str],
    ) -> Result<Self> {
        let listen = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(paamesh);
        command
            .arg(name)
            .args(["--namespace", namespace, "--listen", &listen])
            .args(["--log-format", "text"])
            .args(flags)
            .env("KUBECONFIG", cp.kubeconfig())
            .env("_RJEM_MALLOC_CONF", MALLOC_CONF);
        let log: PathBuf = cp.directory().join(format!("{name}.log"));
        let mut service = Self {
            process: Process::start(command, &log)?,
        };
        let ready = async || {
            service.process.alive()?;
            let answer = http_status(&listen, "/readyz").await?;
            ensure!(answer == 200, "/readyz answers {answer}");
            Ok(())
        };
        kit::eventually(Duration::from_secs(60), "the service is ready", ready).await?;
        Ok(service)
    }

    /// The resident memory of the process itself, in MiB.
    pub fn memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kibibytes.context("the process is gone")? / 1024.0)
    }

    /// What it took of a processor so far, in seconds.
    pub fn cpu(&self) -> Result<Cpu> {
        let pid = self.process.pid();
        let mut cpu = of_process(pid)?;
        for child in children(pid) {
            if let Ok(running) = of_process(child) {
                cpu.children += running.own + running.children;
            }
        }
        Ok(cpu)
    }
}

impl std::ops::Sub for Cpu {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            own: self.own - before.own,
            children: self.children - before.children,
        }
    }
}

/// proc(5): utime, stime, cutime, cstime are the fields 14 to 17.
fn of_process(pid: u32) -> Result<Cpu> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("no stat")?;
    let fields: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    let [user, system, ended_user, ended_system] = fields[..] else {
        anyhow::bail!("no times in /proc/{pid}/stat");
    };
    Ok(Cpu {
        own: (user + system) / TICKS,
        children: (ended_user + ended_system) / TICKS,
    })
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            let pids = list.split_whitespace().filter_map(|pid| pid.parse().ok());
            pids.collect::<Vec<u32>>()
        })
        .collect()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The status of a GET, by hand: this is all of HTTP that is needed here.
async fn http_status(address: &str, path: &str) -> Result<u16> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split_whitespace().nth(1).context("no status line")?;
    Ok(status.parse()?)
}
