//! The Secret with the credentials of a Component: generated once, and never written again but for
//! keys that it has not yet. It is data like the volumes: nothing owns it, an App of the same name
//! takes it again, and it goes only where the App's deletion policy takes the volumes along.

use crate::children::Place;
use api::{Component, labels, names};
use k8s_openapi::{
    ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt as _;
use package::manifest::Credential;
use std::collections::BTreeMap;

/// How many characters a password has: 190 bits.
pub const PASSWORD_LENGTH: usize = 32;
/// The characters of a password: none that a shell, a URL or a configuration file reads otherwise.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The Secret of `owner` with `data`.
pub fn secret(owner: &Component, data: BTreeMap<String, ByteString>) -> Secret {
    let (name, spec) = (owner.name_any(), &owner.spec);
    let place = Place {
        app: &spec.app,
        plugin: &spec.plugin,
        component: Some(&spec.component),
        group: None,
    };
    let mut labels = place.labels();
    labels.insert(labels::CREDENTIALS.to_owned(), name.clone());
    Secret {
        metadata: ObjectMeta {
            name: Some(names::credentials_secret(&name)),
            namespace: owner.namespace(),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        data: Some(data),
        ..Secret::default()
    }
}

/// Whether `live` is the Secret with the credentials of `owner`, or of an earlier App of the name.
pub fn is_ours(owner: &Component, live: &Secret) -> bool {
    let label = |key: &str| live.labels().get(key).map(String::as_str);
    label(labels::CREDENTIALS) == Some(&owner.name_any())
        && label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_PAAMESH)
}

/// The keys that `credentials` need and `live` has not, each with a new value; `random` gives so many
/// random bytes.
///
/// # Errors
/// There are no random bytes.
pub fn missing<E>(
    credentials: &[Credential],
    live: Option<&Secret>,
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<BTreeMap<String, ByteString>, E> {
    let has = |key: &String| {
        let data = live.and_then(|live| live.data.as_ref());
        data.is_some_and(|data| data.contains_key(key))
    };
    let mut missing = BTreeMap::new();
    for credential in credentials {
        let (user, password) = names::credential_keys(&credential.name);
        if !has(&user) {
            let name = credential.username.as_deref();
            let name = name.unwrap_or(credential.name.as_str());
            missing.insert(user, ByteString(name.as_bytes().to_vec()));
        }
        if !has(&password) {
            missing.insert(password, ByteString(generated(&mut random)?));
        }
    }
    Ok(missing)
}

/// A password. Bytes that would make some characters likelier than others are left out.
fn generated<E>(random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Vec<u8>, E> {
    const FAIR: u8 = 248; // 4 * 62
    let mut password = Vec::with_capacity(PASSWORD_LENGTH);
    let mut bytes = [0; 2 * PASSWORD_LENGTH];
    while password.len() < PASSWORD_LENGTH {
        random(&mut bytes)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let characters = fair.map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]);
        password.extend(characters.take(PASSWORD_LENGTH - password.len()));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn credential(name: &str, username: Option<&str>) -> Credential {
        Credential {
            name: name.parse().unwrap(),
            username: username.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_is_missing_is_generated_and_from_fair_bytes_alone() {
        // Numerical Recipes' generator: every byte comes up.
        let mut next = 0_u32;
        let mut counter = |bytes: &mut [u8]| {
            for byte in bytes {
                next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [*byte, ..] = next.to_be_bytes();
            }
            Ok::<(), Infallible>(())
        };
        let both = [
            credential("admin", Some("postgres")),
            credential("monitor", None),
        ];
        let first = missing(&both[..1], None, &mut counter).unwrap();
        let text = |data: &BTreeMap<String, ByteString>, key: &str| {
            String::from_utf8(data[key].0.clone()).unwrap()
        };
        assert_eq!(text(&first, "admin-username"), "postgres");
        assert_eq!(text(&first, "admin-password").len(), PASSWORD_LENGTH);
        let live = Secret {
            data: Some(first),
            ..Secret::default()
        };
        let added = missing(&both, Some(&live), &mut counter).unwrap();
        let keys: Vec<&String> = added.keys().collect();
        assert_eq!(keys, ["monitor-password", "monitor-username"]);
        assert_eq!(text(&added, "monitor-username"), "monitor");
        let (mut seen, mut all) = (std::collections::BTreeSet::new(), 0);
        for _ in 0..100 {
            let password = generated(&mut counter).unwrap();
            assert!(password.iter().all(u8::is_ascii_alphanumeric));
            all += password.len();
            seen.extend(password);
        }
        assert_eq!((seen.len(), all), (62, 3200));
    }
}
