//! References to container images, by the grammar of the OCI distribution specification and the
//! reference implementation: `[registry[:port]/]path[:tag][@digest]`.

/// The text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{image}` is no image: {reason}; want `registry/name:tag` or `registry/name@sha256:…`")]
pub struct InvalidImage {
    image: String,
    reason: &'static str,
}

/// Nothing where `image` is well-formed and names one build: it has a tag or a digest.
///
/// # Errors
/// It is not, and why.
pub fn check(image: &str) -> Result<(), InvalidImage> {
    well_formed(image).map_err(|reason| InvalidImage {
        image: image.to_owned(),
        reason,
    })
}

fn well_formed(image: &str) -> Result<(), &'static str> {
    let (named, digest) = match image.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (image, None),
    };
    if digest.is_some_and(|digest| digest.parse::<api::Digest>().is_err()) {
        return Err("its digest is not `sha256:` and 64 lower-case hex digits");
    }
    let after_path = named.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match named[after_path..].split_once(':') {
        Some((last, tag)) => (&named[..after_path + last.len()], Some(tag)),
        None => (named, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("its tag has characters that a tag may not have, or more than 128");
    }
    if tag.is_none() && digest.is_none() {
        return Err("it has neither tag nor digest");
    }
    is_name(name)
        .then_some(())
        .ok_or("its name is not well-formed")
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// A registry's host has a dot, a port, or is `localhost`; it alone may have capitals and a port.
fn is_name(name: &str) -> bool {
    let (host, path) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
            (Some(first), path)
        }
        _ => (None, name),
    };
    name.len() <= 255 && host.is_none_or(is_host) && path.split('/').all(is_path_part)
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "1"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    port.parse::<u16>().is_ok() && name.split('.').all(label)
}

/// Lower-case words joined by `.`, `_`, `__` or dashes.
fn is_path_part(part: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(word);
    ends(part.bytes().next())
        && ends(part.bytes().last())
        && part.bytes().all(|b| word(b) || b"._-".contains(&b))
        && !["..", "___", "._", "_.", ".-", "-."]
            .iter()
            .any(|bad| part.contains(bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_a_registry_would_accept() {
        let digest = format!("redis@sha256:{}", "0".repeat(64));
        for good in [
            "redis:7.0.15",
            "library/redis:7",
            "registry.example.org:5000/a/b_c/d-e.f:v1.0_x",
            "localhost/redis:1",
            &digest,
            &digest.replace('@', ":7@"),
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "redis",
            "redis:",
            "Redis:7",
            ":7",
            "redis:7 ",
            "redis@sha256:12",
            "a//b:1",
            "https://a/b:1",
            "-a:1",
            "registry.example.org:port/a:1",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
