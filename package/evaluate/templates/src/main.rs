//! One request as JSON on standard input, its answer as JSON on standard output.

use std::{
    error::Error,
    io::{self, Write as _},
};

fn main() -> Result<(), Box<dyn Error>> {
    let request = serde_json::from_reader(io::stdin().lock())?;
    let answer = serde_json::to_vec(&templates::render(&request))?;
    io::stdout().write_all(&answer)?;
    Ok(())
}
