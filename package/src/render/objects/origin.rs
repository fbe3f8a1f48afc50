//! Which line of a template became a line of the text that it rendered to.
//!
//! In: both texts and the line of one. Out: the line of the other, where only one can be meant; a loop
//! or an include hides it.

/// A place in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The line, from 1.
    pub(super) line: u32,
    /// The greatest column up to which both lines are the same: that of the first `{{`, or the end.
    pub(super) fixed: u32,
}

/// The only line of `template` that can have become the line `line` of `text`: they are the same but
/// for what stands in double braces.
pub(super) fn of(template: &str, text: &str, line: u32) -> Option<Origin> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let rendered = text.lines().nth(index)?;
    let lines = template.lines().enumerate();
    let mut fitting = lines.filter(|(_, written)| fits(written, rendered));
    let (index, written) = fitting.next()?;
    if fitting.next().is_some() {
        return None;
    }
    let before = written.split("{{").next().unwrap_or_default();
    Some(Origin {
        line: u32::try_from(index + 1).ok()?,
        fixed: u32::try_from(before.chars().count() + 1).ok()?,
    })
}

/// Whether `written` can render to `rendered`. A line of nothing but expressions fits nothing: it could
/// become anything.
fn fits(written: &str, rendered: &str) -> bool {
    let parts = literals(written);
    let [first, middle @ .., last] = &parts[..] else {
        return written == rendered;
    };
    let rest = rendered.strip_prefix(first);
    let Some(mut rest) = rest.and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    parts.iter().any(|part| !part.trim().is_empty())
}

/// What stands outside of double braces.
fn literals(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((literal, after)) = rest.split_once("{{") {
        parts.push(literal);
        rest = after.split_once("}}").map_or("", |(_, after)| after);
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "kind: Service
  name: {{ app.name }}-http
  port: {{ component.ports.main }}
  targetport: {{ component.ports.main }}
{{ values.more | indent }}
  same
  same
";

    #[test]
    fn a_line_is_found_where_only_one_can_be_meant() {
        for (rendered, place) in [
            ("kind: Service", Some((1, 14))),
            ("  name: shop-http", Some((2, 9))),
            ("  name: shop", None),
            ("  port: 80", Some((3, 9))),
            ("  targetport: 80", Some((4, 15))),
            ("  same", None),
            ("of the values", None),
        ] {
            let found = of(TEMPLATE, rendered, 1).map(|origin| (origin.line, origin.fixed));
            assert_eq!(found, place, "{rendered}");
        }
        assert_eq!(of(TEMPLATE, "kind: Service", 2), None);
    }
}
