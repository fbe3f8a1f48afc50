//! Quantities as Kubernetes writes them: `100m`, `256Mi`, `1.5Gi`, `1e3`.

use std::fmt;

/// An amount, exact to a thousandth: `100m` CPU is 100, `1Ki` bytes are 1,024,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    thousandths: u128,
}

/// The largest amount that Kubernetes counts with, 2^63 - 1 units; it cuts off what is more.
const MAX_THOUSANDTHS: u128 = i64::MAX as u128 * 1000;

/// The text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no quantity: want a number with a unit, as in `500m`, `2`, `256Mi`, `10Gi`")]
pub struct InvalidQuantity(String);

impl Quantity {
    /// In whole units, rounded up as Kubernetes does: bytes for memory and storage.
    pub fn units(self) -> u128 {
        self.thousandths.div_ceil(1000)
    }

    /// In thousandths: millicores for CPU.
    pub fn thousandths(self) -> u128 {
        self.thousandths
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.thousandths == 0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.thousandths.is_multiple_of(1000) {
            write!(f, "{}", self.thousandths / 1000)
        } else {
            write!(f, "{}m", self.thousandths)
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = InvalidQuantity;

    /// Accepts what the API server does, without a sign; below a thousandth it is rounded up.
    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        parse(text).ok_or_else(|| InvalidQuantity(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Quantity> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || text.len() > 32 {
        return None;
    }
    let digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
    let (factor, divisor) = factor(unit)?;
    let divisor = divisor.checked_mul(10_u128.checked_pow(fraction.len().try_into().ok()?)?)?;
    let thousandths = digits.checked_mul(factor)?.div_ceil(divisor);
    (thousandths <= MAX_THOUSANDTHS).then_some(Quantity { thousandths })
}

/// What a number with `unit` is multiplied with, and divided by, to be thousandths.
fn factor(unit: &str) -> Option<(u128, u128)> {
    let binary = |power: u32| Some((1000 << (10 * power), 1));
    let decimal = |power: u32| Some((10_u128.pow(power + 3), 1));
    match unit {
        "n" => Some((1, 1_000_000)),
        "u" => Some((1, 1_000)),
        "m" => Some((1, 1)),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => match unit.strip_prefix(['e', 'E'])?.parse::<i32>().ok()? {
            power @ 0..=18 => decimal(power.unsigned_abs()),
            power @ -18..0 => Some((1000, 10_u128.pow(power.unsigned_abs()))),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_api_server_reads() {
        for (text, thousandths) in [
            ("100m", 100),
            ("2", 2_000),
            (".5", 500),
            ("1.5Ki", 1_536_000),
            ("256Mi", 268_435_456_000),
            ("1e3", 1_000_000),
            ("1E", 1_000_000_000_000_000_000_000),
            ("1n", 1),
            ("0", 0),
        ] {
            let quantity: Quantity = text.parse().unwrap();
            assert_eq!(quantity.thousandths(), thousandths, "{text}");
        }
        assert_eq!("1500m".parse::<Quantity>().unwrap().units(), 2);
        for bad in [
            "", "m", "-1", "1 Gi", "1GB", "1gi", "1.2.3", "0x10", "1e99", "Mi", "10E", "8Ei",
        ] {
            assert!(bad.parse::<Quantity>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn prints_what_it_parses(text in r"[0-9.]{0,12}[a-zA-Z0-9-]{0,3}") {
            if let Ok(quantity) = text.parse::<Quantity>() {
                proptest::prop_assert_eq!(quantity.to_string().parse::<Quantity>().unwrap(), quantity);
            }
        }
    }
}
