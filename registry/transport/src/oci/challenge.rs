//! What a registry asks for when it answers 401: the header `WWW-Authenticate` (RFC 9110, section
//! 11.6.1; the parameters of `Bearer` by the distribution project's token specification). Pure.

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With user and password.
    Basic,
    /// With a token of this server.
    Bearer {
        /// The server's URL.
        realm: String,
        /// Whom the token is for, where it is said.
        service: Option<String>,
    },
}

/// The challenge of `headers` that we can meet; `Bearer` before `Basic`.
pub(crate) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = false;
    for header in headers {
        for (scheme, parameters) in challenges(header) {
            match scheme.to_ascii_lowercase().as_str() {
                "bearer" => {
                    if let Some(realm) = find(&parameters, "realm") {
                        let service = find(&parameters, "service");
                        return Some(Challenge::Bearer { realm, service });
                    }
                }
                "basic" => basic = true,
                _ => {}
            }
        }
    }
    basic.then_some(Challenge::Basic)
}

type Parameters = Vec<(String, String)>;

fn find(parameters: &Parameters, name: &str) -> Option<String> {
    let mut named = parameters.iter().filter(|(key, _)| key == name);
    named.next().map(|(_, value)| value.clone())
}

/// The schemes of one header with their parameters: `Bearer realm="…",service="…", Basic realm="…"`.
fn challenges(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    for item in items(header) {
        // A scheme stands before its first parameter, divided by a blank.
        let (scheme, parameter) = match item.split_once(' ') {
            Some((scheme, rest)) if !scheme.contains('=') && !rest.trim().starts_with('=') => {
                (Some(scheme), rest.trim())
            }
            _ if !item.contains('=') => (Some(item.as_str()), ""),
            _ => (None, item.as_str()),
        };
        if let Some(scheme) = scheme {
            found.push((scheme.to_owned(), Vec::new()));
        }
        if let (Some((key, value)), Some((_, parameters))) =
            (parameter.split_once('='), found.last_mut())
        {
            let value = unquoted(value.trim());
            parameters.push((key.trim().to_ascii_lowercase(), value));
        }
    }
    found
}

/// The parts between commas that are not inside of quotes.
fn items(header: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in header.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => {
                items.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = c == '\\' && quoted && !escaped;
        if let Some(item) = items.last_mut() {
            item.push(c);
        }
    }
    let trimmed = items.iter().map(|item| item.trim().to_owned());
    trimmed.filter(|item| !item.is_empty()).collect()
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[&str], want: Option<(&str, Option<&str>)>) {
        let want = want.map(|(realm, service)| Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
        });
        assert_eq!(parse(headers.iter().copied()), want, "{headers:?}");
    }

    #[test]
    fn the_token_server_is_found() {
        check(
            &[
                r#"Bearer realm="https://auth.example.com/token",service="r.example.com",scope="repository:a/b:pull,push""#,
            ],
            Some(("https://auth.example.com/token", Some("r.example.com"))),
        );
        check(
            &[r#"bearer service=s, Realm = "https://a/\"t\"" , error="x,y""#],
            Some(("https://a/\"t\"", Some("s"))),
        );
        check(
            &[r#"Basic realm="r", Bearer realm="https://a""#],
            Some(("https://a", None)),
        );
        check(
            &[r#"Basic realm="r""#, r#"Bearer realm="https://a""#],
            Some(("https://a", None)),
        );
    }

    #[test]
    fn basic_is_met_and_what_is_unknown_is_not() {
        let basic = parse([r#"Basic realm="Registry, with a comma""#].into_iter());
        assert_eq!(basic, Some(Challenge::Basic));
        assert_eq!(parse(["Basic"].into_iter()), Some(Challenge::Basic));
        for other in [
            "Negotiate",
            "",
            "Bearer",
            "Bearer service=\"x\"",
            ",,,",
            "=\"",
        ] {
            check(&[other], None);
        }
    }
}
