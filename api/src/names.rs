//! The checked names that people write, and the names that the platform makes of them (design.md,
//! section 3). Names can never change once data exists.

use crate::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The text is no name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind}: want {rule}")]
pub struct InvalidName {
    text: String,
    kind: &'static str,
    rule: &'static str,
}

macro_rules! checked_name {
    ($(#[$doc:meta])* $Name:ident, $kind:literal, max $max:literal, pattern $pattern:literal, $check:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $Name(String);

        impl $Name {
            /// The most characters.
            pub const MAX_LENGTH: usize = $max;
            /// The regular expression that the API server checks.
            pub const PATTERN: &'static str = $pattern;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $Name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if !text.is_empty() && text.len() <= $max && check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { text: text.to_owned(), kind: $kind, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $Name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$Name> for String {
            fn from(name: $Name) -> String {
                name.0
            }
        }

        impl std::borrow::Borrow<str> for $Name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "crd")]
        impl schemars::JsonSchema for $Name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern, "minLength": 1, "maxLength": $max})
            }
        }
    };
}

checked_name!(
    /// A plugin's name: the `name` of an addon, the `plugin` of an App.
    PluginName, "plugin name", max 40, pattern "^[a-z]([-a-z0-9]*[a-z0-9])?$", dns_label,
    "at most 40 lower-case letters, digits and `-`, starting with a letter, not ending in `-`"
);
checked_name!(
    /// An App's name, an RFC 1035 label short enough for all names made of it.
    AppName, "App name", max 30, pattern "^[a-z]([-a-z0-9]*[a-z0-9])?$", dns_label,
    "at most 30 lower-case letters, digits and `-`, starting with a letter, not ending in `-`"
);
checked_name!(
    /// A topology's name.
    TopologyName, "topology name", max 40, pattern "^[a-z]([-a-z0-9]*[a-z0-9])?$", dns_label,
    "at most 40 lower-case letters, digits and `-`, starting with a letter, not ending in `-`"
);
checked_name!(
    /// A component's short name. `h` and `svc` are reserved: they end names of Services.
    ComponentName, "component name", max 14, pattern "^[a-z][a-z0-9]*$",
    |text| word(text) && !matches!(text, "h" | "svc"),
    "at most 14 lower-case letters and digits, starting with a letter; `h` and `svc` are reserved"
);
checked_name!(
    /// A group's short name: `0` where the user names none.
    GroupName, "group name", max 12, pattern "^[a-z0-9]+$",
    |text| text.bytes().all(lower_or_digit),
    "at most 12 lower-case letters and digits"
);
checked_name!(
    /// A role, as the middleware itself knows it.
    RoleName, "role name", max 12, pattern "^[a-z][a-z0-9]*$", word,
    "at most 12 lower-case letters and digits, starting with a letter"
);
checked_name!(
    /// A volume of a component.
    VolumeName, "volume name", max 14, pattern "^[a-z]([-a-z0-9]*[a-z0-9])?$", dns_label,
    "at most 14 lower-case letters, digits and `-`, starting with a letter, not ending in `-`"
);

checked_name!(
    /// A profile: defaults of an addon under one name.
    ProfileName, "profile name", max 40, pattern "^[a-z]([-a-z0-9]*[a-z0-9])?$", dns_label,
    "at most 40 lower-case letters, digits and `-`, starting with a letter, not ending in `-`"
);
checked_name!(
    /// An action of a component.
    ActionName, "action name", max 40, pattern "^[a-z][A-Za-z0-9]*$",
    |text| text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(|b| b.is_ascii_alphanumeric()),
    "at most 40 letters and digits, starting with a lower-case letter"
);
checked_name!(
    /// Credentials of a component.
    CredentialName, "credential name", max 14, pattern "^[a-z][a-z0-9]*$", word,
    "at most 14 lower-case letters and digits, starting with a letter"
);

fn lower_or_digit(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit()
}

fn word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(lower_or_digit)
}

fn dns_label(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| lower_or_digit(b) || b == b'-')
        && !text.ends_with('-')
}

