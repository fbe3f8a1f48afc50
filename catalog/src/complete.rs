//! Completion on Tab: scripts for shells, and the answers that kubectl asks for itself.
//!
//! In: a shell, or the words typed so far, and the cluster that they mean. Out: a script, or the words
//! that may follow, in the protocol of Cobra's `__complete`, which kubectl speaks with `kubectl_complete-<plugin>`: a
//! candidate a line, what it is after a tab, and a directive in the last line.

mod choices;
mod cluster;

use crate::{
    args::{Arguments, COMPLETE, CompletionFor},
    output::Outcome,
};
use clap::{Arg, ArgAction, Command, CommandFactory as _, ValueHint};
use clap_complete::{Shell, generate};
use std::fmt::Write as _;

/// The program that is completed.
const PROGRAM: &str = "kubectl-middleware";

/// What the shell does beside the candidates (Cobra's `ShellCompDirective`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    /// Complete files where there is no candidate.
    Files = 0,
    /// Complete nothing else.
    Nothing = 4,
    /// Complete nothing else, and put no blank behind a candidate.
    GoesOn = 6,
    /// Complete directories.
    Directories = 16,
}

/// The words that may follow.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    candidates: Vec<(String, String)>,
    directive: Directive,
}

/// The script that `shell`, or kubectl, runs.
pub(crate) fn script(shell: CompletionFor) -> Outcome {
    Outcome::clean(match shell {
        CompletionFor::Bash => include_str!("complete/scripts/bash").to_owned(),
        CompletionFor::Fish => include_str!("complete/scripts/fish").to_owned(),
        CompletionFor::Zsh => include_str!("complete/scripts/zsh").to_owned(),
        CompletionFor::Kubectl => format!("#!/bin/sh\nexec {PROGRAM} {COMPLETE} \"$@\"\n"),
        CompletionFor::Elvish => generated(Shell::Elvish),
        CompletionFor::Powershell => generated(Shell::PowerShell),
    })
}

/// A script that knows the commands and their flags, and asks nobody.
fn generated(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut visible(), PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// What may stand in place of the last of `words`, which is not finished.
pub(crate) fn answer(words: &[String]) -> Outcome {
    let mut command = Arguments::command();
    command.build();
    let Answer {
        candidates,
        directive,
    } = following(&command, words);
    let mut text = String::new();
    for (word, about) in candidates {
        let _ = match about.is_empty() {
            true => writeln!(text, "{word}"),
            false => writeln!(text, "{word}\t{about}"),
        };
    }
    let _ = writeln!(text, ":{}", directive as u8);
    Outcome::clean(text)
}

/// All that people are shown: what is hidden is for programs.
fn visible() -> Command {
    let all = Arguments::command();
    let shown = all.get_subcommands().filter(|sub| !sub.is_hide_set());
    Command::new(PROGRAM)
        .version(api::PLATFORM_VERSION)
        .subcommands(shown.cloned())
}

fn following(root: &Command, words: &[String]) -> Answer {
    let (last, before) = match words.split_last() {
        Some((last, before)) => (last.as_str(), before),
        None => ("", &[][..]),
    };
    let mut command = root;
    let mut open: Option<&Arg> = None;
    let (mut path, mut positional) = (Vec::new(), Vec::new());
    for word in before {
        if open.take().is_some() {
            continue;
        }
        if word.starts_with('-') {
            open = option(command, word).filter(|_| !word.contains('='));
        } else if let Some(sub) = command.find_subcommand(word) {
            path.push(sub.get_name());
            (command, positional) = (sub, Vec::new());
        } else {
            positional.push(word.as_str());
        }
    }
    let values = |arg: &Arg| values(arg, &path, &positional, before, last);
    match open {
        Some(arg) => values(arg),
        None if last.starts_with('-') => options(command, last),
        None if command.has_subcommands() => subcommands(command, last),
        None => match positional_at(command, positional.len()) {
            Some(arg) => values(arg),
            None => Answer::none(),
        },
    }
}

impl Answer {
    fn none() -> Self {
        Self::of(std::iter::empty(), "")
    }

    /// Those of `candidates` that begin with `prefix`.
    fn of(candidates: impl Iterator<Item = (String, String)>, prefix: &str) -> Self {
        Self {
            candidates: candidates
                .filter(|(word, _)| word.starts_with(prefix))
                .collect(),
            directive: Directive::Nothing,
        }
    }
}

/// The option that `word` is, where it takes a value.
fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.split('=').next().unwrap_or(word);
    let is_it = |arg: &&Arg| {
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        [long, short].into_iter().flatten().any(|own| own == name)
    };
    let takes_value = |arg: &&Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    command.get_arguments().find(is_it).filter(takes_value)
}

