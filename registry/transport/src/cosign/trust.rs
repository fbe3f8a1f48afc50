//! Who may have signed: keys, or identities that a trust root of sigstore vouches for. Pure.

use super::{InvalidKey, Keys, root::TrustRoot};
use crate::oci::digest_of;
use api::{Digest, provenance::Signer};
use regex::{Regex, RegexBuilder};
use std::fmt;

/// The longest regular expression of an identity, and the most that it may take in memory.
const MAX_EXPRESSION: usize = 512;
const MAX_PROGRAM: usize = 1 << 20;

/// Who is trusted to sign; any of them is enough. What holds nobody trusts nobody.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Keys.
    pub keys: Option<Keys>,
    /// Identities, believed under `root` alone.
    pub identities: Vec<Identity>,
    /// The authorities that vouch for identities.
    pub root: Option<TrustRoot>,
}

impl Trust {
    /// What tells this from other trust, in whatever order it was given.
    pub fn fingerprint(&self) -> Digest {
        let mut parts: Vec<String> = self
            .identities
            .iter()
            .map(|identity| format!("{}\0{}", identity.issuer, identity.subject))
            .collect();
        parts.sort_unstable();
        parts.dedup();
        parts.extend(self.keys.iter().map(|keys| keys.fingerprint().to_string()));
        parts.extend(self.root.iter().map(|root| root.digest().to_string()));
        digest_of(parts.join("\n").as_bytes())
    }
}

impl From<Keys> for Trust {
    fn from(keys: Keys) -> Self {
        Self {
            keys: Some(keys),
            ..Self::default()
        }
    }
}

/// Somebody whom an issuer knows, as regular expressions that match the whole text.
#[derive(Clone, Debug)]
pub struct Identity {
    issuer: Expression,
    subject: Expression,
}

impl Identity {
    /// The identities whose issuer and subject, a mail address or a URL, match wholly.
    ///
    /// # Errors
    /// One is no regular expression, or takes too much.
    pub fn parse(issuer: &str, subject: &str) -> Result<Self, InvalidIdentity> {
        Ok(Self {
            issuer: Expression::parse("issuer", issuer)?,
            subject: Expression::parse("subject", subject)?,
        })
    }

    /// This one identity.
    ///
    /// # Errors
    /// A text is too long.
    pub fn exactly(issuer: &str, subject: &str) -> Result<Self, InvalidIdentity> {
        Self::parse(&regex::escape(issuer), &regex::escape(subject))
    }

    fn matches(&self, issuer: &str, subject: &str) -> bool {
        self.issuer.regex.is_match(issuer) && self.subject.regex.is_match(subject)
    }
}

#[derive(Clone, Debug)]
struct Expression {
    text: String,
    regex: Regex,
}

impl Expression {
    fn parse(field: &'static str, text: &str) -> Result<Self, InvalidIdentity> {
        let refuse = |reason: String| InvalidIdentity {
            field,
            text: text.chars().take(100).collect(),
            reason,
        };
        if text.is_empty() || text.len() > MAX_EXPRESSION {
            return Err(refuse(format!("it has not 1 to {MAX_EXPRESSION} bytes")));
        }
        // On its own first, so that `)(` is no way out of the group.
        let whole = format!(r"\A(?:{text})\z");
        let [own, regex] = [text, &whole].map(|text| {
            let built = RegexBuilder::new(text).size_limit(MAX_PROGRAM).build();
            built.map_err(|error| refuse(reason(&error)))
        });
        own?;
        Ok(Self {
            text: text.to_owned(),
            regex: regex?,
        })
    }
}

/// The last line of the library's picture says what is wrong.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An identity cannot be looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} `{text}` is no regular expression that can be used: {reason}")]
pub struct InvalidIdentity {
    field: &'static str,
    text: String,
    reason: String,
}

/// Trust by reference, of whatever kind it is.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'a> {
    pub(super) keys: Option<&'a Keys>,
    identities: &'a [Identity],
    root: Option<&'a TrustRoot>,
}

impl<'a> From<&'a Keys> for Trusted<'a> {
    fn from(keys: &'a Keys) -> Self {
        Self {
            keys: Some(keys),
            identities: &[],
            root: None,
        }
    }
}

impl<'a> From<&'a Trust> for Trusted<'a> {
    fn from(trust: &'a Trust) -> Self {
        Self {
            keys: trust.keys.as_ref(),
            identities: &trust.identities,
            root: trust.root.as_ref(),
        }
    }
}

impl<'a> Trusted<'a> {
    /// The key that made `signature` over `message`.
    pub(super) fn signer(&self, message: &[u8], signature: &[u8]) -> Option<Signer> {
        let key = self.keys?.signer(message, signature)?;
        Some(Signer::Key(key.to_string()))
    }

    /// The root, where identities are trusted at all.
    pub(super) fn root(&self) -> Option<&'a TrustRoot> {
        self.root.filter(|_| !self.identities.is_empty())
    }

    /// Whether one of the identities is this one.
    pub(super) fn knows(&self, issuer: &str, subject: &str) -> bool {
        let mut identities = self.identities.iter();
        identities.any(|identity| identity.matches(issuer, subject))
    }
}

impl fmt::Display for Trusted<'_> {
    /// `the keys are sha256:…`, `the identities are …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.keys.map(|keys| format!("the keys are {keys}")));
        if self.root().is_some() {
            let identities = self.identities.iter();
            let identities = identities.map(|one| format!("`{}` of `{}`", one.subject, one.issuer));
            let identities: Vec<String> = identities.collect();
            parts.push(format!("the identities are {}", identities.join(", ")));
        }
        match parts.is_empty() {
            true => f.write_str("nobody is trusted"),
            false => f.write_str(&parts.join("; ")),
        }
    }
}

impl From<InvalidKey> for InvalidRoot {
    fn from(error: InvalidKey) -> Self {
        Self(error.to_string())
    }
}

/// The text is no trust root that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; want the `trusted_root.json` of sigstore, as `cosign trusted-root create` makes it or its \
     TUF repository has it"
)]
pub struct InvalidRoot(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(issuer: &str, subject: &str, given: (&str, &str), want: bool) {
        let identity = Identity::parse(issuer, subject).unwrap();
        assert_eq!(identity.matches(given.0, given.1), want, "{identity:?}");
    }

    #[test]
    fn an_expression_matches_the_whole_text() {
        let ann = ("https://id.example.com", "ann@example.com");
        check("https://id\\.example\\.com", "ann@example\\.com", ann, true);
        check("https://id.*", ".*@example\\.com", ann, true);
        check(".*", "ann", ann, false);
        check("id.example.com", ".*", ann, false);
        check(".*", "bob|ann@example.com", ann, true);
        check(
            ".*",
            "ann@example.com|x",
            ("i", "ann@example.com.evil"),
            false,
        );
        check(".*", ".*", ("i", "a\nb"), false);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for (subject, want) in [
            ("(", "unclosed group"),
            ("a)(b", "unopened group"),
            ("", "1 to 512"),
            ("(a{1000}){1000}", "size limit"),
        ] {
            let error = Identity::parse("x", subject).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
        assert!(
            Identity::exactly("a.b", "c+d")
                .unwrap()
                .matches("a.b", "c+d")
        );
        assert!(
            !Identity::exactly("a.b", "c+d")
                .unwrap()
                .matches("axb", "ccd")
        );
    }
}
