//! A source as people read it.

use super::{super::spec, Kind, Report, Seen, Standing};
use crate::{
    age,
    catalog::{model::Plugin, versions_in_short},
    output::{Paint, count, one_line},
    table::{Tone, brief, hanging, item, labelled},
};
use api::crd::source::{ChangedVersion, FailedAddon, History};

/// How many entries of a list are told; `-o json` has all.
const LISTED: usize = 20;

/// All of it.
pub(super) fn whole(report: &Report, paint: Paint) -> String {
    let mut text = head(report, paint);
    text.push_str(&facts(report));
    text.push_str(&troubles(report, paint));
    text.push_str(&advice(report, paint));
    text.push_str(&catalog(report, paint));
    text
}

/// What is left to say to somebody who saw it happen.
pub(super) fn answer(report: &Report, paint: Paint) -> String {
    let mut text = match report.state {
        Standing::Ready if !report.overdue => String::new(),
        _ => troubles(report, paint) + &advice(report, paint),
    };
    text.push_str(&catalog(report, paint));
    text.trim_start_matches('\n').to_owned()
}

fn head(report: &Report, paint: Paint) -> String {
    let state = report.state.text();
    let mut text = format!(
        "{}: {}\n",
        paint.bold(&report.name),
        Tone::of_state(state).paint(state, paint)
    );
    if let (Some(reason), Some(message)) = (&report.reason, &report.message) {
        text.push_str(&item(&brief(&format!("{reason}: {message}"))));
    }
    text.push('\n');
    text
}

fn facts(report: &Report) -> String {
    let spec = &report.spec;
    let (_, place) = spec::place(spec);
    let mut text = labelled("kind", report.kind);
    text.push_str(&labelled(
        if report.is(Kind::Directory) {
            "path"
        } else {
            "url"
        },
        place,
    ));
    text.push_str(&labelled("ref", &spec::reference(spec)));
    if let Some(git) = &spec.git {
        text.push_str(&labelled("directories", &git.directories.join(", ")));
        let history = if git.history == History::Full {
            "every version that ever stood in it"
        } else {
            ""
        };
        text.push_str(&labelled("history", history));
    }
    text.push_str(&labelled(
        "revision",
        &brief(report.revision.as_deref().unwrap_or_default()),
    ));
    text.push_str(&labelled("signatures", &signatures(report)));
    text.push_str(&labelled(
        "interval",
        &format!("{}, each look at most {}", spec.interval, spec.timeout),
    ));
    if let Some(webhook) = &spec.webhook {
        let kind = format!("{:?}", webhook.kind).to_lowercase();
        text.push_str(&labelled(
            "webhook",
            &format!("/hook/{} ({kind})", report.name),
        ));
    }
    if let Some(retention) = &spec.retention {
        let newest = count(retention.versions as usize, "newest version");
        text.push_str(&labelled(
            "keeps",
            &format!("the {newest} of each addon, and what is in use"),
        ));
    }
    text + &labelled("age", &age::until_now(report.created.as_ref()))
}

fn signatures(report: &Report) -> String {
    let demanded = match () {
        () if report.is(Kind::Directory) => return String::new(),
        () if report.is(Kind::Git) => report.spec.git.as_ref().is_some_and(|g| g.verify.is_some()),
        () => report.spec.oci.as_ref().is_some_and(|o| o.verify.is_some()),
    };
    match (&report.verified, demanded) {
        // Told below, with what to do.
        (Some(_), _) if !report.unsigned.is_empty() => {
            format!(
                "missing or wrong of {}",
                count(report.unsigned.len(), "version")
            )
        }
        (Some(said), _) => brief(said),
        (None, true) => "demanded; nothing was looked at yet".to_owned(),
        (None, false) => "none is demanded".to_owned(),
    }
}

