//! A pod's places without a pod: a directory with the mounts that the composer makes, and the
//! agent's processes in it.

use agent::live;
use agent::root::Root;
use agent::rpc::supervisor_client::SupervisorClient;
use agent::table;
use api::agent::{
    ACTIONS_FILE, AGENT_DIR, Action, ActionPlace, ActionTable, CONFIG_DIR, CONTENT_DIR,
    MIDDLEWARE_DIR, POD_DIR, ProbeAction, ProbeOutput, SCRIPTS_DIR, StatusReply, StatusRequest,
    TOKEN_DIR,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long enough for a loaded machine; whoever waits says what for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The sidecar of a pod whose API server is port 9 of loopback, where nobody listens.
pub const SIDECAR: [&str; 9] = [
    "sidecar",
    "--pod",
    "shop-redis-0-0",
    "--namespace",
    "shop",
    "--api-host",
    "127.0.0.1",
    "--api-port",
    "9",
];

pub struct Place {
    dir: TempDir,
    pub root: Root,
}

/// A process of the agent's; asked to end when dropped, and killed if it does not.
pub struct Job(Child);

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::under(dir.path());
        let mounts = [
            AGENT_DIR,
            CONTENT_DIR,
            CONFIG_DIR,
            POD_DIR,
            SCRIPTS_DIR,
            MIDDLEWARE_DIR,
            TOKEN_DIR,
        ];
        for mount in mounts {
            fs::create_dir_all(root.at(mount)).unwrap();
        }
        Self { dir, root }
    }

    /// A file that scripts may use as they like.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scratch(name)).unwrap_or_default()
    }

    /// As the kubelet writes an annotation by downward API.
    pub fn annotate(&self, file: &str, revision: &str) {
        fs::write(self.root.at(POD_DIR).join(file), revision).unwrap();
    }

    /// As the kubelet syncs a key of a ConfigMap.
    pub fn sync(&self, dir: &str, key: &str, bytes: &str) {
        fs::write(self.root.at(dir).join(key), bytes).unwrap();
    }

    /// As the kubelet syncs an action table with this probe, every 100 ms.
    pub fn sync_probe(&self, revision: &str, script: &str) {
        let probe = ProbeAction {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            interval_millis: 100,
            timeout_millis: 2000,
            output: ProbeOutput::Json,
        };
        let table = ActionTable {
            probe: Some(probe),
            ..ActionTable::default()
        };
        self.sync_table(revision, &table);
    }

    /// As `install` or the sidecar leaves the table, with these actions.
    pub fn use_actions(&self, actions: &[(&str, Action)]) {
        table::place(&self.root, &actions_table(actions)).unwrap();
    }

    pub fn sync_table(&self, revision: &str, table: &ActionTable) {
        let table = serde_json::to_string(table).unwrap();
        self.sync(CONTENT_DIR, &format!("{revision}.{ACTIONS_FILE}"), &table);
    }

    pub fn agent(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paamesh-agent"));
        command
            .arg("--root")
            .arg(self.dir.path())
            .args(args)
            .current_dir(self.dir.path());
        command
    }

    pub fn output(&self, args: &[&str]) -> Output {
        self.agent(args).output().unwrap()
    }

    /// What `ready` or `live` says: nothing if all is well.
    pub fn asks(&self, question: &str) -> Result<(), String> {
        let output = self.output(&[question]);
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
        }
    }

    pub fn supervisor(&self, flags: &[&str], script: &str) -> Command {
        let flags = [
            &["supervisor", "--name", "redis"],
            flags,
            &["--", "sh", "-c", script],
        ];
        self.agent(&flags.concat())
    }

    /// What the supervisor says of itself.
    pub fn status(&self) -> Result<StatusReply, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let channel = live::supervisor(&self.root).unwrap().connect().await;
            let channel = channel.map_err(|error| error.to_string())?;
            let status = SupervisorClient::new(channel)
                .status(StatusRequest {})
                .await;
            Ok(status.map_err(|error| error.to_string())?.into_inner())
        })
    }

    pub fn supervise(&self, script: &str) -> Job {
        let job = Job::start(&mut self.supervisor(&[], script));
        eventually("the supervisor answers", || self.asks("live"));
        job
    }
}

impl Job {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub fn ended(&mut self) -> ExitStatus {
        eventually("the agent ends", || {
            self.0
                .try_wait()
                .unwrap()
                .ok_or_else(|| "it runs".to_owned())
        })
    }

    pub fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Asks it to end; its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.ended().code()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
            return;
        }
        let _ = kill_process(self.pid(), Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline {
            if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell script as an action.
pub fn script(place: ActionPlace, script: &str) -> Action {
    Action {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        signal: None,
        place,
        timeout_millis: 10_000,
    }
}

/// A signal to the process as an action.
pub fn sends(signal: &str) -> Action {
    Action {
        command: Vec::new(),
        signal: Some(signal.to_owned()),
        place: ActionPlace::Main,
        timeout_millis: 1000,
    }
}

pub fn actions_table(actions: &[(&str, Action)]) -> ActionTable {
    let actions = actions.iter().cloned();
    ActionTable {
        actions: actions
            .map(|(name, action)| (name.to_owned(), action))
            .collect(),
        ..ActionTable::default()
    }
}

/// Looks until `look` is `Ok`; a test that waits in vain says what was last seen.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(seen) if Instant::now() >= deadline => panic!("not in time: {what}; {seen}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// `Ok` when both are equal.
pub fn is<T: PartialEq + std::fmt::Debug>(seen: &T, wanted: &T) -> Result<(), String> {
    if seen == wanted {
        Ok(())
    } else {
        Err(format!("{seen:?} instead of {wanted:?}"))
    }
}
