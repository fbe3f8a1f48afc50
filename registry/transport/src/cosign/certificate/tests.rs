//! Bundles as real programs made them: of npm's provenance under the trust root of sigstore itself
//! (`fixtures/cosign/public-good`, from sigstore-go's examples, Apache-2.0), with promises of a
//! certificate log and of a transparency log; and of cosign 3 with a Fulcio
//! and a timestamp authority of our own (`fixtures/cosign/keyless`).

use super::*;
use crate::cosign::{Identity, Trust, TrustRoot, bundle};
use serde_json::{Value, json};

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../tests/fixtures/cosign/", $path))
    };
}

const PUBLIC: &str = fixture!("public-good/bundle.json");
const PUBLIC_ROOT: &str = fixture!("public-good/trusted_root.json");
const OURS: &str = fixture!("keyless/bundle.json");
const OUR_ROOT: &str = fixture!("keyless/trusted_root.json");
/// Signed like [`OURS`]; the timestamp was made after the certificate's ten minutes.
const LATE: &str = fixture!("keyless/late.json");

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str =
    "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";

fn ok(result: &Result<Signer, Reason>) -> bool {
    matches!(result, Ok(Signer::Identity { .. }))
}

/// The verdict on `bundle` and `root` after the changes, trusting everybody whom the root vouches for.
fn verdict(
    bundle: &str,
    root: &str,
    change: impl FnOnce(&mut Value, &mut Value),
) -> Result<Signer, Reason> {
    let [mut bundle, mut root] = [bundle, root].map(|text| serde_json::from_str(text).unwrap());
    change(&mut bundle, &mut root);
    let trust = Trust {
        keys: None,
        identities: vec![Identity::parse(".*", ".*").unwrap()],
        root: Some(TrustRoot::parse(&root.to_string()).unwrap()),
    };
    bundle::signer(bundle.to_string().as_bytes(), (&trust).into())
}

