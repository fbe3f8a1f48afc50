//! Whether a request comes from somebody who knows the token: a MAC over its body, or the token itself.
//!
//! In: the form of the source's webhook, the token, the headers, and the body chunk by chunk, which is
//! never kept before it is proved. Out: yes, or why not. All comparisons take the same time wherever
//! they differ.

use super::{answer::Refusal, tokens::Token};
use api::crd::source::WebhookKind;
use axum::http::HeaderMap;
use ring::hmac;

/// A proof under way.
pub struct Proof {
    form: Form,
    keeps_body: bool,
}

enum Form {
    /// Over the body.
    Mac {
        mac: Box<hmac::Context>,
        claimed: Result<Vec<u8>, Refusal>,
    },
    /// By the headers alone.
    Settled(Result<(), Refusal>),
}

impl Proof {
    /// Begins to prove a request with `headers` to a webhook of `kind`.
    pub fn begin(kind: WebhookKind, token: &Token, headers: &HeaderMap) -> Self {
        let header = |name: &str| {
            let value = headers.get(name).ok_or(Refusal::Missing)?;
            value.to_str().map_err(|_| Refusal::Malformed)
        };
        let form = match kind {
            WebhookKind::Github => {
                let claimed = header("x-hub-signature-256").and_then(|text| tagged(text, "sha256"));
                mac(hmac::HMAC_SHA256, token, claimed)
            }
            WebhookKind::Gitea => {
                let claimed = header("x-gitea-signature").and_then(hexadecimal);
                mac(hmac::HMAC_SHA256, token, claimed)
            }
            WebhookKind::Generic => generic(token, header("x-signature")),
            WebhookKind::Gitlab => {
                Form::Settled(header("x-gitlab-token").and_then(|given| token.is(given)))
            }
            WebhookKind::Oci => {
                let given = header("authorization").and_then(bearer);
                Form::Settled(given.and_then(|given| token.is(given)))
            }
        };
        Self {
            keeps_body: kind == WebhookKind::Oci && matches!(form, Form::Settled(Ok(()))),
            form,
        }
    }

    /// Whether the body may be kept: it is needed, and whoever sends it has proved himself.
    pub fn keeps_body(&self) -> bool {
        self.keeps_body
    }

    /// The body goes on with `chunk`.
    pub fn update(&mut self, chunk: &[u8]) {
        if let Form::Mac { mac, .. } = &mut self.form {
            mac.update(chunk);
        }
    }

    /// Whether it is proved, after the whole body.
    pub fn holds(self) -> Result<(), Refusal> {
        match self.form {
            Form::Settled(result) => result,
            Form::Mac { mac, claimed } => {
                let computed = mac.sign();
                equal(computed.as_ref(), &claimed?)
            }
        }
    }
}

fn mac(algorithm: hmac::Algorithm, token: &Token, claimed: Result<Vec<u8>, Refusal>) -> Form {
    let key = hmac::Key::new(algorithm, token.bytes());
    Form::Mac {
        mac: Box::new(hmac::Context::with_key(&key)),
        claimed,
    }
}

fn generic(token: &Token, header: Result<&str, Refusal>) -> Form {
    let (algorithm, name) = match header {
        Ok(text) if text.starts_with("sha512=") => (hmac::HMAC_SHA512, "sha512"),
        _ => (hmac::HMAC_SHA256, "sha256"),
    };
    let claimed = header.and_then(|text| tagged(text, name));
    mac(algorithm, token, claimed)
}

/// `sha256=0123…`.
fn tagged(text: &str, algorithm: &str) -> Result<Vec<u8>, Refusal> {
    let (name, digits) = text.split_once('=').ok_or(Refusal::Malformed)?;
    if name != algorithm {
        return Err(Refusal::Malformed);
    }
    hexadecimal(digits)
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, Refusal> {
    hex::decode(text).map_err(|_| Refusal::Malformed)
}

/// `Bearer …`, in whatever case the scheme is (RFC 9110, section 11.1).
fn bearer(text: &str) -> Result<&str, Refusal> {
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::Malformed);
    }
    Ok(token.trim())
}

