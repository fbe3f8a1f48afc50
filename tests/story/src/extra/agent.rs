//! What the account of a Group's agents may do, as the API server itself judges (R-42, R-82).

use crate::{stage::Stage, steps::run::REPLICATION};
use anyhow::{Result, ensure};

/// Its own pods' role label may be set; no other label, annotation or field, and no other pod.
pub fn narrow(stage: &mut Stage) -> Result<()> {
    let group = format!("{REPLICATION}-redis-0");
    let account = format!("--as=system:serviceaccount:default:{group}");
    let pod = format!("pod/{group}-1");
    let image = r#"{"spec":{"containers":[{"name":"main","image":"another"}]}}"#;
    let refused: [(&[&str], &str); 5] = [
        (
            &["label", &pod, "middleware.io/app=another", "--overwrite"],
            "may change no label",
        ),
        (
            &["annotate", &pod, "another=one"],
            "may change no annotation",
        ),
        (
            &["annotate", &pod, "middleware.io/revision-"],
            "may change no annotation",
        ),
        (&["patch", &pod, "-p", image], "may not change the spec"),
        (
            &["label", "pod/client", "middleware.io/role=primary"],
            "forbidden",
        ),
    ];
    for (args, why) in refused {
        let said = stage.kubectl.run(&[args, &[account.as_str()]].concat());
        let said = said.err().map(|e| e.to_string()).unwrap_or_default();
        ensure!(
            said.contains(why),
            "{args:?} was not refused with «{why}»: {said}"
        );
        stage.say(format!("{}: refused, {why}", args.join(" ")));
    }
    let own = [
        "label",
        &pod,
        "middleware.io/role=replica",
        "--overwrite",
        &account,
    ];
    stage.kubectl.run(&own)?;
    Ok(())
}
