//! `kubectl-middleware`, which kubectl runs as `kubectl middleware`.

fn main() -> std::process::ExitCode {
    catalog::main()
}
