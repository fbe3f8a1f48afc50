//! Which host keys a source trusts: a file in the format of OpenSSH's `known_hosts` (sshd(8),
//! «SSH_KNOWN_HOSTS FILE FORMAT»). Pure.

use ring::hmac;
use russh::keys::{
    Algorithm, HashAlg, PublicKey,
    ssh_key::{
        KnownHosts,
        known_hosts::{HostPatterns, Marker},
    },
};

/// What is known of one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    trusted: Vec<PublicKey>,
    revoked: Vec<PublicKey>,
}

/// Whether every line of `text` can be read, and there is one.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut lines = 0;
    for entry in KnownHosts::new(text) {
        entry.map_err(|error| format!("known_hosts: {error}"))?;
        lines += 1;
    }
    if lines == 0 {
        return Err("known_hosts holds no key".to_owned());
    }
    Ok(())
}

impl Known {
    /// What `text` says of `host` at `port`.
    ///
    /// # Errors
    /// A line is none of a `known_hosts`.
    pub(crate) fn of(text: &str, host: &str, port: u16) -> Result<Self, String> {
        let names = if port == 22 {
            vec![host.to_owned(), format!("[{host}]:22")]
        } else {
            vec![format!("[{host}]:{port}")]
        };
        let mut known = Self::default();
        for entry in KnownHosts::new(text) {
            let entry = entry.map_err(|error| format!("known_hosts: {error}"))?;
            if !names
                .iter()
                .any(|name| matches(entry.host_patterns(), name))
            {
                continue;
            }
            match entry.marker() {
                None => known.trusted.push(entry.public_key().clone()),
                Some(Marker::Revoked) => known.revoked.push(entry.public_key().clone()),
                // Certificates of hosts are not asked for, so they cannot be shown.
                Some(Marker::CertAuthority) => {}
            }
        }
        Ok(known)
    }

    /// Whether `key` is the host's.
    pub(crate) fn trusts(&self, key: &PublicKey) -> bool {
        let same = |other: &&PublicKey| other.key_data() == key.key_data();
        self.trusted.iter().any(|other| same(&other))
            && !self.revoked.iter().any(|other| same(&other))
    }

    /// Whether nothing is known of the host.
    pub(crate) fn is_empty(&self) -> bool {
        self.trusted.is_empty()
    }

    /// The algorithms by which the host can show a key that is known: others would be shown in vain.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        for key in &self.trusted {
            let by = match key.algorithm() {
                Algorithm::Rsa { .. } => vec![
                    Algorithm::Rsa {
                        hash: Some(HashAlg::Sha512),
                    },
                    Algorithm::Rsa {
                        hash: Some(HashAlg::Sha256),
                    },
                ],
                other => vec![other],
            };
            algorithms.extend(by);
        }
        algorithms
    }
}

/// Whether `patterns` name `name`: with `*` and `?`, excluded by `!`, or hashed with SHA-1.
fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
            hmac::verify(&key, name.as_bytes(), hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => {
            let excluded = patterns
                .iter()
                .filter_map(|pattern| pattern.strip_prefix('!'));
            let mut included = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
            let name = name.as_bytes();
            !excluded
                .into_iter()
                .any(|pattern| glob(pattern.as_bytes(), name))
                && included.any(|pattern| glob(pattern.as_bytes(), name))
        }
    }
}

/// Whether `text` is like `pattern`, in which `*` is any text and `?` any character. Linear in memory;
/// a star gives back one character at a time, and only the last one does.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn check(line: &str, host: &str, port: u16, want: bool) {
        let known = Known::of(&format!("# comment\n{line} {KEY}\n"), host, port).unwrap();
        let key = PublicKey::from_openssh(KEY).unwrap();
        assert_eq!(known.trusts(&key), want, "{line}: {host}:{port}");
    }

    #[test]
    fn hosts_are_known_by_name_pattern_port_and_hash() {
        check("example.com", "example.com", 22, true);
        check("example.com", "example.com", 2222, false);
        check("[example.com]:2222", "example.com", 2222, true);
        check("[example.com]:2222", "example.com", 22, false);
        check("other,*.example.com", "git.example.com", 22, true);
        check("*.example.com", "example.com", 22, false);
        check(
            "!git.example.com,*.example.com",
            "git.example.com",
            22,
            false,
        );
        check("g?t.example.com", "git.example.com", 22, true);
        check("@revoked example.com", "example.com", 22, false);
        check("@cert-authority example.com", "example.com", 22, false);
        // `ssh-keygen -H` of example.com.
        check(
            "|1|NYXMkA5IN290O1lwicSGUY7BrrA=|0JKXS6UASjHPSy4czqu4M8WU7cU=",
            "example.com",
            22,
            true,
        );
        check(
            "|1|NYXMkA5IN290O1lwicSGUY7BrrA=|0JKXS6UASjHPSy4czqu4M8WU7cU=",
            "example.org",
            22,
            false,
        );
    }

    #[test]
    fn a_key_that_is_revoked_anywhere_is_not_trusted() {
        let text = format!("example.com {KEY}\n@revoked * {KEY}\n");
        let known = Known::of(&text, "example.com", 22).unwrap();
        assert!(!known.is_empty() && !known.trusts(&PublicKey::from_openssh(KEY).unwrap()));
        assert!(Known::of("nonsense", "example.com", 22).is_err());
    }
}
