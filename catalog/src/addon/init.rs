//! `addon init`: a new addon's files. What the flags do not say is asked for, where somebody is there
//! to answer. Nothing is overwritten.

use super::{checked, skeleton::Plan};
use crate::{
    args::{InitArgs, volume_size},
    output::{self, Paint, WIDTH, wrapped},
};
use anyhow::{Context as _, bail, ensure};
use api::{Version, names::PluginName};
use package::image;
use serde::Serialize;
use std::{
    fs,
    io::{self, BufRead, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

/// What was written.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    directory: String,
    plugin: PluginName,
    version: Version,
    files: Vec<String>,
}

/// Writes the skeleton that the arguments describe.
///
/// # Errors
/// An answer is missing or wrong, something is there already, or the disk refuses.
pub(super) fn init(args: &InitArgs) -> anyhow::Result<Report> {
    let version = Version::new(1, 0, 0);
    let attended = io::stdin().is_terminal() && io::stderr().is_terminal();
    let missing = missing(args);
    ensure!(
        attended || missing.is_empty(),
        "{} missing, and there is no terminal to ask at; say for example `init memcached --image \
         memcached:1.6.38 --runtime 1.6.38 --port 11211`",
        missing.join(", ")
    );
    let mut answers = Asking::new(io::stdin().lock(), io::stderr());
    let name = name(args, &mut answers)?;
    let usual = || Path::new(name.as_str()).join(version.to_string());
    let directory = args.dir.clone().unwrap_or_else(usual);
    refuse_to_overwrite(&directory)?;
    let plan = plan(name, args, &mut answers)?;
    let files = plan.files();
    write(&directory, &files)?;
    let checked = checked::one(&directory)?;
    if let Some(finding) = checked.located().first() {
        bail!(
            "the skeleton is not valid: {}: {}",
            finding.place(),
            finding.message()
        );
    }
    Ok(Report {
        directory: directory.display().to_string(),
        plugin: plan.name,
        version,
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}

fn refuse_to_overwrite(directory: &Path) -> anyhow::Result<()> {
    let shown = directory.display();
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            bail!("`{shown}` is a file, and an addon is a directory; name another with --dir")
        }
        Err(error) => Err(error).with_context(|| format!("cannot write to `{shown}`")),
        Ok(mut entries) => {
            ensure!(
                entries.next().is_none(),
                "`{shown}` is there and not empty, and nothing is overwritten; name another \
                 directory with --dir"
            );
            Ok(())
        }
    }
}

fn write(directory: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    for (path, text) in files {
        let path = directory.join(path);
        let written = create(&path, text);
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::File::create_new(path)?;
    file.write_all(text.as_bytes())
}

/// A person at a terminal.
struct Asking<R, W> {
    answers: R,
    questions: W,
}

impl<R: BufRead, W: Write> Asking<R, W> {
    fn new(answers: R, questions: W) -> Self {
        Self { answers, questions }
    }

    /// The answer to `question`; what `check` says against one is told, and it is asked again.
    fn ask<T>(
        &mut self,
        flag: &'static str,
        question: &str,
        check: &dyn Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        loop {
            write!(self.questions, "{question}? ")?;
            self.questions.flush()?;
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                writeln!(self.questions)?;
                bail!("no answer; {flag} says it too");
            }
            match check(line.trim()) {
                Ok(answer) => return Ok(answer),
                Err(why) => {
                    let why = wrapped(&why, WIDTH - 2, "  ");
                    write!(self.questions, "  {why}")?;
                }
            }
        }
    }
}

/// The flags of which the values are to be asked for.
fn missing(args: &InitArgs) -> Vec<&'static str> {
    let tag = args.image.as_deref().and_then(tag_version);
    let known = [
        ("NAME", args.name.is_some()),
        ("--image", args.image.is_some()),
        ("--runtime", args.runtime.is_some() || tag.is_some()),
        ("--port", args.port.is_some()),
    ];
    let missing = known.into_iter().filter(|(_, is_known)| !is_known);
    missing.map(|(flag, _)| flag).collect()
}

fn name<R: BufRead, W: Write>(
    args: &InitArgs,
    answers: &mut Asking<R, W>,
) -> anyhow::Result<PluginName> {
    match &args.name {
        Some(name) => Ok(name.clone()),
        None => answers.ask("NAME", "what is the middleware called", &checked_name),
    }
}

fn plan<R: BufRead, W: Write>(
    name: PluginName,
    args: &InitArgs,
    answers: &mut Asking<R, W>,
) -> anyhow::Result<Plan> {
    let image = match &args.image {
        Some(image) => checked_image(image).map_err(anyhow::Error::msg)?,
        None => answers.ask(
            "--image",
            "which image runs it, with its tag",
            &checked_image,
        )?,
    };
    let runtime = match args.runtime.clone().or_else(|| tag_version(&image)) {
        Some(runtime) => runtime,
        None => {
            let question = "which version of the middleware is in that image";
            answers.ask("--runtime", question, &checked_version)?
        }
    };
    let port = match args.port {
        Some(port) => port,
        None => answers.ask("--port", "on which port does it listen", &checked_port)?,
    };
    Ok(Plan {
        name,
        image,
        runtime,
        port,
        volume: volume(args, answers)?,
        roles: args.role.clone(),
        credentials: args.credential.clone(),
        schema: args.schema,
    })
}

