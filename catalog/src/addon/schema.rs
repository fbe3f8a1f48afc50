//! `addon schema`: the JSON Schema of the manifest.

use crate::output::Outcome;
use anyhow::Context as _;

/// The schema as JSON.
///
/// # Errors
/// None; a serializer has the last word.
pub(super) fn schema() -> anyhow::Result<Outcome> {
    let schema = package::manifest::json_schema();
    let text = serde_json::to_string_pretty(&schema).context("writing JSON")?;
    Ok(Outcome::clean(text + "\n"))
}
