//! The child of `evaluate::Process` as a program of its own, for tests and measurements; those that
//! people get have it as the hidden subcommand `evaluate`.

use std::{env, io, path::PathBuf};

fn main() -> io::Result<()> {
    let directory = env::args_os().nth(1).map(PathBuf::from);
    evaluate::child::main(directory.as_deref())
}