/// Compares MACs of both under one key: neither the place of a difference nor a length shows in the
/// time that it takes.
pub fn equal(left: &[u8], right: &[u8]) -> Result<(), Refusal> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"paamesh webhooks compare");
    let right = hmac::sign(&key, right);
    hmac::verify(&key, left, right.as_ref()).map_err(|_| Refusal::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn judge(
        kind: WebhookKind,
        token: &str,
        header: &str,
        value: &str,
        body: &str,
    ) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            let name: HeaderName = header.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let mut proof = Proof::begin(kind, &Token::new(token.as_bytes()), &headers);
        for chunk in body.as_bytes().chunks(5) {
            proof.update(chunk);
        }
        proof.holds()
    }

    /// The values that GitHub documents to test an implementation with
    /// (docs.github.com, "Validating webhook deliveries").
    #[test]
    fn githubs_own_example_is_accepted() {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        let judge = |header, value, body| judge(WebhookKind::Github, secret, header, value, body);
        assert_eq!(
            judge("X-Hub-Signature-256", signature, "Hello, World!"),
            Ok(())
        );
        assert_eq!(
            judge("X-Hub-Signature-256", signature, "Hello, World"),
            Err(Refusal::Wrong)
        );
        // The old header is SHA-1, and counts for nothing.
        assert_eq!(
            judge("X-Hub-Signature", signature, "Hello, World!"),
            Err(Refusal::Missing)
        );
        for malformed in ["", "sha256=", "sha1=00", "sha256=xy", &signature[7..]] {
            let found = judge("X-Hub-Signature-256", malformed, "Hello, World!");
            let want = if malformed == "sha256=" {
                Refusal::Wrong
            } else {
                Refusal::Malformed
            };
            assert_eq!(found, Err(want), "{malformed}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn both_macs_of_the_rfc_are_accepted() {
        let body = "what do ya want for nothing?";
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                      9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        let generic = |value: &str| judge(WebhookKind::Generic, "Jefe", "X-Signature", value, body);
        assert_eq!(generic(&format!("sha256={sha256}")), Ok(()));
        assert_eq!(generic(&format!("sha512={sha512}")), Ok(()));
        assert_eq!(generic(&format!("sha512={sha256}")), Err(Refusal::Wrong));
        assert_eq!(generic(sha256), Err(Refusal::Malformed));
        let gitea =
            |value: &str| judge(WebhookKind::Gitea, "Jefe", "X-Gitea-Signature", value, body);
        assert_eq!(gitea(sha256), Ok(()));
        assert_eq!(gitea(&sha256[2..]), Err(Refusal::Wrong));
    }

    #[test]
    fn tokens_are_compared_whole() {
        let gitlab =
            |value: &str| judge(WebhookKind::Gitlab, "secret", "X-Gitlab-Token", value, "{}");
        assert_eq!(gitlab("secret"), Ok(()));
        for wrong in ["", "secre", "secrets", "Secret"] {
            assert_eq!(gitlab(wrong), Err(Refusal::Wrong), "{wrong}");
        }
        let oci = |value: &str| judge(WebhookKind::Oci, "secret", "Authorization", value, "{}");
        assert_eq!(oci("Bearer secret"), Ok(()));
        assert_eq!(oci("bearer secret"), Ok(()));
        assert_eq!(oci("Bearer other"), Err(Refusal::Wrong));
        assert_eq!(oci("Basic secret"), Err(Refusal::Malformed));
        assert_eq!(oci("secret"), Err(Refusal::Malformed));
        assert_eq!(
            judge(WebhookKind::Oci, "secret", "", "", "{}"),
            Err(Refusal::Missing)
        );
    }

    #[test]
    fn only_a_proved_body_is_kept() {
        let kept = |kind, name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            Proof::begin(kind, &Token::new(b"secret"), &headers).keeps_body()
        };
        assert!(kept(WebhookKind::Oci, "authorization", "Bearer secret"));
        assert!(!kept(WebhookKind::Oci, "authorization", "Bearer other"));
        assert!(!kept(WebhookKind::Gitlab, "x-gitlab-token", "secret"));
        assert!(!kept(WebhookKind::Github, "x-hub-signature-256", "sha256="));
    }
}