fn troubles(report: &Report, paint: Paint) -> String {
    let mut text = String::new();
    let mut part = |head: &str, lines: Vec<String>, all: usize| {
        if lines.is_empty() {
            return;
        }
        text.push_str(&format!("\n{}\n{}", paint.bold(head), lines.concat()));
        if all > lines.len() {
            text.push_str(&format!(
                "  and {} more; -o json has them\n",
                all - lines.len()
            ));
        }
    };
    let unsigned = report.unsigned.iter().take(LISTED);
    part(
        "not signed by whom it should be, and not read",
        unsigned.map(|f| failed(f, paint)).collect(),
        report.unsigned.len(),
    );
    let refused = report.failed.iter();
    let refused: Vec<_> = refused.filter(|f| !report.unsigned.contains(f)).collect();
    let lines = refused.iter().take(LISTED).map(|f| failed(f, paint));
    part("refused by the checks", lines.collect(), refused.len());
    let changed = report
        .changed
        .iter()
        .take(LISTED)
        .map(|c| changed(c, paint));
    part(
        "changed after they were published",
        changed.collect(),
        report.changed.len(),
    );
    let withdrawn = report.withdrawn.iter().take(LISTED).map(|name| item(name));
    part(
        "withdrawn: removed from the source, no new App may pin them",
        withdrawn.collect(),
        report.withdrawn.len(),
    );
    text
}

fn failed(failed: &FailedAddon, paint: Paint) -> String {
    let name = match (&failed.plugin, &failed.version) {
        (Some(plugin), Some(version)) => format!("{plugin} {version} in {}", failed.directory),
        (Some(plugin), None) => format!("{plugin} in {}", failed.directory),
        _ => failed.directory.clone(),
    };
    let mut text = item(&name);
    for finding in &failed.findings {
        if finding.file.is_empty() {
            text.push_str(&format!("    {}", told(&finding.message, paint)));
            continue;
        }
        let mut place = failed.directory.clone();
        place.push_str(&format!("/{}", finding.file));
        for number in [finding.line, finding.column].into_iter().flatten() {
            place.push_str(&format!(":{number}"));
        }
        let place = one_line(&place);
        let line = told(&format!("{place}: {}", finding.message), paint);
        text.push_str(&format!(
            "    {}",
            line.replacen(&place, &paint.bold(&place), 1)
        ));
    }
    text
}

/// A line; on a terminal in lines of its width.
fn told(text: &str, paint: Paint) -> String {
    let line = one_line(text);
    match paint.on_terminal() {
        true => hanging(&brief(&line), "      "),
        false => line + "\n",
    }
}

fn changed(changed: &ChangedVersion, paint: Paint) -> String {
    let name = format!("{} {}", changed.plugin, changed.version);
    let mut text = item(&format!("{name} in {}", changed.directory));
    text = text.replacen(&name, &paint.bold(&name), 1);
    text.push_str(&format!("    was {}\n", changed.published));
    if let Some(by) = &changed.published_by {
        text.push_str(&format!("        brought by the source {by}\n"));
    }
    text.push_str(&format!("    now {}\n", changed.offered));
    let files = match changed.files.is_empty() {
        true => "the published content is not there any more to compare with".to_owned(),
        false => changed.files.join(", "),
    };
    let files = hanging(&files, "      ");
    text + &format!("    differ: {files}")
}

fn advice(report: &Report, paint: Paint) -> String {
    if report.advice.is_empty() {
        return String::new();
    }
    let lines: String = report
        .advice
        .iter()
        .map(|line| item(&format!("- {line}")))
        .collect();
    format!("\n{}\n{lines}", paint.bold("what to do"))
}

fn catalog(report: &Report, paint: Paint) -> String {
    let head = paint.bold("in the catalog from here");
    let plugins = match &report.catalog {
        Seen::Is(plugins) => plugins,
        Seen::Not(hidden) => return format!("\n{head}\n{}", item(&hidden.to_string())),
    };
    if plugins.is_empty() {
        return format!("\n{head}\n  nothing yet\n");
    }
    let lines: String = plugins.iter().map(one).collect();
    format!("\n{head}\n{lines}")
}

fn one(plugin: &Plugin) -> String {
    labelled(plugin.plugin.as_str(), &versions_in_short(plugin))
}