/// Whoever answers other questions is asked this one; whoever gave the flags has said it all.
fn volume<R: BufRead, W: Write>(
    args: &InitArgs,
    answers: &mut Asking<R, W>,
) -> anyhow::Result<Option<String>> {
    if args.volume.is_some() || (args.image.is_some() && args.port.is_some()) {
        return Ok(args.volume.clone());
    }
    let question = "how large a volume does each member need, such as 1Gi (empty for none)";
    answers.ask("--volume", question, &checked_volume)
}

fn checked_name(text: &str) -> Result<PluginName, String> {
    text.parse()
        .map_err(|error: api::names::InvalidName| error.to_string())
}

fn checked_volume(text: &str) -> Result<Option<String>, String> {
    match text {
        "" | "none" => Ok(None),
        size => volume_size(size).map(Some),
    }
}

fn checked_image(text: &str) -> Result<String, String> {
    image::check(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn checked_version(text: &str) -> Result<Version, String> {
    text.parse()
        .map_err(|error: api::version::InvalidVersion| error.to_string())
}

fn checked_port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("want a port from 1 to 65535".to_owned()),
        Ok(port) => Ok(port),
    }
}

/// The version that the image's tag is, or begins with as in `1.6.38-alpine`.
fn tag_version(image: &str) -> Option<Version> {
    let named = image.split('@').next()?;
    let (_, tag) = named.rsplit_once(':')?;
    tag.split('-').next()?.parse().ok()
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let directory = PathBuf::from(&self.directory);
        let mut text = format!(
            "{} {} in {}\n",
            paint.bold(self.plugin.as_str()),
            self.version,
            self.directory
        );
        for file in &self.files {
            text.push_str(&format!("  {}\n", directory.join(file).display()));
        }
        text.push_str(&format!(
            "\nnext: put the start command and the configuration right, then\n  kubectl middleware \
             addon lint {0}\n  kubectl middleware addon render {0}\nfor an editor that completes and \
             checks addon.yaml\n  kubectl middleware addon schema --help\n",
            self.directory
        ));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn args(line: &str) -> InitArgs {
        let words = ["kubectl-middleware", "addon", "init"];
        let words = words.into_iter().chain(line.split_whitespace());
        match crate::args::Arguments::parse_from(words).command {
            crate::args::Command::Addon {
                command: crate::args::AddonCommand::Init(args),
            } => args,
            other => panic!("{other:?}"),
        }
    }

    fn planned<W: Write>(line: &str, answers: &mut Asking<&[u8], W>) -> anyhow::Result<Plan> {
        let args = args(line);
        plan(name(&args, answers)?, &args, answers)
    }

    #[test]
    fn an_empty_answer_is_no_volume() {
        let mut asking = Asking::new(&b"1\n\n"[..], Vec::new());
        let plan = planned("a --image example.org/a:1.0.0", &mut asking).unwrap();
        assert_eq!((plan.port, plan.volume), (1, None));
    }

    #[test]
    fn three_questions_are_asked_until_they_are_answered() {
        let mut questions = Vec::new();
        let answers = "Memcached\nmemcached\nMemcached\nexample.org/memcached:stable\n1.6\n1.6.38\n0\n\
                       11211\nbig\n1Gi\n";
        let mut asking = Asking::new(answers.as_bytes(), &mut questions);
        let plan = planned("", &mut asking).unwrap();
        assert_eq!(plan.name.as_str(), "memcached");
        assert_eq!(plan.image, "example.org/memcached:stable");
        assert_eq!((plan.runtime, plan.port), (Version::new(1, 6, 38), 11211));
        assert_eq!(plan.volume.as_deref(), Some("1Gi"));
        insta::assert_snapshot!(String::from_utf8(questions).unwrap());
    }

    #[test]
    fn a_tag_can_be_the_runtime() {
        let flags = "a --image memcached:1.6.38-alpine --port 1";
        let plan = planned(flags, &mut Asking::new(&b""[..], Vec::new())).unwrap();
        assert_eq!(plan.runtime, Version::new(1, 6, 38));
        assert_eq!(plan.volume, None);
        assert_eq!(tag_version("localhost:5000/a"), None);
        assert_eq!(tag_version("a:1.2"), None);
    }

    #[test]
    fn an_end_of_input_is_no_answer() {
        let mut asking = Asking::new(&b""[..], Vec::new());
        let error = planned("a", &mut asking).unwrap_err();
        assert_eq!(error.to_string(), "no answer; --image says it too");
    }
}
