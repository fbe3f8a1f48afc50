//! The filters that addon templates have besides Tera's own (`default`, `indent`, `join`, `int` …).
//!
//! | filter | of | gives |
//! | --- | --- | --- |
//! | `to_yaml` | anything | block YAML without a newline at its end; put it in place with `indent(width=2)` |
//! | `to_json` | anything | JSON in one line |
//! | `quote` | text, number, boolean | text in double quotes, with `\` and `"` escaped as JSON, YAML, Redis and most others do |
//! | `quantity` | a Kubernetes quantity | whole units: bytes of memory, CPUs (rounded up) |
//! | `millis` | a Kubernetes quantity | thousandths: millicores of CPU |
//! | `kibibytes`, `mebibytes`, `gibibytes` | a Kubernetes quantity | so many, rounded down |
//! | `percent(of=60)` | a whole number | so many hundredths of it, rounded down |

use crate::quantity::Quantity;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

/// Adds the filters to `tera`.
pub(crate) fn register(tera: &mut Tera) {
    tera.register_filter("to_yaml", to_yaml);
    tera.register_filter("to_json", to_json);
    tera.register_filter("quote", quote);
    tera.register_filter("quantity", |v: Value, _: Kwargs, _: &State<'_>| {
        units(&v, 1)
    });
    tera.register_filter("millis", millis);
    tera.register_filter("kibibytes", |v: Value, _: Kwargs, _: &State<'_>| {
        units(&v, 1 << 10)
    });
    tera.register_filter("mebibytes", |v: Value, _: Kwargs, _: &State<'_>| {
        units(&v, 1 << 20)
    });
    tera.register_filter("gibibytes", |v: Value, _: Kwargs, _: &State<'_>| {
        units(&v, 1 << 30)
    });
    tera.register_filter("percent", percent);
}

fn to_yaml(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let yaml = serde_saphyr::to_string(value);
    let yaml = yaml.map_err(|error| Error::message(format!("to_yaml: {error}")))?;
    Ok(yaml.trim_end_matches('\n').to_owned())
}

fn to_json(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    serde_json::to_string(value).map_err(|error| Error::message(format!("to_json: {error}")))
}

fn quote(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    if value.is_map() || value.is_array() || value.is_none() {
        let name = value.name();
        return Err(Error::message(format!(
            "quote: want text or a number, got {name}"
        )));
    }
    let text = value.to_string();
    serde_json::to_string(&text).map_err(|error| Error::message(format!("quote: {error}")))
}

fn units(value: &Value, size: u128) -> TeraResult<u64> {
    fit(quantity(value)?.units() / size)
}

fn millis(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<u64> {
    fit(quantity(value)?.thousandths())
}

fn quantity(value: &Value) -> TeraResult<Quantity> {
    let text = value.to_string();
    text.parse().map_err(Error::message)
}

#[expect(clippy::needless_pass_by_value, reason = "Tera calls filters so")]
fn percent(value: u64, kwargs: Kwargs, _: &State<'_>) -> TeraResult<u64> {
    let of: u64 = kwargs.must_get("of")?;
    fit(u128::from(value) * u128::from(of) / 100)
}

fn fit(number: u128) -> TeraResult<u64> {
    u64::try_from(number).map_err(|_| Error::message(format!("{number} is too large a number")))
}
