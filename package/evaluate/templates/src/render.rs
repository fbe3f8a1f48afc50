//! Strict rendering: a value that is not there is an error, except as the condition of an `if`, where
//! it is false, and before `default`. Beside Tera's own filters there are those of [`filters`].

use crate::{Answer, FOLDER, Fault, Request, filters};
use std::{collections::BTreeMap, io};
use tera::{Context, ErrorKind, ReportError, Tera};

/// The text of the template, or what is wrong with it.
pub fn render(request: &Request) -> Answer {
    match text(request) {
        Ok(text) => Answer::Text(text),
        Err(fault) => Answer::Refused(fault),
    }
}

fn text(request: &Request) -> Result<String, Fault> {
    let tera = load(request)?;
    let refuse = |error| refused(&error, request);
    let context = Context::from_serialize(&request.context).map_err(refuse)?;
    let mut output = Capped::new(request.most);
    let rendered = tera.render_to(&request.template, &context, &mut output);
    if output.full {
        let most = request.most;
        let message = format!("it renders to more than {most} bytes; what loops in it?");
        return Err(whole(&request.template, message));
    }
    rendered.map_err(refuse)?;
    String::from_utf8(output.bytes).map_err(|_| {
        let message = "it renders to bytes that are not UTF-8".to_owned();
        whole(&request.template, message)
    })
}

/// Tera with the template that is asked for and those that it can include. Its own faults come
/// before those of others, so that of several broken templates each is reported.
fn load(request: &Request) -> Result<Tera, Fault> {
    let refuse = |error| refused(&error, request);
    let Some(own) = request.templates.get(&request.template) else {
        let message = "there is no such file".to_owned();
        return Err(whole(&request.template, message));
    };
    let alone = empty().add_raw_template(&request.template, own);
    if let Err(error) = alone
        && matches!(error.kind(), ErrorKind::SyntaxError(_))
    {
        return Err(refuse(error));
    }
    let mut tera = empty();
    tera.add_raw_templates(needed(request)).map_err(refuse)?;
    Ok(tera)
}

fn empty() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on(Vec::<String>::new());
    filters::register(&mut tera);
    tera
}

/// The template and every other one whose name stands in it, or in one of those: all that it can
/// include, so that a template which nobody uses spoils nothing.
fn needed(request: &Request) -> BTreeMap<&str, &str> {
    let mut needed = BTreeMap::new();
    let mut open = vec![&request.template];
    while let Some(name) = open.pop() {
        let Some((name, text)) = request.templates.get_key_value(name) else {
            continue;
        };
        if needed.insert(name.as_str(), text.as_str()).is_none() {
            let others = request.templates.keys();
            open.extend(others.filter(|other| text.contains(other.as_str())));
        }
    }
    needed
}

fn refused(error: &tera::Error, request: &Request) -> Fault {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => located(report),
        other => from_report(&other.to_string())
            .unwrap_or_else(|| whole(&request.template, other.to_string())),
    }
}

/// What a report in text says: an unknown filter, test or function comes as that only, message in
/// the first line and `--> file:line:column` in the next.
fn from_report(text: &str) -> Option<Fault> {
    let (first, rest) = text.split_once('\n')?;
    let place = rest.lines().next()?.trim_start().strip_prefix("--> ")?;
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next()?.trim_end().parse().ok();
    let line = parts.next()?.parse().ok();
    Some(Fault {
        file: path(parts.next()?),
        line,
        column,
        message: first.trim_start_matches("error: ").to_owned(),
    })
}

fn located(report: &ReportError) -> Fault {
    let span = report.span();
    Fault {
        file: path(report.filename()),
        line: u32::try_from(span.start_line).ok(),
        column: u32::try_from(span.start_col + 1).ok(),
        message: report.message().to_owned(),
    }
}

fn whole(template: &str, message: String) -> Fault {
    Fault {
        file: path(template),
        line: None,
        column: None,
        message,
    }
}

fn path(template: &str) -> String {
    format!("{FOLDER}{template}")
}

/// A writer that takes at most so many bytes.
struct Capped {
    bytes: Vec<u8>,
    most: usize,
    full: bool,
}

impl Capped {
    fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            most,
            full: false,
        }
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
