//! How URLs of sources are compared: as written would let a capital letter or `/../` get around a
//! policy, or past it.

/// `url` in one form: scheme and host in small letters, without user, default port, `.`, `..`, doubled
/// slashes, and percent-escapes of what needs none. A prefix of a URL keeps its meaning.
pub(super) fn normal(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.to_ascii_lowercase();
    let port = match scheme.as_str() {
        "https" | "oci" => ":443",
        "http" => ":80",
        "ssh" => ":22",
        _ => "",
    };
    let host = match host.strip_suffix(port) {
        Some(bare) => bare,
        None => &host,
    };
    format!("{scheme}://{host}{}", resolved(&unescaped(path)))
}

/// Whether `url` begins with `prefix` at the end of a segment: `https://a/b` covers `https://a/b` and
/// `https://a/b/c`, and not `https://a/bc`. Both in normal form.
pub(super) fn is_under(url: &str, prefix: &str) -> bool {
    match url.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'),
        None => false,
    }
}

/// Without `.`, `..` and empty segments; a slash at the end stays.
fn resolved(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let mut resolved = String::with_capacity(path.len());
    for segment in &kept {
        resolved.push('/');
        resolved.push_str(segment);
    }
    if path.ends_with('/') {
        resolved.push('/');
    }
    resolved
}

/// With escapes of letters, digits, `-`, `.`, `_`, `~` undone (RFC 3986, section 6.2.2.2).
fn unescaped(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.map(char::from) {
            Some(plain) if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => {
                text.push(plain);
                text.push_str(&part[2..]);
            }
            _ => {
                text.push('%');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_one_form() {
        let same = [
            "https://git.example.com/platform/addons",
            "HTTPS://Git.Example.COM/platform/addons",
            "https://someone@git.example.com:443/platform/addons",
            "https://git.example.com//platform/./x/../addons",
            "https://git.example.com/%70latform/%61ddons",
            "https://git.example.com/other/%2e%2e/platform/addons",
        ];
        for url in same {
            assert_eq!(normal(url), same[0], "{url}");
        }
        let others = [
            "https://git.example.com:8443/platform/addons",
            "https://git.example.com/Platform/addons",
            "https://git.example.com/platform%2Faddons",
            "http://git.example.com/platform/addons",
            "ssh://git@git.example.com/platform/addons",
        ];
        for url in others {
            assert_ne!(normal(url), same[0], "{url}");
        }
    }

    #[test]
    fn a_prefix_stays_one() {
        for (prefix, normalised) in [
            ("https://Git.example.com", "https://git.example.com"),
            ("https://git.example.com/", "https://git.example.com/"),
            (
                "https://git.example.com/team-",
                "https://git.example.com/team-",
            ),
            (
                "oci://registry.example.com/x/",
                "oci://registry.example.com/x/",
            ),
            ("ssh://git@git.example.com:22/x", "ssh://git.example.com/x"),
            ("file:///srv/addons", "file:///srv/addons"),
            ("%", "%"),
        ] {
            assert_eq!(normal(prefix), normalised);
        }
    }

    #[test]
    fn a_prefix_covers_whole_segments() {
        for (url, prefix, covered) in [
            ("https://a/b", "https://a/b", true),
            ("https://a/b/c", "https://a/b", true),
            ("https://a/b/c", "https://a/b/", true),
            ("https://a/bc", "https://a/b", false),
            ("https://a.evil/b", "https://a", false),
            ("https://a", "https://a/", false),
        ] {
            assert_eq!(is_under(url, prefix), covered, "{url} under {prefix}");
        }
    }
}
