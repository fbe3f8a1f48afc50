//! What stands behind flags: texts that mean something here.

use api::{
    Version,
    names::{ComponentName, PluginName},
};
use package::quantity::Quantity;
use serde_json::Value;
use std::time::Duration;

/// A version, and perhaps the middleware's.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The addon's version.
    pub(crate) addon: Version,
    /// The middleware's version, where it was said.
    pub(crate) runtime: Option<Version>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    /// The component that has the parameter.
    pub(crate) component: ComponentName,
    /// The parameter's name.
    pub(crate) parameter: String,
    /// Text, a number or a boolean.
    pub(crate) value: Value,
}

/// A plugin, and perhaps one of its versions.
#[derive(Clone, Debug)]
pub(crate) struct VersionOf {
    /// The plugin.
    pub(crate) plugin: PluginName,
    /// The version, where it was said.
    pub(crate) version: Option<Version>,
}

/// Who may have signed without a key, as regular expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Who vouches for the identity.
    pub(crate) issuer: String,
    /// A mail address or a URL.
    pub(crate) subject: String,
}

/// A plugin, and perhaps a version.
///
/// # Errors
/// It is no `PLUGIN[@VERSION]`.
pub(super) fn plugin_and_version(text: &str) -> Result<VersionOf, String> {
    let (plugin, version) = match text.split_once('@') {
        Some((plugin, version)) => (plugin, Some(version)),
        None => (text, None),
    };
    let plugin = plugin.parse::<PluginName>();
    let version = version.map(|text| text.parse::<Version>().map_err(|error| error.to_string()));
    Ok(VersionOf {
        plugin: plugin.map_err(|error| error.to_string())?,
        version: version.transpose()?,
    })
}

/// Who may have signed.
///
/// # Errors
/// It is no `ISSUER,SUBJECT`.
pub(super) fn identity(text: &str) -> Result<Identity, String> {
    let want = "want ISSUER,SUBJECT as two regular expressions, such as \
                `https://accounts\\.example\\.com,.*@example\\.com`";
    match text.split_once(',') {
        Some((issuer, subject)) if !issuer.is_empty() && !subject.is_empty() => Ok(Identity {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }),
        _ => Err(want.to_owned()),
    }
}

/// The full hash of a commit.
///
/// # Errors
/// It is none of SHA-1 or SHA-256.
pub(super) fn commit(text: &str) -> Result<String, String> {
    let digits = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match digits && [40, 64].contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err("want a commit's full hash, as `git rev-parse REF` prints it".to_owned()),
    }
}

/// The name of an object in Kubernetes.
///
/// # Errors
/// It is no RFC 1123 subdomain.
pub(super) fn kubernetes_name(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ends = !part.starts_with('-') && !part.ends_with('-');
        !part.is_empty() && ends && part.bytes().all(inner)
    };
    match text.len() <= 253 && text.split('.').all(part) {
        true => Ok(text.to_owned()),
        false => Err(
            "want lower-case letters, digits, `-` and `.`, a letter or digit at both ends"
                .to_owned(),
        ),
    }
}

/// A period, as a source has it.
///
/// # Errors
/// It is none.
pub(super) fn period(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

/// A period.
///
/// # Errors
/// It is none.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    package::duration::parse(text).map_err(|error| error.to_string())
}

/// Where a way begins or ends.
///
/// # Errors
/// It is no `VERSION[@RUNTIME]`.
pub(super) fn place(text: &str) -> Result<Place, String> {
    let (addon, runtime) = match text.split_once('@') {
        Some((addon, runtime)) => (addon, Some(runtime)),
        None => (text, None),
    };
    let version = |text: &str| text.parse::<Version>().map_err(|error| error.to_string());
    Ok(Place {
        addon: version(addon)?,
        runtime: runtime.map(version).transpose()?,
    })
}

