//! What a dialer demands, each case in a file.

mod circuit;
mod connects;
mod echo;
mod half_close;
mod hold;
mod identify;
mod perf;
mod ping;
mod push;
mod rate;
mod reset;
mod streams;

use std::{future::Future, time::Duration};

use anyhow::{Context as _, Result};
use libp2p::Multiaddr;
use serde_json::Value;

pub use self::hold::Held;
use crate::host::{Host, Identity, Peer};

/// No case takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// All but `hold`, which goes on after its report.
pub enum Case {
    Ping { count: usize },
    Identify,
    Push,
    Echo { bytes: u64 },
    HalfClose,
    Reset,
    Streams { count: u64 },
    Perf { upload: u64, download: u64 },
    Connects { count: usize },
    Rate { seconds: u64, parallel: usize },
    Circuit { bytes: u64, patience: u64 },
}

#[derive(Clone)]
pub struct Target {
    pub address: Multiaddr,
    pub identity: Identity,
}

impl Target {
    async fn connect(&self) -> Result<(Host, Peer)> {
        let mut host = Host::dialing(&self.identity)?;
        let peer = host.connect(&self.address).await?;
        Ok((host, peer))
    }
}

/// Runs a case and returns its report.
pub async fn run(target: Target, case: Case) -> Result<Value> {
    within(TIMEOUT, async {
        match case {
            Case::Ping { count } => ping::run(target, count).await,
            Case::Identify => identify::run(target).await,
            Case::Push => push::run(target).await,
            Case::Echo { bytes } => echo::run(target, bytes).await,
            Case::HalfClose => half_close::run(target).await,
            Case::Reset => reset::run(target).await,
            Case::Streams { count } => streams::run(target, count).await,
            Case::Perf { upload, download } => perf::run(target, upload, download).await,
            Case::Connects { count } => connects::run(target, count).await,
            Case::Rate { seconds, parallel } => rate::run(target, seconds, parallel).await,
            Case::Circuit { bytes, patience } => circuit::run(target, bytes, patience).await,
        }
    })
    .await
}

/// Ends when all the connections and streams stand; they do as long as the value lives.
pub async fn hold(target: Target, connections: usize, streams: usize) -> Result<Held> {
    within(TIMEOUT, hold::stand(target, connections, streams)).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, work)
        .await
        .with_context(|| format!("it took longer than {} s", limit.as_secs()))?
}
