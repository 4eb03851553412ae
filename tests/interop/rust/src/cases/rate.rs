//! How many connections are made in a time, a few hosts each making one after the other.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{json, Value};
use tokio::task::JoinSet;

use super::Target;
use crate::host::Host;

pub async fn run(target: Target, seconds: u64, parallel: usize) -> Result<Value> {
    let began = Instant::now();
    let end = began + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for _ in 0..parallel {
        tasks.spawn(connect_until(end, target.clone()));
    }
    let mut connections = 0;
    while let Some(made) = tasks.join_next().await {
        connections += made??;
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(json!({ "connections": connections, "seconds": seconds }))
}

async fn connect_until(end: Instant, target: Target) -> Result<u64> {
    let mut host = Host::dialing(&target.identity)?;
    let mut made = 0;
    while Instant::now() < end {
        let peer = host.connect(&target.address).await?;
        host.disconnect(peer).await;
        made += 1;
    }
    Ok(made)
}
