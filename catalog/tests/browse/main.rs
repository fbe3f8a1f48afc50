//! `catalog browse` as a person meets it (R-9): the real binary on a pseudo terminal, which `script`
//! makes, over a real API server. What is on the screen is what a terminal would show.

// Not every function here is a test, and each may fail as one does.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cluster;
mod terminal;

use anyhow::Result;
use cluster::Cluster;
use terminal::Terminal;

/// Keys as a terminal sends them.
const ENTER: &str = "\r";
const ESCAPE: &str = "\u{1b}";
const CONTROL_C: &str = "\u{3}";
const DOWN: &str = "\u{1b}[B";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_finds_reads_and_takes() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let mut terminal = Terminal::start(&cluster.browse(""), 80, 24);
    terminal.shows("redis 1.1.0");
    terminal.shows("2 plugins, 3 versions");
    // What it says of itself comes after it.
    terminal.shows("[README]");
    terminal.shows("Relational database; one server");

    terminal.press("/cahce");
    terminal.shows("1 of 2");
    terminal.shows("In-memory data store");
    terminal.press(ENTER);
    terminal.press(ENTER);
    terminal.shows("● 1.0.0");
    terminal.press(DOWN);
    terminal.press("j");
    terminal.shows("redis 1.0.0");
    terminal.press("2");
    terminal.shows("1 edit");
    terminal.press("3");
    terminal.shows("One server");
    terminal.press("5");
    terminal.shows("1 App on 1.0.0");
    terminal.shows("cache");
    terminal.press("?");
    terminal.shows("half a screen down");
    terminal.press(ESCAPE);
    terminal.shows("1 App on 1.0.0");
    terminal.press("y");
    terminal.shows("printed at the end");
    terminal.press("q");
    let left = terminal.ends();
    assert_eq!(left.code, 0, "{}", left.screen);
    assert!(left.is_restored && !left.is_wrapped);
    assert!(
        left.screen.contains("  pluginVersion: 1.0.0\n"),
        "{}",
        left.screen
    );
    // The clipboard's text, for terminals that have one.
    assert!(left.output.contains("\u{1b}]52;c;"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_described_when_one_looks() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let mut terminal = Terminal::start(&cluster.browse("sql"), 80, 24);
    terminal.shows("postgres");
    terminal.press("4");
    terminal.shows("authentication_timeout, not set  (reload)");
    terminal.shows("allowed: int");
    terminal.press(CONTROL_C);
    assert_eq!(terminal.ends().code, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_the_cluster_changes_on_the_screen_and_nothing_else_does() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let mut terminal = Terminal::start(&cluster.browse("redis"), 60, 20);
    terminal.shows("1 of 2");
    terminal.press(ENTER);
    terminal.shows("1.1.0    ");
    let quiet = terminal.quiet();
    assert_eq!(quiet, 0, "{quiet} bytes were written at rest");
    let before = terminal.written();
    terminal.press("j");
    terminal.shows(">   ● 1.1.0");
    terminal.quiet();
    let bytes = terminal.written() - before;
    assert!(bytes < 1500, "{bytes} bytes for one line down");
    cluster.withdraw("redis-1.0.0", "it loses data").await?;
    terminal.shows("Withdrawn");
    cluster.withdraw("redis-1.0.0", "").await?;
    terminal.hides("Withdrawn");
    terminal.terminate();
    let left = terminal.ends();
    assert!(left.is_restored, "{}", left.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_is_said_where_it_would_stand() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let mut terminal = Terminal::start(&cluster.browse("--as nobody"), 80, 24);
    terminal.shows("not visible to you (needs list");
    terminal.press("q");
    assert_eq!(terminal.ends().code, 0);
    // She may list versions and nothing more: neither watch them, nor read their files, nor see Apps.
    let mut terminal = Terminal::start(&cluster.browse("--as lister redis"), 80, 24);
    terminal.shows("redis 1.1.0");
    terminal.shows("needs get configmaps in");
    terminal.press("5");
    terminal.shows("apps.middleware.io in default");
    terminal.press("[");
    terminal.shows("1 App on 1.0.0");
    terminal.press("q");
    assert_eq!(terminal.ends().code, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_blocks_nothing() -> Result<()> {
    let cluster = Cluster::shared().await?;
    // It takes connections, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let command = cluster.browse_at(&silent.local_addr()?.to_string());
    let mut terminal = Terminal::start(&command, 80, 24);
    terminal.shows("loading");
    terminal.press("/redis");
    terminal.shows("/ redis");
    terminal.press(ESCAPE);
    terminal.press("?");
    terminal.shows("half a screen down");
    terminal.press(CONTROL_C);
    let left = terminal.ends();
    assert!(left.is_restored && left.code == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_drawn_it_says_what_else_there_is() -> Result<()> {
    let cluster = Cluster::shared().await?;
    for command in [
        format!("TERM=dumb {}", cluster.browse("")),
        format!("{} | cat", cluster.browse("")),
    ] {
        let left = Terminal::start(&format!("set -o pipefail; {command}"), 80, 24).ends();
        let words = left.screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("catalog list"), "{words}");
        assert_eq!(left.code, 2, "{words}");
        assert!(!left.output.contains("\u{1b}[?1049h"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_colours_and_signs_too() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let command = format!("NO_COLOR=1 LC_ALL=C {}", cluster.browse("redis"));
    let mut terminal = Terminal::start(&command, 80, 24);
    terminal.shows("* Active");
    terminal.press("q");
    let left = terminal.ends();
    let colour = regex::Regex::new("\u{1b}\\[(3[1-7]|38;|9[0-7])").unwrap();
    let found = colour
        .find(&left.output)
        .map(|found| found.as_str().to_owned());
    assert_eq!(found, None);
    Ok(())
}
