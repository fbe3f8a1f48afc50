//! `catalog search`: the plugins in which every word is found, the best first.

use super::{
    content,
    list::{Entry, roots},
    model,
};
use crate::{
    args::SearchArgs,
    cluster::{Cluster, Hidden},
    output::{self, Listed, Paint, Verdict},
    suggest,
    table::{Cell, Table, Tone},
};
use package::Package;
use serde::Serialize;

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    found: Vec<Found>,
    /// Why names alone were searched, where that is a matter of rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<Hidden>,
    /// What may have been meant where nothing was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
    #[serde(skip)]
    terms: String,
}

/// One plugin, and where the words stand in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(flatten)]
    entry: Entry,
    /// Where the best word was found.
    found_in: Place,
    #[serde(skip)]
    score: u32,
}

/// Where a word was found, the best place last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
enum Place {
    Readme,
    Description,
    Keyword,
    Name,
}

/// The plugins that have every word.
///
/// # Errors
/// The versions cannot be listed.
pub(super) async fn search(args: &SearchArgs) -> anyhow::Result<Report> {
    let cluster = Cluster::connect(&args.cluster).await?;
    let catalog = model::load(&cluster, None).await?;
    let roots = roots(&cluster, &catalog.plugins).await;
    let hidden = roots.hidden().cloned();
    let terms: Vec<String> = words(&args.terms);
    let mut roots = roots.into_iter();
    let found = catalog.plugins.iter().filter_map(|plugin| {
        let root = roots.next().and_then(Result::ok);
        Found::of(Entry::of(plugin, root.as_ref())?, root.as_ref(), &terms)
    });
    let mut found: Vec<Found> = found.collect();
    found.sort_by(|a, b| {
        b.score
            .cmp(&a.score)
            .then(a.entry.plugin.cmp(&b.entry.plugin))
    });
    let names: Vec<&str> = catalog.plugins.iter().map(|p| p.plugin.as_str()).collect();
    let meant = terms.iter().find_map(|term| suggest::nearest(term, &names));
    Ok(Report {
        did_you_mean: meant.filter(|_| found.is_empty()).map(str::to_owned),
        found,
        hidden,
        terms: args.terms.join(" "),
    })
}

/// The words of all `terms`, in lower case.
fn words(terms: &[String]) -> Vec<String> {
    let words = terms.iter().flat_map(|term| term.split_whitespace());
    words.map(str::to_lowercase).collect()
}

impl Found {
    fn of(entry: Entry, root: Option<&Package>, terms: &[String]) -> Option<Self> {
        let readme = root.and_then(content::readme).unwrap_or_default();
        let readme = readme.to_lowercase();
        let hits: Option<Vec<(u32, Place)>> = terms
            .iter()
            .map(|term| hit(&entry, &readme, term))
            .collect();
        let hits = hits?;
        let found_in = hits.iter().map(|(_, place)| *place).max()?;
        Some(Self {
            score: hits.iter().map(|(score, _)| score).sum(),
            entry,
            found_in,
        })
    }
}

/// How well `term` is found, and where; everything is in lower case.
fn hit(entry: &Entry, readme: &str, term: &str) -> Option<(u32, Place)> {
    let name = entry.plugin.as_str();
    let keywords = || entry.keywords.iter().map(|keyword| keyword.to_lowercase());
    match () {
        () if name == term => Some((100, Place::Name)),
        () if name.starts_with(term) => Some((60, Place::Name)),
        () if name.contains(term) => Some((50, Place::Name)),
        () if keywords().any(|keyword| keyword == term) => Some((40, Place::Keyword)),
        () if keywords().any(|keyword| keyword.contains(term)) => Some((30, Place::Keyword)),
        () if entry.description.to_lowercase().contains(term) => Some((20, Place::Description)),
        () if readme.contains(term) => Some((10, Place::Readme)),
        () => None,
    }
}

impl Place {
    fn text(self) -> &'static str {
        match self {
            Self::Readme => "README",
            Self::Description => "description",
            Self::Keyword => "keyword",
            Self::Name => "name",
        }
    }
}

impl Report {
    fn table(&self) -> Table {
        let mut table = Table::new(&["PLUGIN", "VERSION", "STATE", "FOUND IN", "WHAT IT IS"]);
        for Found {
            entry, found_in, ..
        } in &self.found
        {
            table.row(vec![
                Cell::toned(&entry.plugin, Tone::Bold),
                Cell::new(&entry.version),
                Cell::toned(entry.state, Tone::of_state(entry.state)),
                Cell::new(found_in.text()),
                Cell::new(&entry.description),
            ]);
        }
        table
    }

    fn notes(&self) -> String {
        let mut text = String::new();
        if self.found.is_empty() {
            let meant = match &self.did_you_mean {
                Some(name) => format!("; did you mean `{name}`?"),
                None => "; `kubectl middleware catalog list` shows all there is".to_owned(),
            };
            let line = format!("nothing in the catalog has `{}`{meant}", self.terms);
            text.push_str(&output::wrapped(
                &output::one_line(&line),
                output::WIDTH,
                "  ",
            ));
        }
        if let Some(hidden) = &self.hidden {
            let line = format!("names alone were searched; the rest is {hidden}");
            text.push_str(&output::wrapped(&line, output::WIDTH, "  "));
        }
        text
    }
}

impl output::Report for Report {
    fn text(&self, paint: Paint) -> String {
        let table = match self.found.is_empty() {
            true => String::new(),
            false => self.table().text(paint),
        };
        table + &self.notes()
    }

    fn verdict(&self) -> Verdict {
        match self.found.is_empty() {
            true => Verdict::Findings,
            false => Verdict::Clean,
        }
    }
}

impl Listed for Report {
    fn wide(&self, paint: Paint) -> String {
        match self.found.is_empty() {
            true => self.notes(),
            false => self.table().wide(paint) + &self.notes(),
        }
    }

    fn names(&self) -> Vec<String> {
        let found = self.found.iter();
        found.map(|found| found.entry.plugin.to_string()).collect()
    }
}