impl GroupName {
    /// The group of a component whose user names no groups.
    pub fn sole() -> Self {
        Self("0".to_owned())
    }
}

/// The name of the MiddlewareAddon of one version: `<plugin>-<version>`.
pub fn addon(plugin: &PluginName, version: &Version) -> String {
    format!("{plugin}-{version}")
}

/// The name of a content object that the registry makes: `<plugin>-<section>-<12 hex>`.
pub fn content(plugin: &PluginName, section: &str, digest: &crate::Digest) -> String {
    format!("{plugin}-{section}-{}", digest.short(12))
}

/// The name of a Component: `<app>-<component>`; also of the Service of all its ready members.
pub fn component(app: &AppName, component: &ComponentName) -> String {
    format!("{app}-{component}")
}

/// The name of a Group: `<app>-<component>-<group>`; also of its record (a Lease), its Secret and
/// its service account.
pub fn group(app: &AppName, component: &ComponentName, group: &GroupName) -> String {
    format!("{app}-{component}-{group}")
}

/// The name of a pod, and its host name: `<Group>-<ordinal>`.
pub fn pod(group: &str, ordinal: u32) -> String {
    format!("{group}-{ordinal}")
}

/// The name of a volume claim: `<volume>-<pod>`.
pub fn claim(volume: &VolumeName, pod: &str) -> String {
    format!("{volume}-{pod}")
}

/// The name of a Group's headless Service: `<Group>-h`.
pub fn headless_service(group: &str) -> String {
    format!("{group}-h")
}

/// The name of the Service that follows a role: `<app>-<component>-<role>-svc`.
pub fn role_service(app: &AppName, component: &ComponentName, role: &RoleName) -> String {
    format!("{app}-{component}-{role}-svc")
}

/// The name of the ConfigMap with the scripts and actions of a Component: `<Component>-content`.
pub fn content_config_map(component: &str) -> String {
    format!("{component}-content")
}

/// The name of the ConfigMap with the rendered configuration of a Component: `<Component>-config`.
pub fn config_config_map(component: &str) -> String {
    format!("{component}-config")
}

/// The name of the Secret with the credentials that were generated for a Component:
/// `<Component>-credentials`.
pub fn credentials_secret(component: &str) -> String {
    format!("{component}-credentials")
}

/// The keys of one credential in the Secret: `<credential>-username` and `<credential>-password`.
pub fn credential_keys(credential: &CredentialName) -> (String, String) {
    (
        format!("{credential}-username"),
        format!("{credential}-password"),
    )
}

/// The name of the ConfigMap that tells an App's story: `<app>-metadata`.
pub fn metadata_config_map(app: &AppName) -> String {
    format!("{app}-metadata")
}

/// The key of `file` of a revision in a content or configuration ConfigMap: `<8 hex>.<file>`.
pub fn revision_key(revision: &str, file: &str) -> String {
    format!("{revision}.{file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_names_fit_a_dns_label() {
        let app: AppName = "a".repeat(30).parse().unwrap();
        let part: ComponentName = "c".repeat(14).parse().unwrap();
        let shard: GroupName = "g".repeat(12).parse().unwrap();
        let role: RoleName = "r".repeat(12).parse().unwrap();
        let group = group(&app, &part, &shard);
        assert!(pod(&group, 9999).len() <= 63);
        assert!(headless_service(&group).len() <= 63);
        assert!(role_service(&app, &part, &role).len() <= 63);
    }

    #[test]
    fn refuses_with_the_rule() {
        for bad in [
            "",
            "Redis",
            "1redis",
            "redis-",
            "re.dis",
            "h",
            "svc",
            "two-words",
            &"a".repeat(15),
        ] {
            assert!(bad.parse::<ComponentName>().is_err(), "{bad}");
        }
        let error = "My_App".parse::<AppName>().unwrap_err().to_string();
        assert!(
            error.starts_with("`My_App` is no App name: want at most 30"),
            "{error}"
        );
    }
}
