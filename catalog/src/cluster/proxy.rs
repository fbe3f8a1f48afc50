//! Through which proxy a cluster is reached, decided as kubectl does: what the kubeconfig says of the
//! cluster counts for every host; what the environment says does not count for this machine itself and
//! for the hosts of NO_PROXY.

use super::ClusterError;
use crate::args;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::config::Kubeconfig;
use std::net::IpAddr;

/// The schemes that are spoken.
const SPOKEN: [&str; 3] = ["http", "https", "socks5"];

/// Who says so, where it is not the environment.
const KUBECONFIG: &str = "`proxy-url` of the kubeconfig";

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Where it is, with a password perhaps.
    pub(super) url: Uri,
    /// The same for messages: where it is, and who says so.
    pub(crate) shown: String,
}

/// What `kubeconfig` says of the cluster of `context`, or of its current one.
pub(super) fn named(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let current = context.or(kubeconfig.current_context.as_deref())?;
    let contexts = &mut kubeconfig.contexts.iter();
    let context = contexts.find(|context| context.name == current)?;
    let cluster = &context.context.as_ref()?.cluster;
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|named| named.name == *cluster)?;
    let url = cluster.cluster.as_ref()?.proxy_url.clone();
    url.filter(|url| !url.is_empty())
}

/// The proxy to `server`, where there is one; `named` by the kubeconfig, or by the environment.
///
/// # Errors
/// It is none that can be used.
pub(super) fn to(server: &Uri, named: Option<String>) -> Result<Option<Proxy>, ClusterError> {
    let scheme = server.scheme_str().unwrap_or_default();
    match (named, args::proxy(scheme)) {
        (Some(url), _) => proxy(&url, KUBECONFIG, "").map(Some),
        (None, Some((name, url))) if !is_left_out(server, &args::no_proxy()) => {
            proxy(&url, name, "; NO_PROXY leaves hosts out of it").map(Some)
        }
        _ => Ok(None),
    }
}

/// What is said of a proxy whose URL is none.
pub(super) fn refused(named: Option<String>) -> ClusterError {
    let of_environment = || args::proxy("https").unwrap_or_default();
    let (whence, url) = named.map_or_else(of_environment, |url| (KUBECONFIG, url));
    unusable(&url, whence)
}

/// Whether the environment's proxy is not meant for `server`.
fn is_left_out(server: &Uri, no_proxy: &str) -> bool {
    let host = server.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let all = Matcher::builder().all("http://any").no(no_proxy);
    here || all.build().intercept(server).is_none()
}

/// The proxy at `url`, as `whence` says; `more` is what else there is to say of it.
fn proxy(url: &str, whence: &'static str, more: &str) -> Result<Proxy, ClusterError> {
    let whole = match url.contains("://") {
        true => url.to_owned(),
        false => format!("http://{url}"),
    };
    let refused = |_| unusable(url, whence);
    let url = whole.parse::<Uri>().map_err(refused)?;
    let scheme = url.scheme_str().unwrap_or_default();
    if !SPOKEN.contains(&scheme) || url.host().is_none_or(str::is_empty) {
        return Err(unusable(&whole, whence));
    }
    let shown = format!("{} ({whence}{more})", shown(&whole));
    Ok(Proxy { url, shown })
}

fn unusable(url: &str, whence: &'static str) -> ClusterError {
    let spoken = SPOKEN.map(|scheme| format!("{scheme}://HOST:PORT"));
    ClusterError::Proxy {
        url: shown(url),
        whence,
        spoken: spoken.join(", "),
    }
}

/// The URL without user and password.
fn shown(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(end) => url.split_at(end + 3),
        None => ("", url),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}{}", rest.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_left_out_as_kubectl_leaves_them_out() {
        let cases = [
            ("https://10.0.0.1:6443", "", false),
            ("https://10.0.0.1:6443", "10.0.0.0/8", true),
            ("https://api.example.com", "example.com", true),
            ("https://api.example.com", ".example.com,", true),
            ("https://api.example.com", "example.org", false),
            ("https://api.example.com", "*", true),
            ("https://127.0.0.1:6443", "", true),
            ("https://[::1]:6443", "", true),
            ("https://localhost:6443", "", true),
        ];
        for (server, no_proxy, wanted) in cases {
            let left_out = is_left_out(&server.parse().unwrap(), no_proxy);
            assert_eq!(left_out, wanted, "{server} {no_proxy}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let proxy = proxy(
            "http://ann:p%40ss@proxy.example.com:3128/",
            "HTTPS_PROXY",
            "",
        )
        .unwrap();
        assert_eq!(proxy.shown, "http://proxy.example.com:3128 (HTTPS_PROXY)");
        assert_eq!(
            proxy.url.authority().unwrap(),
            "ann:p%40ss@proxy.example.com:3128"
        );
    }

    #[test]
    fn a_bare_host_is_an_http_proxy_and_what_is_not_spoken_is_refused() {
        let bare = proxy("proxy.example.com:3128", "HTTPS_PROXY", "").unwrap();
        assert_eq!(bare.url, "http://proxy.example.com:3128");
        for url in ["ftp://a:b@h:1", "http://", "http://a b"] {
            let refused = proxy(url, "HTTPS_PROXY", "").unwrap_err().to_string();
            assert!(refused.contains("want http://HOST:PORT"), "{refused}");
            assert!(!refused.contains("a:b@"), "{refused}");
        }
    }
}
