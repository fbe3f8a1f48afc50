//! Packages by digest, read on demand from content objects and verified.

/// The packages that were read lately.
pub struct Cache;

impl Cache {
    /// An empty cache over the content in `namespace`.
    pub fn new(client: kube::Client, namespace: &str) -> Self {
        let _ = (client, namespace);
        Self
    }
}
