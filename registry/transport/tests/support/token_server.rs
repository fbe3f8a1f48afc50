//! A server of tokens beside the distribution project's registry. For tests only.

use super::{
    http_server::{HttpServer, Response},
    registries::openssl,
};
use std::{collections::HashMap, path::Path, sync::Mutex, thread};

/// A server of tokens for the distribution project's registry (JWT, RS256): to `ann` and `secret`, to who
/// has the refresh token `identity`, or to everybody. Its key is `token.key` in `directory`, which must
/// be there.
pub fn start(directory: &Path, everybody: bool) -> HttpServer {
    let directory = directory.to_owned();
    HttpServer::start(move |request| {
        if request.method == "POST" {
            let more = r#", "expires_in": 300"#;
            return changed(&directory, &form(&request.body), "identity", more);
        }
        let given = request.headers.get("authorization").map(String::as_str);
        let ann = format!("Basic {}", base64(b"ann:secret", false));
        if !everybody && given != Some(&ann) {
            return Response::new(401, "");
        }
        let (_, query) = request.target.split_once('?').unwrap();
        let token = token(&directory, &form(query.as_bytes()));
        json(200, format!(r#"{{"token": "{token}", "expires_in": 300}}"#))
    })
}

/// One that takes each refresh token once, `identity` first, and gives the next with its answer; what it
/// gives is said to be good for no time at all. `GET /` makes it begin with `identity` again.
pub fn rotating(directory: &Path) -> HttpServer {
    let directory = directory.to_owned();
    let turn = Mutex::new(0);
    HttpServer::start(move |request| {
        let mut turn = turn.lock().unwrap();
        if request.method == "GET" {
            *turn = 0;
            return Response::new(200, "");
        }
        let name = |turn: u32| match turn {
            0 => "identity".to_owned(),
            turn => format!("identity-{turn}"),
        };
        let more = format!(
            r#", "refresh_token": "{}", "expires_in": 0"#,
            name(*turn + 1)
        );
        let answer = changed(&directory, &form(&request.body), &name(*turn), &more);
        if answer.status == 200 {
            *turn += 1;
        }
        answer
    })
}

/// The answer to `form`, in which the refresh token must be `want`, with `more` in it.
fn changed(directory: &Path, form: &Form, want: &str, more: &str) -> Response {
    if form["grant_type"] != "refresh_token" || form["refresh_token"] != want {
        return json(400, r#"{"error": "invalid_grant"}"#.to_owned());
    }
    let token = token(directory, form);
    json(200, format!(r#"{{"access_token": "{token}"{more}}}"#))
}

fn json(status: u16, body: String) -> Response {
    Response::new(status, body).header("Content-Type", "application/json")
}

type Form = HashMap<String, String>;

fn form(text: &[u8]) -> Form {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn token(directory: &Path, query: &Form) -> String {
    let scope: Vec<&str> = query["scope"].split(':').collect();
    let actions = scope[2].split(',').collect::<Vec<_>>().join("\",\"");
    let certificate = openssl(directory, &["x509", "-in", "token.crt", "-outform", "DER"]);
    let chain = base64(&certificate, false);
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5c":["{chain}"]}}"#);
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = format!(
        r#"{{"iss":"test","sub":"ann","aud":"{}","exp":{},"nbf":{},"iat":{now},"jti":"1","access":[{{"type":"repository","name":"{}","actions":["{actions}"]}}]}}"#,
        query["service"],
        now + 300,
        now - 10,
        scope[1]
    );
    let signed = format!(
        "{}.{}",
        base64(header.as_bytes(), true),
        base64(claims.as_bytes(), true)
    );
    let name = format!("jwt-{:?}", thread::current().id());
    std::fs::write(directory.join(&name), &signed).unwrap();
    let signature = openssl(directory, &["dgst", "-sha256", "-sign", "token.key", &name]);
    format!("{signed}.{}", base64(&signature, true))
}

fn base64(bytes: &[u8], url: bool) -> String {
    use base64::{Engine as _, engine::general_purpose as engines};
    if url {
        engines::URL_SAFE_NO_PAD.encode(bytes)
    } else {
        engines::STANDARD.encode(bytes)
    }
}
