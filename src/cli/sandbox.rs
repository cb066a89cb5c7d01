//! `deployer sandbox`.

use super::args::{Common, SandboxCommand};
use super::error::Failure;
use super::exit::Exit;
use crate::sandbox;

/// Starts, stops or looks at the emulator.
#[expect(
    clippy::print_stdout,
    reason = "provisional until the report renders it"
)]
pub async fn run(common: &Common, command: &SandboxCommand) -> Result<Exit, Failure> {
    let folder = common.state_dir.join("sandbox");
    let info = match command {
        SandboxCommand::Up { port, latency } => {
            let options = sandbox::UpOptions {
                folder,
                port: *port,
                latency: latency.clone(),
            };
            Some(sandbox::up(&options, &|line| tracing::info!("{line}")).await?)
        }
        SandboxCommand::Down => sandbox::down(&folder).await?,
        SandboxCommand::Status => sandbox::status(&folder).await?,
    };
    println!("{info:?}");
    Ok(Exit::Done)
}
