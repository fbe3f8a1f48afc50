//! Files that the manifest need not name: the icon; and those that it must, the schemas.

use super::Rules;
use crate::{Finding, tree::SCHEMA_PREFIX};
use regex::Regex;
use std::collections::BTreeSet;

/// The icon as a drawing, and as an image.
const ICONS: [&str; 2] = ["icon.svg", "icon.png"];
/// The most bytes of an icon: a list of addons shows many of them.
const MAX_ICON_BYTES: usize = 128 << 10;
/// What a PNG begins with (PNG specification, section 5.2).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What runs, or fetches, when an SVG is shown. A drawing needs nothing of it.
const ACTIVE_SVG: &str = r#"(?i)<script|<foreignobject|<!entity|javascript:|\son[a-z]+\s*=|(?:href|src)\s*=\s*["']?\s*(?:https?:)?//"#;

impl Rules<'_> {
    pub(super) fn files(&mut self) {
        let icons: Vec<&str> = ICONS
            .into_iter()
            .filter(|icon| self.tree.get(icon).is_some())
            .collect();
        if let [_, second] = icons[..] {
            self.refuse_file(
                second,
                "there are two icons; keep one of icon.svg and icon.png",
            );
        }
        for icon in icons {
            self.icon(icon);
        }
        self.unnamed_schemas();
    }

    fn icon(&mut self, path: &str) {
        let bytes = self.tree.get(path).unwrap_or_default();
        if bytes.len() > MAX_ICON_BYTES {
            let is = bytes.len();
            let message =
                format!("the icon has {is} bytes, and at most {MAX_ICON_BYTES} are allowed");
            self.refuse_file(path, &message);
        }
        if path.ends_with(".png") {
            if !bytes.starts_with(PNG) {
                self.refuse_file(path, "it is no PNG");
            }
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("<svg") => self.drawing(path, text),
            _ => self.refuse_file(path, "it is no SVG"),
        }
    }

    fn drawing(&mut self, path: &str, text: &str) {
        let active = Regex::new(ACTIVE_SVG).ok();
        let Some(found) = active.and_then(|active| active.find(text).map(|found| found.range()))
        else {
            return;
        };
        let before = &text[..found.start];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        self.findings.push(Finding {
            file: path.to_owned(),
            line: u32::try_from(line).ok(),
            column: u32::try_from(before[start..].chars().count() + 1).ok(),
            message: format!(
                "`{}` runs or fetches something where the icon is shown; leave only the drawing",
                text[found].trim()
            ),
        });
    }

    /// Files in `schema/` that no component names.
    fn unnamed_schemas(&mut self) {
        let components = self.manifest.components.values();
        let named: BTreeSet<&str> = components
            .flat_map(|component| &component.schema)
            .map(|schema| schema.file.as_str())
            .collect();
        let unnamed = self.tree.files().filter_map(|(path, _)| {
            let name = path.strip_prefix(SCHEMA_PREFIX)?;
            (!named.contains(name)).then(|| path.to_owned())
        });
        for path in unnamed.collect::<Vec<_>>() {
            let message =
                "no component names this file in its `schema`; name it there, or delete it";
            self.refuse_file(&path, message);
        }
    }

    fn refuse_file(&mut self, path: &str, message: &str) {
        self.findings.push(Finding {
            file: path.to_owned(),
            message: message.to_owned(),
            ..Finding::default()
        });
    }
}
