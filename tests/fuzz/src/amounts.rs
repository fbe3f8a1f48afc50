//! Quantities and durations: what is accepted is what a naive reader makes of it, and prints as it
//! reads.

use crate::{Corpus, Target, ensure};
use arbitrary::{Result, Unstructured};
use package::{duration, quantity::Quantity};

pub(crate) const QUANTITY: Target = Target {
    name: "quantity",
    make: make_quantity,
    check: quantity_holds,
    words: || {
        UNITS
            .into_iter()
            .chain(NUMBERS)
            .map(str::to_owned)
            .collect()
    },
    more: Vec::new,
};

pub(crate) const DURATION: Target = Target {
    name: "duration",
    make: make_duration,
    check: duration_holds,
    words: || {
        ["ms", "s", "m", "h", "d", "us", "-", "."]
            .into_iter()
            .chain(NUMBERS)
            .map(str::to_owned)
            .collect()
    },
    more: Vec::new,
};

const UNITS: [&str; 26] = [
    "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3",
    "E-3", "e18", "e-18", "e+3", "e99", "K", "ki", "B", " Gi",
];
const NUMBERS: [&str; 22] = [
    "0",
    "1",
    "2",
    "10",
    "014",
    "100",
    "1.5",
    ".5",
    "1.",
    "0.001",
    "0.0001",
    "999",
    "1000",
    "1001",
    "86400",
    "86401",
    "18446744073709551615",
    "340282366920938463463374607431768211455",
    "-1",
    "+1",
    "1.2.3",
    "",
];

fn make_quantity(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let number = match u.int_in_range(0..=2)? {
        0 => (*u.choose(&NUMBERS)?).to_owned(),
        1 => u.arbitrary::<u64>()?.to_string(),
        _ => format!(
            "{}.{}",
            u.int_in_range(0..=9999)?,
            u.int_in_range(0..=99999)?
        ),
    };
    Ok(format!("{number}{}", u.choose(&UNITS)?).into_bytes())
}

fn quantity_holds(input: &[u8]) -> std::result::Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let Ok(quantity) = text.parse::<Quantity>() else {
        let plain =
            text.len() <= 15 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        ensure!(!plain, "`{text}` is refused");
        return Ok(());
    };
    let printed = quantity.to_string();
    ensure!(
        printed.parse() == Ok(quantity),
        "`{text}` prints as `{printed}`, which is another"
    );
    ensure!(
        quantity.units() == quantity.thousandths().div_ceil(1000),
        "`{text}`: units"
    );
    ensure!(
        quantity.is_zero() == (quantity.thousandths() == 0),
        "`{text}`: zero?"
    );
    let naive = thousandths(text);
    ensure!(
        naive == Some(quantity.thousandths()),
        "`{text}` is {} thousandths, and naively {naive:?}",
        quantity.thousandths()
    );
    Ok(())
}

/// With a decimal point that moves through the digits, as one does it on paper.
fn thousandths(text: &str) -> Option<u128> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        .iter()
        .position(|u| *u == unit);
    let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
        .iter()
        .position(|u| *u == unit);
    let exponent = match (decimal, unit.strip_prefix(['e', 'E'])) {
        _ if binary.is_some() => 0,
        (Some(at), _) => 3 * i32::try_from(at).ok()? - 9,
        (None, Some(exponent)) => exponent.parse().ok()?,
        (None, None) => 0,
    };
    let mut digits = format!("{whole}{fraction}").into_bytes();
    let mut point = i32::try_from(whole.len()).ok()? + exponent + 3;
    if let Some(power) = binary {
        let mut value: u128 = format!("0{}", String::from_utf8_lossy(&digits))
            .parse()
            .ok()?;
        for _ in 0..=power {
            value = value.checked_mul(1024)?;
        }
        let grown = value.to_string().into_bytes();
        point += i32::try_from(grown.len()).ok()? - i32::try_from(digits.len()).ok()?;
        digits = grown;
    }
    while point < 0 {
        digits.insert(0, b'0');
        point += 1;
    }
    let point = usize::try_from(point).ok()?;
    while digits.len() < point {
        digits.push(b'0');
    }
    let (whole, rest) = digits.split_at(point);
    let whole: u128 = format!("0{}", String::from_utf8_lossy(whole))
        .parse()
        .ok()?;
    Some(whole + u128::from(rest.iter().any(|digit| *digit != b'0')))
}

fn make_duration(u: &mut Unstructured<'_>, _: &Corpus) -> Result<Vec<u8>> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(1..=4)? {
        text.push_str(u.choose(&NUMBERS)?);
        text.push_str(u.choose(&["ms", "s", "m", "h", "", "d", "S", "us"])?);
    }
    Ok(text.into_bytes())
}

fn duration_holds(input: &[u8]) -> std::result::Result<(), String> {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    let naive = millis(text).filter(|millis| (1..=24 * 60 * 60 * 1000).contains(millis));
    let parsed = duration::parse(text)
        .ok()
        .map(|duration| duration.as_millis());
    ensure!(
        parsed == naive,
        "`{text}` is {parsed:?} ms, and naively {naive:?}"
    );
    if let Some(millis) = parsed {
        let printed = format!("{millis}ms");
        let again = duration::parse(&printed)
            .ok()
            .map(|duration| duration.as_millis());
        ensure!(again == parsed, "`{printed}` is {again:?} ms");
    }
    Ok(())
}

/// Character by character.
fn millis(text: &str) -> Option<u128> {
    let (mut sum, mut number, mut unit) = (0_u128, String::new(), String::new());
    for c in text.chars().chain(['0']) {
        if c.is_ascii_digit() && !unit.is_empty() {
            let factor = match unit.as_str() {
                "ms" => 1,
                "s" => 1000,
                "m" => 60 * 1000,
                "h" => 60 * 60 * 1000,
                _ => return None,
            };
            let part = number
                .parse::<u128>()
                .ok()
                .filter(|n| *n <= u128::from(u64::MAX))?;
            sum = sum.checked_add(part.checked_mul(factor)?)?;
            number.clear();
            unit.clear();
        }
        if c.is_ascii_digit() {
            number.push(c);
        } else if number.is_empty() {
            return None;
        } else {
            unit.push(c);
        }
    }
    // What was pushed last is the digit that ends every text.
    (number == "0"
        && unit.is_empty()
        && !text.is_empty()
        && !text.ends_with(|c: char| c.is_ascii_digit()))
    .then_some(sum)
}
