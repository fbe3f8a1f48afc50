//! Templates of addons, rendered with Tera 2 inside the sandbox of `paamesh-evaluate`, which builds
//! this crate for `wasm32-wasip1` and bounds its time and memory.
//!
//! In: a [`Request`]. Out: an [`Answer`], text of bounded size or file, line and column of the fault.
//! No function sees time, chance, environment or files.

mod filters;
// The source of `package::quantity`: that crate whole would bring Kubernetes' types into the sandbox.
#[path = "../../../src/quantity.rs"]
#[expect(dead_code, reason = "filters need a part of it")]
mod quantity;
mod render;

pub use render::render;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The folder of an addon in which templates lie.
const FOLDER: &str = "templates/";

/// One template to be rendered; see `package::RenderRequest`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Every template of the package, by its name in `templates/`: what `include` may name.
    pub templates: BTreeMap<String, String>,
    /// The name of the one that is rendered.
    pub template: String,
    /// What it may refer to: an object.
    pub context: serde_json::Value,
    /// The most bytes of text.
    pub most: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// The text.
    Text(String),
    /// The template is at fault.
    Refused(Fault),
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The file, with its folder.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}
