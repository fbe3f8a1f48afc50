//! What the cluster is: its version, and which kinds it knows. Asked when somebody needs it, and not
//! again for a while.

use crate::{asked::Asked, error::is_not_found};
use api::Version;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long a version is good for: a control plane is seldom replaced, and what runs is not asked.
const VERSION_AGE: Duration = Duration::from_secs(3600);
/// How long kinds are good for: somebody who installs what was missing does not wait longer.
const KINDS_AGE: Duration = Duration::from_secs(60);

/// What the cluster is.
pub struct Cluster {
    client: kube::Client,
    version: Asked<Version>,
    kinds: Mutex<BTreeMap<String, (Instant, BTreeSet<String>)>>,
}

impl Cluster {
    /// Nothing was asked yet.
    pub fn new(client: kube::Client) -> Self {
        Self {
            client,
            version: Asked::default(),
            kinds: Mutex::default(),
        }
    }

    /// The version of the API server, of three numbers, at most an hour old.
    ///
    /// # Errors
    /// It could not be asked.
    pub async fn version(&self) -> Result<Version, Box<kube::Error>> {
        let ask = async || {
            let info = self.client.apiserver_version().await?;
            Ok(numbers(&info.git_version))
        };
        self.version.within(VERSION_AGE, ask).await
    }

    /// Whether the cluster knows `kind` in `api_version`, `<group>/<version>`, as of a minute ago at
    /// most. Kinds that it knew are not asked for again.
    ///
    /// # Errors
    /// It could not be asked.
    pub async fn knows(&self, api_version: &str, kind: &str) -> Result<bool, Box<kube::Error>> {
        let mut held = self.kinds.lock().await;
        if let Some((asked, kinds)) = held.get(api_version) {
            let known = kinds.contains(kind);
            if known || asked.elapsed() < KINDS_AGE {
                return Ok(known);
            }
        }
        let kinds = match self.client.list_api_group_resources(api_version).await {
            Ok(list) => list.resources.into_iter().map(|r| r.kind).collect(),
            Err(error) if is_not_found(&error) => BTreeSet::new(),
            Err(error) => return Err(Box::new(error)),
        };
        let known = kinds.contains(kind);
        held.insert(api_version.to_owned(), (Instant::now(), kinds));
        Ok(known)
    }
}

/// The three numbers of `v1.34.4-gke.100+abc`: a distribution's suffix is no pre-release.
fn numbers(text: &str) -> Version {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let mut parts = bare.split(['-', '+']).next().unwrap_or_default().split('.');
    let mut next = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    Version::new(next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_of_a_distribution_is_no_pre_release() {
        for (text, want) in [
            ("v1.34.4", "1.34.4"),
            ("v1.31.2-gke.1384000", "1.31.2"),
            ("v1.30.5+k3s1", "1.30.5"),
            ("1.29", "1.29.0"),
        ] {
            assert_eq!(numbers(text).to_string(), want, "{text}");
        }
    }
}
