//! The way of addons from their authors to a catalog: by an OCI registry with signatures, and by Git;
//! what is said when something is wrong, and what one does then.

use crate::place::{Place, Said};
use anyhow::{Result, ensure};
use kit::{Process, until};
use serde_json::Value;
use std::time::Duration;

/// How long what takes a second may take on a machine that does other things.
const SOON: Duration = Duration::from_secs(60);

/// The least that an addon is.
fn manifest(name: &str, version: &str, more: &str) -> String {
    format!(
        "apiVersion: middleware.io/v1alpha1\nkind: Addon\nname: {name}\nversion: {version}\n\
         description: {name} for tests.\nruntimes:\n  - version: 1.0.0\n    image: example.org/{name}:1.0.0\n\
         components:\n  server:\n    command: [/scripts/start.sh]\n{more}"
    )
}

const START: &str = "#!/bin/sh\nexec sleep 1000\n";
const GIT: &str = "https://git.example.com/platform/addons.git";

/// What commands said, one after the other.
#[derive(Default)]
struct Told(String);

impl Told {
    /// Runs a command, which must end with that code.
    fn hear(&mut self, place: &Place, code: i32, line: &str) -> Result<()> {
        let said = place.say(line)?;
        ensure!(said.code == code, "want exit {code}: {}", said.text);
        self.0.push_str(&said.text);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addon_comes_from_its_author_into_the_catalog_and_stays() -> Result<()> {
    let mut place = Place::new().await?;
    let kubectl = place.cp.kubectl()?;
    let key = "openssl ecparam -name prime256v1 -genkey -noout -out cosign.key
               openssl ec -in cosign.key -pubout -out cosign.pub";
    place.sh(key)?;
    let secret = "kubectl -n paamesh-system create secret generic";
    place.sh(&format!("{secret} cosign-keys --from-file=cosign.pub"))?;
    place.sh(&format!(
        "{secret} git-login --from-literal=username=ann --from-literal=password=$TOKEN"
    ))?;

    insta::assert_snapshot!("by_an_oci_registry", by_a_registry(&place)?);
    insta::assert_snapshot!("by_git", by_git(&place)?);
    insta::assert_snapshot!("in_the_catalog", in_the_catalog(&place)?);
    every_answer_is_for_programs_too(&place)?;
    insta::assert_snapshot!("left_alone_and_removed", left_alone(&place)?);
    let left = kubectl.run(&["get", "mwa", "-o", "name"])?;
    ensure!(left.lines().count() == 4, "{left}");
    saved_states_come_to_the_app(&place)?;
    place.alive()
}

/// `addon dev`: each saved state is published and the App is on it. Nobody runs pods here.
fn saved_states_come_to_the_app(place: &Place) -> Result<()> {
    let log = place.home().join("dev.log");
    let command = place.command("exec kubectl-middleware addon dev kv --app mine --create");
    let mut session = Process::start(command, &log)?;
    let hears = |text: &str| {
        until(SOON, text, || {
            let log = std::fs::read_to_string(&log)?;
            ensure!(log.contains(text), "{log}");
            Ok(())
        })
    };
    hears("created kv 1.0.0-dev.1")?;
    hears("created the App mine on 1.0.0-dev.1")?;
    place.write("kv/README.md", "# kv\n\nA third state.\n")?;
    hears("moved mine from 1.0.0-dev.1 to 1.0.0-dev.2")?;
    let app = place.cp.kubectl()?.json(&["get", "mwapp", "mine"])?;
    assert_eq!(app["spec"]["pluginVersion"], "1.0.0-dev.2");
    place.sh(&format!("kill -INT {}", session.pid()))?;
    hears("To go on:       kubectl middleware addon dev kv --app mine -n default")?;
    until(SOON, "the end", || {
        ensure!(session.alive().is_err(), "it runs");
        Ok(())
    })
}

/// Pushed, not signed and refused, signed and taken.
fn by_a_registry(place: &Place) -> Result<String> {
    place.write("kv/addon.yaml", &manifest("kv", "1.0.0", ""))?;
    place.write("kv/README.md", "# kv\n\nKeys and values.\n")?;
    place.write("kv/scripts/start.sh", START)?;
    let (kv, mut told) = ("oci://registry.example.com/team/kv", Told::default());
    told.hear(place, 0, &format!("addon push kv {kv}"))?;
    told.hear(
        place,
        1,
        &format!("source add kv {kv} --verify-secret cosign-keys"),
    )?;
    told.hear(place, 1, "source show kv")?;
    told.hear(
        place,
        1,
        &format!("addon verify {kv}:1.0.0 --key cosign.pub"),
    )?;
    told.hear(place, 0, &format!("addon sign {kv}:1.0.0 --key cosign.key"))?;
    told.hear(
        place,
        0,
        &format!("addon verify {kv}:1.0.0 --key cosign.pub"),
    )?;
    told.hear(place, 0, "source sync kv")?;
    told.hear(place, 0, "source show kv")?;
    // Other bytes under the version that is there.
    place.write("kv/README.md", "# kv\n\nOther words.\n")?;
    told.hear(place, 1, &format!("addon push kv {kv}"))?;
    Ok(told.0)
}

/// Added, broken and changed, mended.
fn by_git(place: &Place) -> Result<String> {
    let (git, mut told) = (&place.repository, Told::default());
    let first = manifest("web", "1.0.0", "");
    git.write("addons/web/1.0.0/addon.yaml", &first);
    git.write("addons/web/1.0.0/scripts/start.sh", START);
    git.push();
    told.hear(place, 1, &format!("source add web {GIT} --dir addons"))?;
    told.hear(place, 0, "source remove web")?;
    told.hear(
        place,
        0,
        &format!("source add web {GIT} --dir addons --secret git-login"),
    )?;

    // A new version with a slip, and other words in the one that is published.
    let next = manifest("web", "1.1.0", "upgradeFrom: [1.0.0]\n");
    git.write(
        "addons/web/1.1.0/addon.yaml",
        &next.replace("runtimes:", "runtimse:"),
    );
    git.write("addons/web/1.1.0/scripts/start.sh", START);
    git.write(
        "addons/web/1.0.0/addon.yaml",
        &first.replace("for tests", "for everybody"),
    );
    git.push();
    told.hear(place, 1, "source sync web")?;
    told.hear(place, 1, "source show web")?;
    told.hear(place, 0, "source list")?;

    git.write("addons/web/1.1.0/addon.yaml", &next);
    git.write("addons/web/1.0.0/addon.yaml", &first);
    git.push();
    told.hear(place, 0, "source sync web")?;
    told.hear(place, 0, "source show web")?;
    Ok(told.0)
}

fn in_the_catalog(place: &Place) -> Result<String> {
    let mut told = Told::default();
    for line in [
        "catalog list",
        "catalog search values",
        "catalog show kv",
        "catalog versions web",
        "catalog graph web",
        "catalog graph web --from 1.0.0 --to 1.1.0",
    ] {
        told.hear(place, 0, line)?;
    }
    told.hear(place, 1, "catalog graph web --from 1.1.0 --to 1.0.0")?;
    told.hear(place, 2, "catalog show vk")?;
    Ok(told.0)
}

/// Each answers in JSON and in YAML, with the same content and exit code.
fn every_answer_is_for_programs_too(place: &Place) -> Result<()> {
    for (line, code) in [
        ("catalog list", 0),
        ("catalog search values", 0),
        ("catalog search nothing-has-this", 1),
        ("catalog show kv", 0),
        ("catalog versions web", 0),
        ("catalog graph web", 0),
        ("catalog graph web --from 1.1.0 --to 1.0.0", 1),
        ("source list", 0),
        ("source show web", 0),
        ("source sync web", 0),
        ("source resume web", 0),
        (
            "addon verify oci://registry.example.com/team/kv --key cosign.pub",
            0,
        ),
        ("addon push kv oci://registry.example.com/team/kv", 1),
        ("addon diff oci://registry.example.com/team/kv:1.0.0 kv", 0),
    ] {
        let json = place.shell(&format!("kubectl middleware {line} -o json"))?;
        let yaml = place.shell(&format!("kubectl middleware {line} -o yaml"))?;
        ensure!(json.status.code() == Some(code), "{line}: {json:?}");
        ensure!(yaml.status.code() == Some(code), "{line}: {yaml:?}");
        let of_json: Value = serde_json::from_slice(&json.stdout)?;
        let of_yaml: Value = serde_saphyr::from_str(std::str::from_utf8(&yaml.stdout)?)?;
        ensure!(
            of_json.is_object() && of_json == of_yaml,
            "{line}: {of_json}\n{of_yaml}"
        );
    }
    Ok(())
}

/// Suspended nothing comes, resumed it does; removed, all that it brought stays.
fn left_alone(place: &Place) -> Result<String> {
    let (git, mut told) = (&place.repository, Told::default());
    told.hear(place, 0, "source suspend web")?;
    let third = manifest("web", "1.2.0", "upgradeFrom: [1.1.0]\n");
    git.write("addons/web/1.2.0/addon.yaml", &third);
    git.write("addons/web/1.2.0/scripts/start.sh", START);
    git.push();
    told.hear(place, 2, "source sync web")?;
    told.hear(place, 1, "source show web")?;
    told.hear(place, 0, "source resume web")?;
    told.hear(place, 0, "source sync web")?;
    told.hear(place, 0, "source remove web kv")?;
    told.hear(place, 0, "source list")?;
    let Said { text, code } = place.say("catalog versions web")?;
    ensure!(code == 0, "{text}");
    Ok(told.0 + &text)
}
