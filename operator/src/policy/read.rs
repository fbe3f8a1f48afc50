//! A policy as it stands in the cluster becomes one that can be judged by, or one that cannot be read
//! and refuses all that it is about.
//!
//! The definition may be newer than this release, so that a field reaches it which it does not know: a
//! demand that nobody would look at. Hence the object is taken as it is, and read strictly here.

use api::{AddonPolicy, AddonPolicySpec, names::PluginName};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A policy as the API server has it; it always parses.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
#[resource(inherit = "AddonPolicy")]
pub struct RawPolicy {
    /// Name and the like.
    pub metadata: ObjectMeta,
    /// What it says, whatever that is.
    #[serde(default)]
    pub spec: Value,
}

/// What a policy is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reach {
    /// The addons; all where empty.
    pub plugins: Vec<PluginName>,
    /// How the URLs of sources begin; all where empty.
    pub sources: Vec<String>,
}

/// A policy to judge by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Policy {
    /// It was read.
    Read {
        /// Its name.
        name: String,
        /// What it says.
        spec: AddonPolicySpec,
    },
    /// It was not, and refuses all that it is about.
    Unreadable {
        /// Its name.
        name: String,
        /// What it is about; everything where that could not be read either.
        reach: Option<Reach>,
        /// What is wrong with it.
        why: String,
    },
}

impl Policy {
    /// The policy that `raw` is.
    pub fn read(raw: &RawPolicy) -> Self {
        let name = raw.metadata.name.clone().unwrap_or_default();
        match spec(&raw.spec) {
            Ok(spec) => Self::Read { name, spec },
            Err(why) => Self::Unreadable {
                name,
                reach: reach(&raw.spec),
                why,
            },
        }
    }
}

/// The spec, if all of it is known.
fn spec(raw: &Value) -> Result<AddonPolicySpec, String> {
    let spec: AddonPolicySpec =
        serde_json::from_value(raw.clone()).map_err(|error| format!("spec: {error}"))?;
    let known = serde_json::to_value(&spec).map_err(|error| error.to_string())?;
    match unknown(raw, &known, "spec") {
        Some(field) => Err(format!("this release does not know the field `{field}`")),
        None => Ok(spec),
    }
}

/// The first field that is set in `raw` and lost in `known`, which was read from it and written again.
fn unknown(raw: &Value, known: &Value, path: &str) -> Option<String> {
    match (raw, known) {
        (Value::Object(raw), Value::Object(known)) => raw
            .iter()
            .filter(|(_, value)| !value.is_null())
            .find_map(|(key, value)| {
                let path = format!("{path}.{key}");
                match known.get(key) {
                    Some(known) => unknown(value, known, &path),
                    None => Some(path),
                }
            }),
        (Value::Array(raw), Value::Array(known)) => {
            let pairs = raw.iter().zip(known).enumerate();
            pairs
                .into_iter()
                .find_map(|(at, (raw, known))| unknown(raw, known, &format!("{path}[{at}]")))
        }
        _ => None,
    }
}

/// What a policy is about that cannot be read as a whole.
fn reach(raw: &Value) -> Option<Reach> {
    let raw = raw.as_object()?;
    Some(Reach {
        plugins: list(raw.get("plugins"))?,
        sources: list(raw.get("sources"))?,
    })
}

fn list<T: serde::de::DeserializeOwned>(raw: Option<&Value>) -> Option<Vec<T>> {
    match raw {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(list) => serde_json::from_value(list.clone()).ok(),
    }
}
