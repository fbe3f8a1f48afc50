//! Turns `proto/agent.proto` into prost messages. The stubs of the services are made where they are
//! used: the server's in `agent`, the client's in `operator`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["agent.proto"], ["proto"])?;
    prost_build::Config::new().compile_fds(files)?;
    Ok(())
}
