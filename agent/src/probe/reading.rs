//! What a probe's output says about the member. Pure.

use api::names::{InvalidName, RoleName};
use api::probe::Probe;
use regex::Regex;
use std::collections::BTreeMap;

/// What a member said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The addon's role. Whether the addon declares it is the operator's to check.
    pub role: RoleName,
    /// Whether it accepts writes.
    pub writable: bool,
    /// How far it is in its history.
    pub position: u64,
    /// Which history it follows.
    pub lineage: String,
}

/// The output is none that the action table describes.
#[derive(Debug, thiserror::Error)]
pub enum NoReading {
    /// Not the JSON of a probe.
    #[error("probe printed no reading ({0}): want {{role, writable, position, lineage}} as JSON")]
    Json(#[source] serde_json::Error),
    /// The role can be no label.
    #[error("probe printed a role that is none: {0}")]
    Role(#[from] InvalidName),
    /// The pattern does not match, or has no first group.
    #[error("probe's output does not match `{0}`")]
    NoMatch(String),
    /// The pattern found a word that is not in the table.
    #[error("probe printed `{found}`, which is none of {known}")]
    Unknown {
        /// What the first group matched.
        found: String,
        /// What the table lists.
        known: String,
    },
}

impl Reading {
    /// Reads the JSON of [`Probe`].
    ///
    /// # Errors
    /// [`NoReading`].
    pub fn from_json(output: &[u8]) -> Result<Self, NoReading> {
        let probe: Probe = serde_json::from_slice(output).map_err(NoReading::Json)?;
        let Probe {
            role,
            writable,
            position,
            lineage,
        } = probe;
        Ok(Self {
            role: role.parse()?,
            writable,
            position,
            lineage,
        })
    }

    /// Looks up in `roles` what the first group of `pattern` matches. Nothing else is known then:
    /// not writable, at position 0 of no lineage.
    ///
    /// # Errors
    /// [`NoReading`].
    pub fn from_pattern(
        output: &[u8],
        pattern: &Regex,
        roles: &BTreeMap<String, String>,
    ) -> Result<Self, NoReading> {
        let output = String::from_utf8_lossy(output);
        let found = pattern.captures(&output).and_then(|groups| groups.get(1));
        let found = found
            .ok_or_else(|| NoReading::NoMatch(pattern.to_string()))?
            .as_str();
        let role = roles.get(found).ok_or_else(|| NoReading::Unknown {
            found: found.chars().take(64).collect(),
            known: roles
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        Ok(Self {
            role: role.parse()?,
            writable: false,
            position: 0,
            lineage: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redis(output: &str) -> Result<Reading, NoReading> {
        let roles = [("master", "primary"), ("slave", "replica")];
        let roles = roles
            .map(|(said, role)| (said.to_owned(), role.to_owned()))
            .into();
        Reading::from_pattern(
            output.as_bytes(),
            &Regex::new(r"role:(\w+)").unwrap(),
            &roles,
        )
    }

    #[test]
    fn json_is_read_with_defaults_and_nothing_unknown() {
        let all = br#"{"role":"primary","writable":true,"position":42,"lineage":"8f"}"#;
        let reading = Reading::from_json(all).unwrap();
        assert_eq!((reading.role.as_str(), reading.position), ("primary", 42));
        assert!(
            !Reading::from_json(br#"{"role":"replica"}"#)
                .unwrap()
                .writable
        );
        let unknown = Reading::from_json(br#"{"role":"replica","offset":1}"#).unwrap_err();
        assert!(
            unknown.to_string().contains("unknown field `offset`"),
            "{unknown}"
        );
        assert!(matches!(
            Reading::from_json(b"primary"),
            Err(NoReading::Json(_))
        ));
    }

    #[test]
    fn a_role_that_can_be_no_label_is_refused() {
        let refused = Reading::from_json(br#"{"role":"Primary!"}"#).unwrap_err();
        assert!(
            refused.to_string().contains("`Primary!` is no role name"),
            "{refused}"
        );
    }

    #[test]
    fn a_pattern_translates_what_the_middleware_says() {
        assert_eq!(
            redis("# Replication\nrole:master\n").unwrap().role.as_str(),
            "primary"
        );
        let unknown = redis("role:sentinel").unwrap_err().to_string();
        assert_eq!(
            unknown,
            "probe printed `sentinel`, which is none of master, slave"
        );
        assert!(matches!(redis("-LOADING"), Err(NoReading::NoMatch(_))));
    }
}
