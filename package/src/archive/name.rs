//! Names of entries: where each belongs, and how it is told.

/// Where an entry belongs.
pub(super) enum Place {
    /// Left out: the root itself, or a part of the path begins with a dot.
    Nowhere,
    /// In the tree.
    At(String),
}

/// Where the entry `name` belongs, or why it belongs nowhere. What an addon's files are called is
/// [`Tree`](crate::Tree)'s matter.
pub(super) fn place(name: &[u8]) -> Result<Place, &'static str> {
    let name = std::str::from_utf8(name).map_err(|_| "the name is not UTF-8")?;
    if name.chars().any(char::is_control) {
        return Err("a control character is in the name");
    }
    if name.is_empty() {
        return Err("an entry without a name");
    }
    if name.starts_with('/') {
        return Err("an absolute path; pack the addon from within its folder");
    }
    if name.contains('\\') {
        return Err("a backslash is in the path, which some readers take for `/`");
    }
    let path = name.strip_prefix("./").unwrap_or(name);
    let path = path.strip_suffix('/').unwrap_or(path);
    if matches!(path, "" | ".") {
        return Ok(Place::Nowhere);
    }
    let mut parts = path.split('/');
    if parts.clone().any(|part| part == "..") {
        return Err("`..` leads out of the addon");
    }
    if parts.clone().any(|part| matches!(part, "" | ".")) {
        return Err("an empty part or a `.` is in the path");
    }
    if parts.any(|part| part.starts_with('.')) {
        return Ok(Place::Nowhere);
    }
    Ok(Place::At(path.to_owned()))
}

/// The name as one line of text.
pub(super) fn shown(name: &[u8]) -> String {
    let shown = |c: char| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    String::from_utf8_lossy(name).chars().map(shown).collect()
}
