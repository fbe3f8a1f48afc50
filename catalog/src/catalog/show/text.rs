//! One version as people read it.

use super::{
    Report,
    about::{About, members},
    readme,
};
use crate::{
    age,
    catalog::{list::listed, model::Reach, versions::remarks},
    output::{Paint, WIDTH, count, one_line, wrapped},
    table::{Tone, brief, labelled},
};
use package::manifest::Topology;

/// How many users are named.
const USERS: usize = 20;

/// All of it.
pub(super) fn text(report: &Report, paint: Paint) -> String {
    let mut text = head(report, paint);
    text.push_str(&facts(report));
    if let Some(about) = &report.about {
        text.push_str(&arrangements(about, paint));
    }
    text.push_str(&users(report, paint));
    text.push_str(&usage(report, paint));
    let readme = report
        .about
        .as_ref()
        .and_then(|about| about.readme.as_ref());
    if let Some(readme) = readme {
        text.push_str(&format!("\n{}\n", paint.bold("README")));
        text.push_str(&readme::shown(readme, paint));
    }
    text
}

fn head(report: &Report, paint: Paint) -> String {
    let name = paint.bold(&report.name());
    let state = Tone::of_state(report.state).paint(report.state, paint);
    let mut text = format!("{name}: {state}\n");
    let mut paragraph = |line: &str| {
        text.push_str("  ");
        text.push_str(&wrapped(&one_line(line), WIDTH - 2, "  "));
    };
    if let Some(about) = report.about.as_ref().filter(|a| !a.description.is_empty()) {
        paragraph(&about.description);
    }
    for remark in remarks(&report.version) {
        paragraph(&remark);
    }
    if let Some(other) = &report.recommended {
        paragraph(&format!("somebody new should take {other}"));
    }
    text.push('\n');
    text
}

fn facts(report: &Report) -> String {
    let version = &report.version;
    let mut text = labelled("runtimes", &listed(&version.runtimes));
    text.push_str(&labelled("may follow", &listed(&report.from)));
    text.push_str(&labelled("may go to", &listed(&report.to)));
    if let Some(about) = &report.about {
        text.push_str(&labelled("licence", &about.licence));
        text.push_str(&labelled("keywords", &listed(&about.keywords)));
        text.push_str(&labelled("maintainers", &listed(&about.maintainers)));
        text.push_str(&labelled(
            "kubernetes",
            about.kubernetes.as_deref().unwrap_or_default(),
        ));
    }
    if let Some(digest) = &version.digest {
        // It fills the line.
        text.push_str(&format!("  digest {digest}\n"));
    }
    text.push_str(&labelled(
        "signed by",
        version
            .signer
            .as_deref()
            .unwrap_or("nobody, as far as was verified"),
    ));
    match &version.origin {
        Some(origin) => {
            let url = match origin.url.as_str() {
                "" => String::new(),
                url => format!(" ({url})"),
            };
            text.push_str(&labelled("source", &format!("{}{url}", origin.source)));
            text.push_str(&labelled("revision", &brief(&origin.revision)));
            text.push_str(&labelled("directory", &origin.directory));
        }
        None => text.push_str(&labelled("source", "none: it was made by hand")),
    }
    let age = age::until_now(version.created.as_ref());
    text.push_str(&labelled("age", &age));
    if let Some(why) = &report.no_content {
        text.push_str(&labelled("content", why));
    }
    text
}

fn arrangements(about: &About, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.bold("topologies"));
    for topology in &about.topologies {
        text.push_str(&arrangement(topology));
    }
    if !about.profiles.is_empty() {
        text.push_str(&format!("\n{}\n", paint.bold("profiles")));
    }
    for profile in &about.profiles {
        text.push_str(&labelled(&profile.name, described(&profile.description)));
    }
    text
}

fn arrangement(topology: &Topology) -> String {
    let components = topology.components.iter();
    let components = components.map(|(name, declared)| format!("{name}: {}", members(declared)));
    let components: Vec<String> = components.collect();
    let description = topology.description.trim().trim_end_matches('.');
    let value = match description {
        "" => components.join("; "),
        description => format!("{description}. {}", components.join("; ")),
    };
    labelled(topology.name.as_str(), &value)
}

fn described(text: &str) -> &str {
    match text.trim() {
        "" => "-",
        text => text,
    }
}

fn users(report: &Report, paint: Paint) -> String {
    let users = &report.version.users;
    let mut text = format!("\n{}\n", paint.bold("users"));
    let number = count(users.number(), "App");
    if users.number() == 0 && report.users_of.is_everywhere() {
        return text + "  none\n";
    }
    let scope = match &report.users_of {
        Reach::Everywhere => number,
        Reach::Nowhere(hidden) => format!("{number}, {hidden}"),
        reach => format!("{number}; here those {reach}"),
    };
    text.push_str(&format!("  {}", wrapped(&scope, WIDTH - 2, "  ")));
    for user in users.apps.iter().take(USERS) {
        let phase = user
            .phase
            .map(|phase| format!("{phase:?}"))
            .unwrap_or_default();
        let (runtime, topology) = (&user.runtime, &user.topology);
        text.push_str(&format!(
            "    {user}  {topology}, runtime {runtime}, {phase}\n"
        ));
    }
    if users.apps.len() > USERS {
        let more = users.apps.len() - USERS;
        text.push_str(&format!("    and {more} more; -o json has all\n"));
    }
    text
}

/// What to do with it: the least App, and where its parameters are listed.
fn usage(report: &Report, paint: Paint) -> String {
    let version = &report.version;
    let (plugin, number) = (&version.plugin, &version.version);
    let mut text = String::new();
    if let Some(about) = &report.about {
        let parameters = match about.tunable.is_empty() {
            true => "it takes none".to_owned(),
            false => format!(
                "of {}; `kubectl middleware catalog show {plugin}@{number} --parameters` lists them \
                 with their rules",
                about.tunable.join(", ")
            ),
        };
        text.push_str(&format!("\n{}\n  ", paint.bold("parameters")));
        text.push_str(&wrapped(&parameters, WIDTH - 2, "  "));
    }
    if !version.is_open() {
        return text;
    }
    let topology = match &version.topologies[..] {
        [] | [_] => String::new(),
        [first, ..] => format!("\n    topology: {first}"),
    };
    text.push_str(&format!(
        "\n{}\n    apiVersion: {}\n    kind: App\n    metadata:\n      name: my-{plugin}\n    spec:\n      \
         plugin: {plugin}\n      pluginVersion: {number}{}\n",
        paint.bold("an App of it"),
        api::API_VERSION,
        topology.replace("\n    ", "\n      "),
    ));
    text
}
