//! What the hidden subcommand `evaluate` of our programs does: the child of [`crate::Process`].

use crate::{
    Host, cache,
    frame::{self, Order},
    program::Run as _,
};
use std::{
    io::{self, BufReader, BufWriter},
    path::Path,
};

/// Answers on standard output what is asked on standard input, until that ends; with a directory, leaves
/// the compiled programs there instead.
///
/// # Errors
/// The parent cannot be understood, or the directory cannot be written.
pub fn main(precompile: Option<&Path>) -> io::Result<()> {
    match precompile {
        Some(directory) => cache::precompile(directory),
        None => serve(
            &mut BufReader::new(io::stdin()),
            &mut BufWriter::new(io::stdout()),
        ),
    }
}

fn serve(from: &mut impl io::Read, to: &mut impl io::Write) -> io::Result<()> {
    while let Some(order) = frame::read_order(from)? {
        let answer = match order {
            Order::Prepare(program) => Host.prepare(program).map(|()| Vec::new()),
            Order::Run(program, request) => Host.run(program, &request),
        };
        frame::write_answer(to, &answer)?;
    }
    Ok(())
}