/// Refused as untrusted or expired, and says `want`.
fn check(bundle: &str, root: &str, change: impl FnOnce(&mut Value, &mut Value), want: &Reason) {
    let got = verdict(bundle, root, change).unwrap_err();
    let text = |reason: &Reason| match reason {
        Reason::Untrusted(text) | Reason::Expired(text) | Reason::Tampered(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let is_same = std::mem::discriminant(&got) == std::mem::discriminant(want);
    assert!(
        is_same && text(&got).contains(&text(want)),
        "{got:?}, want {want:?}"
    );
}

fn untrusted(text: &str) -> Reason {
    Reason::Untrusted(text.to_owned())
}

fn expired(text: &str) -> Reason {
    Reason::Expired(text.to_owned())
}

const MATERIAL: &str = "verificationMaterial";

/// The one entry of the transparency log.
fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle[MATERIAL]["tlogEntries"][0]
}

/// Another character in the middle of a text of base64.
fn spoil(value: &mut Value) {
    let mut text = value.as_str().unwrap().to_owned();
    let middle = text.len() / 2;
    let other = if &text[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    text.replace_range(middle..=middle, other);
    *value = text.into();
}

#[test]
fn sigstores_own_trust_root_vouches_for_who_signed() {
    let signer = verdict(PUBLIC, PUBLIC_ROOT, |_, _| {}).unwrap();
    let want = Signer::Identity {
        issuer: GITHUB.to_owned(),
        subject: WORKFLOW.to_owned(),
    };
    assert_eq!(signer, want);
    let ours = verdict(OURS, OUR_ROOT, |_, _| {});
    assert!(ok(&ours), "{ours:?}");
    // Neither vouches for the other's.
    check(
        PUBLIC,
        OUR_ROOT,
        |_, _| {},
        &expired("no clock of the trust root"),
    );
    check(
        OURS,
        PUBLIC_ROOT,
        |_, _| {},
        &untrusted("in no transparency log"),
    );
}

#[test]
fn a_transparency_log_of_the_root_must_have_the_signature() {
    let public = |change: fn(&mut Value), want: &Reason| {
        check(PUBLIC, PUBLIC_ROOT, |bundle, _| change(bundle), want);
    };
    public(
        |b| b[MATERIAL]["tlogEntries"] = json!([]),
        &untrusted("in no transparency log"),
    );
    public(
        |b| spoil(&mut entry(b)["inclusionPromise"]["signedEntryTimestamp"]),
        &untrusted("a promise that the log did not make"),
    );
    public(
        |b| entry(b)["integratedTime"] = "1681840000".into(),
        &untrusted("a promise that the log did not make"),
    );
    public(
        |b| spoil(&mut entry(b)["canonicalizedBody"]),
        &untrusted("about another signature"),
    );
    public(
        |b| entry(b)["inclusionPromise"] = Value::Null,
        &untrusted("of no log of the trust root"),
    );
}

#[test]
fn a_certificate_log_of_the_root_must_know_the_certificate() {
    let no_log = |_: &mut Value, root: &mut Value| {
        // Another key, which is one: that of the transparency log.
        let other = root["tlogs"][0]["publicKey"].clone();
        root["ctlogs"] = json!([{"publicKey": other}]);
    };
    check(
        PUBLIC,
        PUBLIC_ROOT,
        no_log,
        &untrusted("in no log of certificates that the trust root names"),
    );
    let ended = |_: &mut Value, root: &mut Value| {
        for log in root["ctlogs"].as_array_mut().unwrap() {
            log["publicKey"]["validFor"] = json!({"end": "2021-01-01T00:00:00Z"});
        }
    };
    check(
        PUBLIC,
        PUBLIC_ROOT,
        ended,
        &untrusted("in no log of certificates that the trust root names"),
    );
    let demanded = |_: &mut Value, root: &mut Value| {
        let public: Value = serde_json::from_str(PUBLIC_ROOT).unwrap();
        root["ctlogs"] = public["ctlogs"].clone();
    };
    check(
        OURS,
        OUR_ROOT,
        demanded,
        &untrusted("is in no log of certificates, and the trust root"),
    );
    let not_asked = verdict(PUBLIC, PUBLIC_ROOT, |_, root| root["ctlogs"] = json!([]));
    assert!(ok(&not_asked), "{not_asked:?}");
}

#[test]
fn only_a_clock_of_the_root_says_when_it_was() {
    let timestamps = |bundle: &mut Value, from: &str| {
        let other: Value = serde_json::from_str(from).unwrap();
        bundle[MATERIAL]["timestampVerificationData"] =
            other[MATERIAL]["timestampVerificationData"].clone();
    };
    check(
        OURS,
        OUR_ROOT,
        |bundle, _| bundle[MATERIAL]["timestampVerificationData"] = json!({}),
        &expired("no clock of the trust root says that it signed then"),
    );
    check(
        OURS,
        OUR_ROOT,
        |bundle, _| timestamps(bundle, LATE),
        &expired("a timestamp is of another signature"),
    );
    check(
        OURS,
        OUR_ROOT,
        |_, root| {
            let authority = &mut root["timestampAuthorities"][0];
            authority["validFor"] = json!({"end": "2021-01-01T00:00:00Z"});
        },
        &expired("a timestamp is of no timestamp authority of the trust root"),
    );
    let spoiled = |bundle: &mut Value, _: &mut Value| {
        let data = &mut bundle[MATERIAL]["timestampVerificationData"];
        let stamp = &mut data["rfc3161Timestamps"][0]["signedTimestamp"];
        let text = stamp.as_str().unwrap();
        // The last bytes are the authority's signature.
        let at = text.len() - 12;
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        *stamp = format!("{}{other}{}", &text[..at], &text[at + 1..]).into();
    };
    check(OURS, OUR_ROOT, spoiled, &expired("a timestamp "));
    // A good clock says that it was too late.
    check(
        LATE,
        OUR_ROOT,
        |_, _| {},
        &expired("and trusted clocks say that it signed at 20"),
    );
}

#[test]
fn an_authority_counts_while_it_is_valid() {
    let ended = |_: &mut Value, root: &mut Value| {
        root["certificateAuthorities"][0]["validFor"] = json!({"end": "2021-01-01T00:00:00Z"});
    };
    check(
        OURS,
        OUR_ROOT,
        ended,
        &untrusted("no authority of the trust root made"),
    );
    let no_root = |_: &mut Value, root: &mut Value| {
        // The issuing certificate alone is an anchor too.
        let chain = &mut root["certificateAuthorities"][0]["certChain"]["certificates"];
        chain.as_array_mut().unwrap().truncate(1);
    };
    let anchored = verdict(OURS, OUR_ROOT, no_root);
    assert!(ok(&anchored), "{anchored:?}");
    // A certificate for timestamps signs no artifacts.
    let clock = |_: &mut Value, root: &mut Value| {
        root["certificateAuthorities"] = root["timestampAuthorities"].clone();
    };
    check(
        OURS,
        OUR_ROOT,
        clock,
        &untrusted("no authority of the trust root made"),
    );
}

#[test]
fn what_was_changed_after_it_was_signed_is_tampered_with() {
    let payload = |bundle: &mut Value, _: &mut Value| spoil(&mut bundle["dsseEnvelope"]["payload"]);
    let want = Reason::Tampered("the key of its certificate did not make it".to_owned());
    check(OURS, OUR_ROOT, payload, &want);
    let signature = |bundle: &mut Value, _: &mut Value| {
        spoil(&mut bundle["dsseEnvelope"]["signatures"][0]["sig"]);
    };
    check(OURS, OUR_ROOT, signature, &want);
}

#[test]
fn an_identity_is_believed_by_issuer_and_subject_together() {
    let signer = |issuer: &str, subject: &str| {
        let trust = Trust {
            keys: None,
            identities: vec![Identity::parse(issuer, subject).unwrap()],
            root: Some(TrustRoot::parse(PUBLIC_ROOT).unwrap()),
        };
        bundle::signer(PUBLIC.as_bytes(), (&trust).into())
    };
    let exact = [GITHUB, WORKFLOW].map(regex::escape);
    assert!(ok(&signer(&exact[0], &exact[1])));
    assert!(ok(&signer(&exact[0], "https://github\\.com/sigstore/.*")));
    for (issuer, subject) in [
        (exact[0].as_str(), "https://github\\.com/sigstore"),
        (exact[0].as_str(), "https://github\\.com/others/.*"),
        ("https://accounts\\.example\\.com", exact[1].as_str()),
    ] {
        let refused = signer(issuer, subject).unwrap_err();
        let want = format!("`{WORKFLOW}` of `{GITHUB}`");
        assert_eq!(refused, Reason::WrongIdentity(want));
    }
    let nobody = Trust {
        root: Some(TrustRoot::parse(PUBLIC_ROOT).unwrap()),
        ..Trust::default()
    };
    let refused = bundle::signer(PUBLIC.as_bytes(), (&nobody).into());
    assert_eq!(refused, Err(Reason::WrongKey));
}
