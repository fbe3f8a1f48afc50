//! Who must have signed an artifact or an image, as `verify` of a source says it, and whether they did.

use super::{Looking, Stopped, place::Failure, secrets};
use api::{Digest, crd::source::CosignVerification, provenance::Signer};
use std::sync::Arc;
use transport::{
    cosign::{self, Identity, Refusal},
    oci::{Artifacts, Remote},
};

/// Who must have signed: one of the keys, or one of the identities.
#[derive(Clone)]
pub(super) struct Trust {
    trusted: Arc<cosign::Trust>,
    /// Tells it from every other.
    pub fingerprint: String,
}

/// Why something does not count as signed.
pub(super) enum Unsigned {
    /// It is not, or not by them.
    Refused(String),
    /// It cannot be told: never taken for «not signed».
    Untold(Failure),
}

impl Trust {
    /// What `verify`, which stands at `field` of the spec, demands.
    pub async fn of(
        looking: &Looking<'_>,
        verify: &CosignVerification,
        field: &str,
    ) -> Result<Self, Stopped> {
        let context = looking.context;
        let keys = match &verify.secret_ref {
            None => None,
            Some(reference) => {
                let field = format!("{field}.secretRef");
                Some(secrets::cosign_keys(context, reference, &field).await?)
            }
        };
        let mut identities = Vec::new();
        for identity in &verify.match_oidc_identity {
            let parsed = Identity::parse(&identity.issuer, &identity.subject);
            let refuse = |error| Stopped::invalid(format!("{field}.matchOIDCIdentity: {error}"));
            identities.push(parsed.map_err(refuse)?);
        }
        let root = match &verify.trusted_root_secret_ref {
            None => None,
            Some(reference) => {
                let field = format!("{field}.trustedRootSecretRef");
                Some(secrets::trust_root(context, reference, &field).await?)
            }
        };
        if keys.is_none() && (identities.is_empty() || root.is_none()) {
            return Err(Stopped::invalid(format!(
                "{field} names nobody: give secretRef with public keys, or matchOIDCIdentity with \
                 trustedRootSecretRef"
            )));
        }
        let trusted = cosign::Trust {
            keys,
            identities,
            root,
        };
        Ok(Self {
            fingerprint: trusted.fingerprint().to_string(),
            trusted: Arc::new(trusted),
        })
    }

    /// Who of them signed the artifact `digest` of `remote`. It blocks.
    pub fn signer(
        &self,
        artifacts: &Artifacts,
        remote: &Remote,
        digest: &Digest,
    ) -> Result<Signer, Unsigned> {
        match artifacts.verify(remote, digest, &*self.trusted) {
            Ok(verified) => Ok(verified.signer),
            Err(Refusal::Registry(error)) => {
                let mut failure = Failure::from(error);
                let why = failure.message;
                failure.message = format!("whether it is signed cannot be told: {why}");
                Err(Unsigned::Untold(failure))
            }
            Err(refusal) => Err(Unsigned::Refused(refusal.to_string())),
        }
    }
}
