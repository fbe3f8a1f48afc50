//! The API server, as far as one pod's metadata goes: GET and PATCH over HTTPS.
//!
//! In: host, port, the pod's name, and the mounted token and CA. Both are read again for each
//! request, as the kubelet rotates them, and no connection is kept: requests come on change only.

use api::labels;
use api::probe::Observed;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A request, from the connection to the last byte of the answer.
const DEADLINE: Duration = Duration::from_secs(5);
/// Metadata is bounded by the API server to less than this.
const MOST_ANSWER: usize = 2 * 1024 * 1024;
/// Only metadata comes back: a pod is mostly spec and status.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const OWN_NAME: &str = concat!("paamesh-agent/", env!("CARGO_PKG_VERSION"));
const MERGE_PATCH: &str = "application/merge-patch+json";

/// One pod at the API server.
#[derive(Clone, Debug)]
pub struct PodApi {
    /// Host name or address of the API server; an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's UID, from the start or since the pod was first read.
    pub uid: OnceLock<String>,
    /// Where `token` and `ca.crt` lie.
    pub credentials: PathBuf,
}

/// What this agent wants to know of its pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// The version that was read.
    pub resource_version: String,
    /// The role label.
    pub role: Option<String>,
    /// The annotation; `None` also where it is none that this agent reads.
    pub observed: Option<Observed>,
}

/// What came of a patch that the API server understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    /// The pod is as it was wanted.
    Done,
    /// Somebody else wrote the pod since it was read.
    Conflict,
}

/// The pod cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The mounted token or CA cannot be read.
    #[error("cannot read {}", path.display())]
    Credentials {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The mounted CA is none.
    #[error("ca.crt holds no usable certificate: {0}")]
    Authority(String),
    /// The request cannot be made of the pod's name and the token.
    #[error("cannot make the request")]
    Request(#[source] http::Error),
    /// The API server cannot be reached, or is not the one that the CA vouches for.
    #[error("cannot reach the API server")]
    Send(#[source] hyper_util::client::legacy::Error),
    /// The answer broke off or is too long.
    #[error("cannot read the answer: {0}")]
    Answer(String),
    /// No whole answer in time.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    TimedOut,
    /// The API server refuses.
    #[error("the API server answers {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it says about it.
        message: String,
    },
    /// This agent's pod is gone, and another one has its name.
    #[error("another pod has this one's name: its UID is {0}")]
    Replaced(String),
    /// Request or answer is no JSON of ours.
    #[error("not the JSON of a pod")]
    Json(#[source] serde_json::Error),
    /// Somebody else is always faster.
    #[error("somebody else wrote the pod {0} times in a row")]
    Contended(usize),
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    uid: String,
    resource_version: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl PodApi {
    /// Reads the pod. The API server believes a token for some seconds after its pod is gone, so
    /// the UID is compared here too.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn get(&self) -> Result<Pod, ApiError> {
        let (status, answer) = self.call(Method::GET, Bytes::new()).await?;
        if status != StatusCode::OK {
            return Err(refused(status, &answer));
        }
        let object: Object = serde_json::from_slice(&answer).map_err(ApiError::Json)?;
        let Metadata {
            uid,
            resource_version,
            mut labels,
            annotations,
        } = object.metadata;
        if *self.uid.get_or_init(|| uid.clone()) != uid {
            return Err(ApiError::Replaced(uid));
        }
        let observed = annotations.get(labels::OBSERVED);
        let observed = observed.and_then(|json| serde_json::from_str(json).ok());
        Ok(Pod {
            resource_version,
            role: labels.remove(labels::ROLE),
            observed,
        })
    }

    /// Merges `patch` into the pod.
    ///
    /// # Errors
    /// [`ApiError`]; a conflict is none.
    pub async fn patch(&self, patch: &Value) -> Result<Patched, ApiError> {
        let (status, answer) = self
            .call(Method::PATCH, Bytes::from(patch.to_string()))
            .await?;
        match status {
            StatusCode::OK => Ok(Patched::Done),
            StatusCode::CONFLICT => Ok(Patched::Conflict),
            _ => Err(refused(status, &answer)),
        }
    }

    async fn call(&self, method: Method, body: Bytes) -> Result<(StatusCode, Bytes), ApiError> {
        let exchange = self.exchange(self.request(method, body)?);
        tokio::time::timeout(DEADLINE, exchange)
            .await
            .unwrap_or(Err(ApiError::TimedOut))
    }

    fn request(&self, method: Method, body: Bytes) -> Result<Request<Full<Bytes>>, ApiError> {
        let token = self.credential("token")?;
        let token = String::from_utf8_lossy(&token);
        Request::builder()
            .method(method)
            .uri(self.uri())
            .header(AUTHORIZATION, format!("Bearer {}", token.trim()))
            .header(USER_AGENT, OWN_NAME)
            .header(ACCEPT, METADATA)
            .header(CONTENT_TYPE, MERGE_PATCH)
            .body(Full::new(body))
            .map_err(ApiError::Request)
    }

    fn uri(&self) -> String {
        let Self {
            host,
            port,
            namespace,
            pod,
            ..
        } = self;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let manager = labels::manager::AGENT;
        format!(
            "https://{host}:{port}/api/v1/namespaces/{namespace}/pods/{pod}?fieldManager={manager}"
        )
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), ApiError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls()?)
            .https_only()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        let answer = client.request(request).await.map_err(ApiError::Send)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MOST_ANSWER)
            .collect()
            .await;
        let body = body.map_err(|error| ApiError::Answer(error.to_string()))?;
        Ok((status, body.to_bytes()))
    }

    fn tls(&self) -> Result<ClientConfig, ApiError> {
        let authority = |error: &dyn ToString| ApiError::Authority(error.to_string());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&self.credential("ca.crt")?) {
            let certificate = certificate.map_err(|error| authority(&error))?;
            roots.add(certificate).map_err(|error| authority(&error))?;
        }
        if roots.is_empty() {
            return Err(ApiError::Authority("the file is empty".to_owned()));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| authority(&error))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }

    fn credential(&self, name: &str) -> Result<Vec<u8>, ApiError> {
        let path = self.credentials.join(name);
        std::fs::read(&path).map_err(|source| ApiError::Credentials { path, source })
    }
}

/// The message of a Kubernetes `Status`, or the beginning of whatever came instead.
fn refused(status: StatusCode, answer: &[u8]) -> ApiError {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let message = serde_json::from_slice::<Status>(answer).map(|status| status.message);
    let text = || String::from_utf8_lossy(answer).chars().take(200).collect();
    ApiError::Refused {
        status,
        message: message.unwrap_or_else(|_| text()),
    }
}
