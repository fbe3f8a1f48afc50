//! What stands in an object: conditions, counts, times. Each function returns what is there, or an
//! error that says what is there instead.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

/// The text at a JSON pointer; empty where there is none.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The elements of a list at a JSON pointer.
pub fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// `kind/name`, for messages.
pub fn name(object: &Value) -> String {
    let kind = text(object, "/kind").to_lowercase();
    format!("{kind}/{}", text(object, "/metadata/name"))
}

/// The condition of a type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions")
        .iter()
        .find(|c| text(c, "/type") == kind)
}

/// The message of the condition, where its status is `status` and it describes this generation.
pub fn told<'a>(object: &'a Value, kind: &str, status: &str) -> Result<&'a str> {
    let Some(found) = condition(object, kind) else {
        bail!(
            "{} has no condition {kind}: {}",
            name(object),
            conditions(object)
        );
    };
    ensure!(
        text(found, "/status") == status,
        "{}: {}",
        name(object),
        conditions(object)
    );
    let seen = found.pointer("/observedGeneration");
    let current = seen.is_none() || seen == object.pointer("/metadata/generation");
    ensure!(
        current,
        "{}: {kind} describes an older generation",
        name(object)
    );
    Ok(text(found, "/message"))
}

/// The same, where the reason is `reason` too.
pub fn told_why<'a>(object: &'a Value, kind: &str, status: &str, reason: &str) -> Result<&'a str> {
    let message = told(object, kind, status)?;
    let found = condition(object, kind).map_or("", |c| text(c, "/reason"));
    ensure!(
        found == reason,
        "{}: {kind} has reason {found}, not {reason}: {message}",
        name(object)
    );
    Ok(message)
}

/// All conditions in one line, for messages.
pub fn conditions(object: &Value) -> String {
    let lines = list(object, "/status/conditions").iter().map(|c| {
        let (kind, status) = (text(c, "/type"), text(c, "/status"));
        format!(
            "{kind}={status} ({}: {})",
            text(c, "/reason"),
            text(c, "/message")
        )
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        "no conditions yet".into()
    } else {
        lines.join("; ")
    }
}

/// Each of `parts` stands in `message`.
pub fn names_all(message: &str, parts: &[&str]) -> Result<()> {
    for part in parts {
        ensure!(
            message.contains(part),
            "`{part}` does not stand in: {message}"
        );
    }
    Ok(())
}

/// `kind/name` → (uid, resourceVersion) of each object of a list.
pub fn versions(objects: &[Value]) -> BTreeMap<String, (String, String)> {
    let entry = |o: &Value| {
        let (uid, version) = (
            text(o, "/metadata/uid"),
            text(o, "/metadata/resourceVersion"),
        );
        (name(o), (uid.to_owned(), version.to_owned()))
    };
    objects.iter().map(entry).collect()
}

/// What differs between two maps, in words; empty where nothing does.
pub fn differences<V: PartialEq + std::fmt::Debug>(
    before: &BTreeMap<String, V>,
    after: &BTreeMap<String, V>,
) -> Vec<String> {
    let gone = before
        .keys()
        .filter(|k| !after.contains_key(*k))
        .map(|k| format!("{k} is gone"));
    let new = after
        .keys()
        .filter(|k| !before.contains_key(*k))
        .map(|k| format!("{k} is new"));
    let other = before.iter().filter_map(|(k, old)| {
        let new = after.get(k).filter(|new| *new != old)?;
        Some(format!("{k}: {old:?} became {new:?}"))
    });
    gone.chain(new).chain(other).collect()
}

/// The value of a metric in the text that Prometheus reads, summed over its labels.
pub fn metric(scraped: &str, metric: &str) -> Result<f64> {
    let samples = scraped.lines().filter(|line| {
        line.strip_prefix(metric)
            .is_some_and(|rest| rest.starts_with([' ', '{']))
    });
    let values: Vec<f64> = samples
        .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
        .collect();
    ensure!(!values.is_empty(), "no metric {metric}");
    Ok(values.iter().sum())
}

/// The first of `list` that `wanted` accepts.
pub fn find<'a>(
    list: &'a [Value],
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Result<&'a Value> {
    list.iter()
        .find(|o| wanted(o))
        .with_context(|| format!("no {what} among {}", list.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_condition_of_an_older_generation_is_not_believed() {
        let condition = |generation| json!({"type": "Ready", "status": "True", "reason": "Running", "message": "m", "observedGeneration": generation});
        let object = |generation| json!({"kind": "App", "metadata": {"name": "a", "generation": 2}, "status": {"conditions": [condition(generation)]}});
        assert_eq!(told(&object(2), "Ready", "True").unwrap(), "m");
        assert!(told(&object(1), "Ready", "True").is_err());
        assert!(told(&object(2), "Ready", "False").is_err());
        assert!(told_why(&object(2), "Ready", "True", "Other").is_err());
    }

    #[test]
    fn metrics_are_summed_over_labels() {
        let scraped = "# TYPE x counter\nx_total{a=\"1\"} 2\nx_total{a=\"2\"} 3\nx_total_more 9\n";
        assert_eq!(metric(scraped, "x_total").unwrap(), 5.0);
        assert!(metric(scraped, "y").is_err());
    }

    #[test]
    fn every_difference_is_told() {
        let before = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]);
        let after = BTreeMap::from([("b".to_owned(), 2), ("c".to_owned(), 1)]);
        assert_eq!(
            differences(&before, &after),
            ["a is gone", "c is new", "b: 1 became 2"]
        );
        assert!(differences(&before, &before).is_empty());
    }
}
