//! Logs: tracing to standard output, JSON in a cluster.

use crate::args::LogFormat;
use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// Starts logging. `filter` is in the syntax of [`EnvFilter`].
///
/// # Errors
/// The filter does not parse.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("--log `{filter}`: want a level or targets, for example `info,operator=debug`")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_span_list(false),
            )
            .init(),
        LogFormat::Text => registry.with(fmt::layer()).init(),
    }
    Ok(())
}