fn options(command: &Command, prefix: &str) -> Answer {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let named = shown.filter_map(|arg| {
        let long = arg.get_long()?;
        Some((format!("--{long}"), about(arg.get_help())))
    });
    Answer::of(named, prefix)
}

fn subcommands(command: &Command, prefix: &str) -> Answer {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let named = shown.map(|sub| (sub.get_name().to_owned(), about(sub.get_about())));
    Answer::of(named, prefix)
}

/// The positional argument at `index`; the last one where it takes several.
fn positional_at(command: &Command, index: usize) -> Option<&Arg> {
    let positionals: Vec<&Arg> = command.get_positionals().collect();
    let last = positionals.last().copied();
    let several = last.filter(|arg| matches!(arg.get_action(), ArgAction::Append));
    positionals.get(index).copied().or(several)
}

fn values(
    arg: &Arg,
    path: &[&str],
    positional: &[&str],
    before: &[String],
    prefix: &str,
) -> Answer {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let named = possible.iter().map(|value| {
            let help = value.get_help();
            (value.get_name().to_owned(), about(help))
        });
        return Answer::of(named, prefix);
    }
    let named = cluster::of(path, arg.get_id().as_str(), positional, before, prefix);
    if let Some(named) = named {
        let new = |(word, _): &(String, String)| !positional.contains(&word.as_str());
        return Answer::of(named.into_iter().filter(new), prefix);
    }
    let flag = arg.get_long().unwrap_or_default();
    let offered = choices::of(flag, positional);
    if !offered.is_empty() {
        let mut answer = Answer::of(offered.into_iter(), prefix);
        if choices::goes_on(flag) {
            answer.directive = Directive::GoesOn;
        }
        return answer;
    }
    Answer {
        candidates: Vec::new(),
        directive: match arg.get_value_hint() {
            ValueHint::DirPath => Directive::Directories,
            ValueHint::FilePath | ValueHint::AnyPath => Directive::Files,
            _ => Directive::Nothing,
        },
    }
}

/// The first line of a help text.
fn about(help: Option<&clap::builder::StyledStr>) -> String {
    let text = help.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> (Vec<String>, Directive) {
        let mut command = Arguments::command();
        command.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let answer = following(&command, &words);
        let words = answer
            .candidates
            .into_iter()
            .map(|(word, _)| word)
            .collect();
        (words, answer.directive)
    }

    #[test]
    fn words_are_completed_by_what_is_before_them() {
        let words = |line| said(line).0;
        assert_eq!(words("ad"), ["addon"]);
        assert_eq!(words("addon re"), ["render"]);
        assert_eq!(words("addon render --repl"), ["--replicas"]);
        assert_eq!(
            words("addon lint redis -o "),
            ["text", "json", "yaml", "github"]
        );
        assert_eq!(words("completion ku"), ["kubectl"]);
        assert_eq!(words("addon lint redis --output j"), ["json"]);
        assert!(words("").iter().all(|word| !word.starts_with('_')));
        assert!(words("nowhere ").contains(&"addon".to_owned()));
    }

    #[test]
    fn an_addon_offers_what_it_has() {
        let addons = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/addons");
        let (render, explain) = (
            format!("addon render {addons}/shapes/1.0.0"),
            format!("addon explain {addons}/graph"),
        );
        let words = |flag: &str| said(&format!("{render} {flag} ")).0;
        assert_eq!(words("--topology"), ["single", "quorum"]);
        assert_eq!(words("--profile"), ["development", "production"]);
        assert_eq!(words("--runtime"), ["2.0.0", "1.0.0"]);
        assert_eq!(words("--enable"), ["proxy"]);
        assert_eq!(said(&format!("{render} --set st")).0, ["store."]);
        assert_eq!(said(&format!("{render} --replicas ")).1, Directive::GoesOn);
        assert_eq!(
            said(&format!("{explain} --from 3.")).0,
            ["3.0.0", "3.1.0-rc.1"]
        );
        assert!(said("addon render nowhere --topology ").0.is_empty());
        assert!(said("addon render --topology ").0.is_empty());
    }

    #[test]
    fn directories_and_files_are_the_shells_to_complete() {
        let directive = |line| said(line).1;
        assert_eq!(directive("addon lint re"), Directive::Directories);
        assert_eq!(directive("addon lint redis "), Directive::Directories);
        assert_eq!(directive("addon digest redis "), Directive::Nothing);
        assert_eq!(directive("addon render redis --diff "), Directive::Files);
        assert_eq!(directive("addon render -f "), Directive::Files);
        assert_eq!(directive("addon render --app "), Directive::Nothing);
    }
}
