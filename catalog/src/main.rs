//! `kubectl middleware`.

fn main() {}