/// How many members of a component.
///
/// # Errors
/// It is no `COMPONENT=N`.
pub(super) fn replicas(text: &str) -> Result<(ComponentName, u32), String> {
    let (component, number) = text
        .split_once('=')
        .ok_or("want COMPONENT=N, such as `redis=3`")?;
    let name = component.parse::<ComponentName>();
    let name = name.map_err(|error| error.to_string())?;
    let number = number.parse();
    let number = number.map_err(|_| "want a whole number of members after `=`")?;
    Ok((name, number))
}

/// The value of a parameter.
///
/// # Errors
/// It is no `COMPONENT.PARAMETER=VALUE`, or the value is no scalar.
pub(super) fn setting(text: &str) -> Result<Setting, String> {
    let want = "want COMPONENT.PARAMETER=VALUE, such as `redis.timeout=60`";
    let (name, value) = text.split_once('=').ok_or(want)?;
    let (component, parameter) = name.split_once('.').ok_or(want)?;
    let component = component.parse::<ComponentName>();
    if parameter.is_empty() {
        return Err(want.to_owned());
    }
    Ok(Setting {
        component: component.map_err(|error| error.to_string())?,
        parameter: parameter.to_owned(),
        value: scalar(value)?,
    })
}

/// What the text is where it stands as a value in YAML.
fn scalar(text: &str) -> Result<Value, String> {
    let quotes = format!("as text it needs quotes for YAML: `'{text}'`");
    let digits = text.trim_start_matches(['+', '-']);
    let octal = digits.len() > 1 && digits.starts_with('0') && !digits.contains('.');
    match serde_saphyr::from_str::<Value>(text) {
        Ok(Value::Number(_)) if octal && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Err(format!(
                "`{text}` is an octal number to some readers; write it without the leading 0; {quotes}"
            ))
        }
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => Ok(value),
        Ok(Value::Null) if text.trim().is_empty() => {
            Err("want a value after `=`; an empty text is `''`".to_owned())
        }
        Ok(Value::Null) => Err(format!("nothing is no value; {quotes}")),
        Ok(_) => Err(format!(
            "want text, a number, true or false, no list and no map; {quotes}"
        )),
        Err(_) => Err(format!("`{text}` is no YAML; {quotes}")),
    }
}

/// A size of a volume.
///
/// # Errors
/// It is no quantity, or 0.
pub(crate) fn volume_size(text: &str) -> Result<String, String> {
    match text.parse::<Quantity>() {
        Ok(size) if size.is_zero() => Err("a volume of size 0 holds nothing".to_owned()),
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_in_an_app() {
        let value = |text: &str| setting(&format!("redis.a.b={text}")).map(|s| s.value);
        assert_eq!(value("60"), Ok(60.into()));
        assert_eq!(value("-1"), Ok((-1).into()));
        assert_eq!(value("0.5"), Ok(0.5.into()));
        assert_eq!(value("0"), Ok(0.into()));
        assert_eq!(value("on"), Ok(true.into()));
        assert_eq!(value("'60'"), Ok("60".into()));
        assert_eq!(value("16MB"), Ok("16MB".into()));
        assert_eq!(value("a=b c"), Ok("a=b c".into()));
        assert_eq!(value("''"), Ok("".into()));
        for wrong in ["", "~", "[1]", "{a: 1}", "014", "'"] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
        let set = setting("redis.a.b=1").unwrap();
        assert_eq!(
            (set.component.as_str(), set.parameter.as_str()),
            ("redis", "a.b")
        );
        for wrong in ["redis", "redis=1", "redis.=1", "Redis.a=1"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_may_name_the_runtime() {
        let both = place("1.0.0@7.2.4").unwrap();
        assert_eq!(both.addon, "1.0.0".parse().unwrap());
        assert_eq!(both.runtime, Some("7.2.4".parse().unwrap()));
        assert_eq!(place("1.0.0").unwrap().runtime, None);
        assert!(place("1.0").is_err() && place("1.0.0@").is_err());
    }
}
