//! Figures as a Markdown table.

use std::time::Duration;

/// Rows of what was measured.
#[derive(Default)]
pub struct Table(Vec<(String, String)>);

impl Table {
    /// One more row; told on standard error at once, because a run takes minutes.
    pub fn row(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        eprintln!("  {what}: {value}");
        self.0.push((what, value));
    }

    /// Prints all rows.
    pub fn print(&self) {
        println!("\n| what | measured |\n| --- | ---: |");
        for (what, value) in &self.0 {
            println!("| {what} | {value} |");
        }
    }
}

/// The one in the middle; nothing where there is none.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
