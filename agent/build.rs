//! Turns the service of `api/proto/agent.proto` into the stubs of server and client. The messages
//! themselves are `api::agent`'s.

const PROTO: &str = "../api/proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let files = protox::compile(["agent.proto"], [PROTO])?;
    tonic_prost_build::configure()
        .extern_path(".middleware.agent.v1", "::api::agent")
        .compile_fds(files)?;
    Ok(())
}
