//! A home of the real gpg with its own keys. For tests only.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The home; its agent is ended when it is dropped.
pub struct Gpg {
    pub home: PathBuf,
}

impl Gpg {
    /// An empty one below `directory`.
    pub fn new(directory: &Path) -> Self {
        let home = directory.join("gnupg");
        std::fs::create_dir(&home).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&home, private).unwrap();
        Self { home }
    }

    /// Runs gpg with `input`; returns what it prints.
    pub fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut child = Command::new("gpg")
            .args([
                "--batch",
                "--yes",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ])
            .args(arguments)
            .env("GNUPGHOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gnupg must be installed");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "gpg {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A new key of the algorithm for `name`, which lasts until `expires`; it signs itself.
    pub fn generate(&self, name: &str, algorithm: &str, expires: &str) {
        self.run(
            &["--quick-generate-key", name, algorithm, "sign", expires],
            "",
        );
    }

    /// The public key, armored.
    pub fn export(&self, name: &str) -> String {
        self.run(&["--armor", "--export", name], "")
    }

    /// The fingerprint of the primary key.
    pub fn fingerprint(&self, name: &str) -> String {
        let listed = self.run(&["--with-colons", "--list-keys", name], "");
        let mut lines = listed.lines().filter(|line| line.starts_with("fpr:"));
        lines.next().unwrap().split(':').nth(9).unwrap().to_owned()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let _ = Command::new("gpgconf")
            .args(["--kill", "all"])
            .env("GNUPGHOME", &self.home)
            .status();
    }
}
