//! The documents, played: every `sh` block of them is run as a reader would type it, in order, and the
//! lines of an `output` block stand in what the block before it printed. Every manifest is taken by the
//! API server, and every whole one becomes Ready.

use crate::place::Place;
use anyhow::{Context as _, Result, ensure};
use kit::Block;
use std::fs;

/// What finds something, as the reader expects: the version is signed by a key, and by nobody's identity.
const FINDS: &str = "--trusted-root trusted_root.json";

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_documents_works() -> Result<()> {
    let mut place = Place::new().await?;
    as_the_reader_has_it(&place)?;
    play(&place, "docs/registries.md", 4)?;
    play(&place, "docs/sources.md", 3)?;
    place.sh("kubectl delete addonsources --all")?;
    play(&place, "docs/catalog.md", 20)?;
    place.alive()
}

/// Addons, keys, and what else the documents take for granted.
fn as_the_reader_has_it(place: &Place) -> Result<()> {
    let addons = kit::root().join("addons");
    let (addons, shipped) = (addons.display(), addons.join("redis"));
    let shipped = shipped.display();
    let trust = "registry/transport/tests/fixtures/cosign/keyless/trusted_root.json";
    let trust = kit::root().join(trust);
    place.sh(&format!(
        "cp -r {shipped} redis
         for version in 1.2.0 1.3.0; do
           cp -r redis/1.1.0 redis/$version
           sed -i \"s/^version: .*/version: $version/\" redis/$version/addon.yaml
         done
         cp {} trusted_root.json
         openssl ecparam -name prime256v1 -genkey -noout -out cosign.key
         openssl ec -in cosign.key -pubout -out cosign.pub
         ssh-keygen -q -t ed25519 -N '' -f id_ed25519",
        trust.display()
    ))?;
    // There is no such host to ask for its key.
    let key = fs::read_to_string(place.home().join("id_ed25519.pub"))?;
    let key = key.split(' ').take(2).collect::<Vec<_>>().join(" ");
    place.write(
        "bin/ssh-keyscan",
        &format!("#!/bin/sh\necho \"$1 {key}\"\n"),
    )?;
    let secret = "kubectl -n paamesh-system create secret";
    place.sh(&format!(
        "chmod +x bin/ssh-keyscan
         {secret} generic cosign-keys --from-file=cosign.pub
         {secret} generic git-login --from-literal=username=ann --from-literal=password=$TOKEN
         {secret} docker-registry registry --docker-server=registry.example.com \\
           --docker-username=ann --docker-password=$TOKEN"
    ))?;
    let work = place.repository.work.join("addons");
    place.sh(&format!("cp -r {addons} {}", work.display()))?;
    place.repository.push();
    Ok(())
}

/// Does all that the document says; `least` is how many commands it has.
fn play(place: &Place, document: &str, least: usize) -> Result<()> {
    let text = fs::read_to_string(kit::root().join(document))?;
    let (mut printed, mut commands, mut sources) = (String::new(), 0, Vec::new());
    for Block {
        line,
        language,
        text,
    } in kit::blocks(&text)
    {
        let at = format!("{document}:{line}");
        match language.as_str() {
            "sh" => {
                printed.clear();
                for command in each(&text) {
                    printed.push_str(&run(place, &command).with_context(|| at.clone())?);
                    commands += 1;
                }
            }
            "output" => {
                let missing = text.lines().find(|line| !printed.contains(line));
                ensure!(
                    missing.is_none(),
                    "{at}: `{missing:?}` is not in\n{printed}"
                );
            }
            "yaml" => sources.extend(applied(place, &text).context(at)?),
            _ => {}
        }
    }
    ensure!(commands >= least, "{document} has {commands} commands");
    for name in sources {
        let said = place.say(&format!("source sync {name}"))?;
        ensure!(said.code == 0, "{document}: {}", said.text);
    }
    Ok(())
}

/// The commands of a block; one may go over several lines.
fn each(text: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    for line in text.lines() {
        if let Some(command) = commands.last_mut() {
            command.push_str(line);
            command.push('\n');
        }
        if !line.ends_with('\\') {
            commands.push(String::new());
        }
    }
    commands.retain(|command| !command.trim().is_empty());
    commands
}

fn run(place: &Place, command: &str) -> Result<String> {
    let out = place.shell(command)?;
    let wanted = i32::from(command.contains(FINDS));
    let said = String::from_utf8([out.stdout, out.stderr].concat())?;
    ensure!(
        out.status.code() == Some(wanted),
        "{command}{}\n{said}",
        out.status
    );
    Ok(said)
}

/// Applies a manifest; the name of the source that it makes. A part of one is put where it belongs, and
/// is only shown to the API server.
fn applied(place: &Place, text: &str) -> Result<Option<String>> {
    let kubectl = place.cp.kubectl()?;
    let strict = ["apply", "--validate=strict", "-f", "-"];
    if text.starts_with("apiVersion:") {
        kubectl.run_with(&strict, text)?;
        let name = text.lines().find_map(|line| line.strip_prefix("  name: "));
        return Ok(name.map(str::to_owned));
    }
    let oci = "  oci:\n    url: oci://registry.example.com/addons/redis\n";
    let spec = match text.split_inclusive(':').next() {
        Some("spec:") => format!("{text}{oci}"),
        Some("  git:") => format!("spec:\n{text}"),
        Some("    verify:") => format!("spec:\n{oci}{text}"),
        other => anyhow::bail!("where does `{other:?}` belong?"),
    };
    let head = "apiVersion: middleware.io/v1alpha1\nkind: AddonSource\nmetadata:\n  name: part\n";
    let dry = [&strict[..], &["--dry-run=server"]].concat();
    kubectl.run_with(&dry, &format!("{head}{spec}"))?;
    Ok(None)
}
