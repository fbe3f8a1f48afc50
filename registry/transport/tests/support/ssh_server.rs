//! The real sshd on localhost, with host keys and users' keys made by the real ssh-keygen. For tests
//! only; it needs root, as sshd does.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A running sshd; it is ended when it is dropped.
pub struct SshServer {
    child: Child,
    pub port: u16,
    directory: PathBuf,
}

impl SshServer {
    /// sshd with host keys of the types ed25519 and rsa; nobody may enter yet.
    pub fn start(directory: &Path) -> Self {
        let directory = directory.join("sshd");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::create_dir_all("/run/sshd").unwrap();
        for kind in ["ed25519", "rsa"] {
            keygen(&directory.join(format!("host-{kind}")), kind, "");
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let place = directory.to_str().unwrap();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host-ed25519\nHostKey {place}/host-rsa\n\
             AuthorizedKeysFile {place}/authorized\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nLogLevel QUIET\n"
        );
        std::fs::write(directory.join("config"), config).unwrap();
        std::fs::write(directory.join("authorized"), "").unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(directory.join("config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssh-server must be installed");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "no sshd");
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            port,
            directory,
        }
    }

    /// A new key of the type `kind` that may enter; its private half.
    pub fn admit(&self, kind: &str, passphrase: &str) -> String {
        let path = self
            .directory
            .join(format!("user-{kind}-{}", passphrase.len()));
        keygen(&path, kind, passphrase);
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        let authorized = self.directory.join("authorized");
        let known = std::fs::read_to_string(&authorized).unwrap();
        std::fs::write(authorized, known + &public).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    /// A line of `known_hosts` with the host key of the type `kind`.
    pub fn known_host(&self, kind: &str) -> String {
        let public = self.directory.join(format!("host-{kind}.pub"));
        let public = std::fs::read_to_string(public).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// The URL of the repository at `path`, for the user who runs the test.
    pub fn url(&self, path: &Path) -> String {
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let path = path.to_str().unwrap();
        format!("ssh://{}@127.0.0.1:{}{path}", user.trim(), self.port)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new key pair at `path` and `path.pub`.
pub fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .output()
        .expect("openssh-client must be installed");
    assert!(made.status.success(), "{made:?}");
}
