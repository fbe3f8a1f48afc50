//! What a person does about a source that is not Ready. Pure.

use super::{
    spec::{self, Kind},
    standing::{self, Standing},
};
use api::{
    AddonSource,
    crd::source::{FailedAddon, SourceReason},
};
use kube::ResourceExt as _;

/// What to do, in the order in which one would; nothing where all is well. `platform` is the
/// platform's namespace.
pub(super) fn advice(source: &AddonSource, platform: &str) -> Vec<String> {
    let name = source.name_any();
    match standing::of(source) {
        Standing::Ready => Vec::new(),
        Standing::Suspended => vec![format!(
            "it is left alone until `kubectl middleware source resume {name}`"
        )],
        Standing::NotLooked => vec![format!(
            "the registry did not look at it yet; if that lasts, is it running? `kubectl -n \
             {platform} get pods`"
        )],
        Standing::AtWork => vec![format!(
            "nothing, as a rule: it goes on by itself; `kubectl middleware source sync {name}` \
             shows how"
        )],
        Standing::Failing => failing(source, platform),
        Standing::Stalled => stalled(source, platform),
    }
}

fn failing(source: &AddonSource, platform: &str) -> Vec<String> {
    let (kind, place) = spec::place(&source.spec);
    let name = source.name_any();
    let reach = match kind {
        Kind::Directory => format!(
            "does `{place}` exist below the registry's root of directories, and may the registry \
             read it?{}",
            match place
                .split('/')
                .next()
                .is_some_and(|first| first.contains('.'))
            {
                true => " a host's URL begins with `https://`, `ssh://` or `oci://`",
                false => "",
            }
        ),
        Kind::Git | Kind::Oci => format!(
            "can `{place}` be reached from the cluster, and is it written right? `kubectl edit \
             addonsource {name}` corrects it"
        ),
    };
    let secrets = secrets(source);
    let mut advice = vec![reach];
    let over_tls = source.spec.oci.as_ref().is_some_and(|oci| !oci.insecure);
    if over_tls {
        advice.push(
            "does the registry speak plain HTTP alone? then the source needs `insecure: true`"
                .to_owned(),
        );
    }
    match kind {
        Kind::Directory => {}
        _ if secrets.is_empty() => advice.push(format!(
            "does it want a login? a Secret in {platform} has it, which the source names \
             (`secretRef`, `source add --secret`)"
        )),
        _ => advice.push(format!(
            "are the credentials right? `kubectl -n {platform} describe secret {}`",
            secrets.join(" ")
        )),
    }
    advice.push(format!(
        "the registry tries again by itself; `kubectl middleware source sync {name}` does so now"
    ));
    advice
}

/// The Secrets by which the source is reached.
fn secrets(source: &AddonSource) -> Vec<&str> {
    let git = source.spec.git.iter();
    let git = git.flat_map(|git| [&git.secret_ref, &git.proxy_secret_ref]);
    let oci = source.spec.oci.iter();
    let oci = oci.flat_map(|oci| [&oci.secret_ref, &oci.cert_secret_ref, &oci.proxy_secret_ref]);
    git.chain(oci)
        .flatten()
        .map(|secret| secret.name.as_str())
        .collect()
}

fn stalled(source: &AddonSource, platform: &str) -> Vec<String> {
    let name = source.name_any();
    let status = source.status.clone().unwrap_or_default();
    let reason = standing::ready(source)
        .map(|c| c.reason.clone())
        .unwrap_or_default();
    let is = |wanted: SourceReason| reason == wanted.as_str();
    let mut advice = Vec::new();
    if is(SourceReason::InvalidSpec) {
        advice.push(format!(
            "correct the source: `kubectl edit addonsource {name}`"
        ));
    }
    let unsigned = standing::unsigned(source);
    if is(SourceReason::VerificationFailed) {
        advice.extend(signing(source, &unsigned, platform));
    }
    if is(SourceReason::Conflict) {
        advice.push(
            "keep the version that somebody made by hand, or delete it, and the source brings its \
             own: `kubectl get mwa`"
                .to_owned(),
        );
    }
    if !status.changed.is_empty() {
        advice.push(
            "a published version never changes: give the changed files another version, and put \
             the published ones back"
                .to_owned(),
        );
    }
    if status.failed.len() > unsigned.len() {
        advice.push(
            "mend the addons and publish them again, under the same version if you like: a version \
             that failed is not published; `kubectl middleware addon lint DIR` gives the same \
             verdict before"
                .to_owned(),
        );
    }
    advice
}

/// What to do where a signature is missing, or one of somebody else.
fn signing(source: &AddonSource, unsigned: &[&FailedAddon], platform: &str) -> Vec<String> {
    let name = source.name_any();
    let sign = match (&source.spec.oci, unsigned) {
        (Some(oci), [first, ..]) => format!(
            "sign what it offers: `kubectl middleware addon sign {}:{} --key FILE`, then \
             `kubectl middleware source sync {name}`",
            oci.url, first.directory
        ),
        _ => "sign what it offers".to_owned(),
    };
    let keys = keys(source);
    let who = match keys.is_empty() {
        true => "the identities in the source".to_owned(),
        false => format!("`kubectl -n {platform} describe secret {}`", keys.join(" ")),
    };
    let correct =
        format!("or correct who may have signed: {who}, and `kubectl edit addonsource {name}`");
    vec![sign, correct]
}

/// The Secrets with the keys that may have signed.
fn keys(source: &AddonSource) -> Vec<&str> {
    let git = source.spec.git.iter().filter_map(|git| git.verify.as_ref());
    let git = git.map(|verify| verify.secret_ref.name.as_str());
    let oci = source.spec.oci.iter().filter_map(|oci| oci.verify.as_ref());
    let oci = oci.flat_map(|verify| [&verify.secret_ref, &verify.trusted_root_secret_ref]);
    let oci = oci.flatten().map(|secret| secret.name.as_str());
    git.chain(oci).collect()
}
