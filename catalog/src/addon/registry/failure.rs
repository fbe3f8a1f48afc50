//! What went wrong with a registry, with what a person at a terminal can do about it.

use anyhow::anyhow;
use transport::oci::Error;

/// `error` in a person's words: no Secret of a source is theirs to mend.
pub(in super::super) fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Settings { url, reason } => {
            let reason = reason.replace(".dockerconfigjson", "docker's config.json");
            let reason = reason.replace("ca.crt", "--ca-file");
            anyhow!("{url}: {reason}")
        }
        Error::NoTls { url, host } => anyhow!(
            "{url}: {host} was asked by https and does not speak TLS; check host and port, or give \
             --insecure, which speaks plain HTTP"
        ),
        Error::TlsAlone { url, host } => {
            anyhow!(
                "{url}: {host} was asked by plain HTTP and speaks TLS alone; leave out --insecure"
            )
        }
        Error::Unreachable { url, reason } => {
            anyhow!(
                "{url}: the registry cannot be reached: {reason}; check host, network and \
                 HTTPS_PROXY; --ca-file trusts an authority of your own, --insecure speaks plain HTTP"
            )
        }
        Error::TimedOut { url, what, timeout } => {
            anyhow!("{url}: timed out {what} after {timeout:?}; --timeout gives it longer")
        }
        Error::Unauthorized {
            url, who, status, ..
        } => {
            let host = url.split('/').nth(2).unwrap_or_default();
            let advice = match status {
                403 => "check that you may do this there",
                _ => "check user and password",
            };
            anyhow!(
                "{url}: {who} answered {status}; {advice}: `docker login {host}` keeps a login, \
                 --username and --password-stdin give another"
            )
        }
        Error::InvalidUrl { url, reason } => {
            let reason = reason.replace("; a tag or digest belongs into ref", "");
            anyhow!("`{url}` is no usable OCI repository: {reason}")
        }
        other => anyhow!(other),
    }
}
