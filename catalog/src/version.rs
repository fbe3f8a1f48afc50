//! What this plugin is, and which API it speaks.

use crate::output::{self, Paint};
use serde::Serialize;

/// The answer to `version`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: &'static str,
    api: &'static str,
}

impl Report {
    /// This build.
    pub(crate) fn new() -> Self {
        Self {
            version: api::PLATFORM_VERSION,
            api: api::API_VERSION,
        }
    }
}

impl output::Report for Report {
    fn text(&self, _: Paint) -> String {
        format!("kubectl middleware {} ({})\n", self.version, self.api)
    }
}
