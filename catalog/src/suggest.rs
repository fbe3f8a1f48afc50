//! What a person may have meant who wrote a name that is not there.

/// How alike two words must be to be taken for each other (Jaro and Winkler, 0 to 1).
const ALIKE: f64 = 0.8;
/// How many names a message lists.
const LISTED: usize = 12;

/// The name that is most like `wanted`, where one is.
pub(crate) fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    let alike = names.iter().map(|name| {
        let likeness = strsim::jaro_winkler(wanted, name);
        (likeness, *name)
    });
    let best = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness >= ALIKE)
        .map(|(_, name)| name)
}

/// `; did you mean …?`, else `; there are …`, else `; there is none yet`.
pub(crate) fn instead(wanted: &str, names: &[&str]) -> String {
    if let Some(name) = nearest(wanted, names) {
        return format!("; did you mean `{name}`?");
    }
    there_are(names)
}

/// `; there are …`, else `; there is none yet`.
pub(crate) fn there_are(names: &[&str]) -> String {
    match names {
        [] => "; there is none yet".to_owned(),
        [one] => format!("; there is {one}"),
        names if names.len() > LISTED => {
            let more = names.len() - LISTED;
            format!(
                "; there are {}, and {more} more",
                names[..LISTED].join(", ")
            )
        }
        names => format!("; there are {}", names.join(", ")),
    }
}

/// `said`, and then what to do: one sentence, or two after a question.
pub(crate) fn and_then(said: &str, what: &str) -> String {
    match said.ends_with('?') {
        true => format!("{said} {what}"),
        false => format!("{said}; {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_meant() {
        let names = ["redis", "postgresql", "memcached"];
        assert_eq!(instead("rdeis", &names), "; did you mean `redis`?");
        assert_eq!(instead("postgres", &names), "; did you mean `postgresql`?");
        assert_eq!(
            instead("kafka", &names),
            "; there are redis, postgresql, memcached"
        );
        assert_eq!(instead("x", &[]), "; there is none yet");
    }
}
