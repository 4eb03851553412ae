//! Many hosts that connect in the same instant.

use anyhow::Result;
use serde_json::{json, Value};
use tokio::task::JoinSet;

use super::Target;
use crate::host::Host;

pub async fn run(target: Target, count: usize) -> Result<Value> {
    let hosts: Result<Vec<Host>> = (0..count).map(|_| Host::dialing(&target.identity)).collect();
    let mut connecting = JoinSet::new();
    for mut host in hosts? {
        let address = target.address.clone();
        connecting.spawn(async move {
            host.connect(&address).await?;
            host.pinged().await
        });
    }
    while let Some(pinged) = connecting.join_next().await {
        pinged??;
    }
    Ok(json!({ "count": count }))
}
