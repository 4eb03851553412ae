//! A peer built on rust-libp2p. `tests/interop/README.md` has its command line and its cases.

mod cases;
mod cli;
mod ending;
mod environment;
mod hole_punch_test;
mod host;
mod identified;
mod inbound;
mod key;
mod pattern;
mod perf;
mod relaying;
mod security;
mod served;
mod transport_test;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{json, Value};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::{cli::Command, host::Host};

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let runtime = Runtime::new().expect("threads and a poller are to be had");
    let ended = runtime.block_on(run());
    // Without waiting for the thread that may still read the standard input.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let command = cli::parse()?;
    // As Go and Node do for their programs: `hold` needs a descriptor for each connection.
    rlimit::increase_nofile_limit(u64::MAX).context("raising the limit of open files")?;
    match command {
        Command::Listen { identity, ip } => {
            let mut host = Host::listening(&identity)?;
            let address = host.listen(ip).await?;
            print(&json!({ "id": host.id().to_string(), "addresses": [address.to_string()] }));
            host.during(input_ends()).await
        }
        Command::ListenThrough { identity, ip, relay } => {
            relaying::listen_through(&identity, ip, relay, input_ends()).await
        }
        Command::Relay { identity, ip, terms } => {
            let mut host = Host::relaying(&identity, terms.config())?;
            let address = host.listen(ip).await?;
            host.is_reachable_at(&address);
            print(&json!({ "id": host.id().to_string(), "addresses": [address.to_string()] }));
            host.during(input_ends()).await
        }
        Command::Dial { target, case } => {
            print(&cases::run(target, case).await?);
            Ok(())
        }
        Command::Hold { target, connections, streams } => {
            let mut held = cases::hold(target, connections, streams).await?;
            print(&held.report());
            tokio::select! {
                ended = input_ends() => ended,
                error = held.lost() => Err(error),
            }
        }
        Command::TransportTest => transport_test::run().await,
        Command::HolePunchTest => hole_punch_test::run().await,
    }
}

pub fn print(report: &Value) {
    println!("{report}");
}

async fn input_ends() -> Result<()> {
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}
