//! What the API server wants of names in an object (Kubernetes, «Labels and Selectors» and
//! `validation.go` of apimachinery).

/// The most characters of a label's value, and of the name in a key.
const MAX_NAME: usize = 63;
/// The most characters of what stands before the `/` of a key, a DNS subdomain.
const MAX_PREFIX: usize = 253;

/// Whether `text` can be the value of a label.
pub(super) fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// Whether `text` can be the key of a label or an annotation: `name`, or `prefix/name`.
pub(super) fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => prefix.len() <= MAX_PREFIX && is_dns(prefix, true) && is_name(name),
        None => is_name(text),
    }
}

/// Whether `text` can be a key of the data of a ConfigMap or a Secret.
pub(super) fn is_data_key(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=MAX_PREFIX).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with("..")
}

/// Whether `text` is a DNS label, or with `dots` a DNS subdomain.
pub(super) fn is_dns(text: &str, dots: bool) -> bool {
    let part = |part: &str| {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !part.is_empty()
            && part.bytes().all(allowed)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if dots {
        text.split('.').all(part)
    } else {
        part(text)
    }
}

fn is_name(text: &str) -> bool {
    let end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    text.len() <= MAX_NAME
        && end(text.bytes().next())
        && end(text.bytes().last())
        && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_the_api_server_takes() {
        let long = "a".repeat(64);
        for good in ["a", "app.kubernetes.io/name", "A_b.c-1", "x/Y"] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "A.b/c", "-a", "a ", &long] {
            assert!(!is_key(bad), "{bad}");
        }
        assert!(is_label_value("") && is_label_value("v1.2_3-x"));
        for bad in ["a b", "-a", "a-", "ä", &long] {
            assert!(!is_label_value(bad), "{bad}");
        }
        assert!(is_data_key("redis.conf") && is_data_key("-_."));
        assert!(!is_data_key("") && !is_data_key("a/b") && !is_data_key(".."));
    }
}
