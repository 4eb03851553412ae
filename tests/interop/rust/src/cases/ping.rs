//! A number of pings, on the one stream that the library keeps for them.

use anyhow::Result;
use serde_json::{json, Value};

use super::Target;
use crate::host::Host;

pub async fn run(target: Target, count: usize) -> Result<Value> {
    let mut host = Host::pinging(&target.identity)?;
    host.connect(&target.address).await?;
    let mut rtts_ms = Vec::new();
    while rtts_ms.len() < count {
        rtts_ms.push(host.pinged().await?.as_micros() as f64 / 1e3);
    }
    Ok(json!({ "rtts_ms": rtts_ms }))
}
