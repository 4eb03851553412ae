//! What identify tells, and that it belongs to the peer.

use anyhow::{ensure, Result};
use serde_json::{json, Value};

use super::Target;
use crate::{host::MUXER, identified};

pub async fn run(target: Target) -> Result<Value> {
    let (mut host, mut peer) = target.connect().await?;
    let info = host.identified().await?;
    let claimed = info.public_key.to_peer_id();
    ensure!(claimed == peer.id, "the key of {} is that of {claimed}", peer.id);
    let signed_record = host.during(identified::signed_record(&mut peer, &info)).await?;
    ensure!(signed_record, "there is no signed peer record of {}", peer.id);
    Ok(json!({
        "peer_id": peer.id.to_string(),
        "security": host.security(),
        "muxer": MUXER,
        "agent_version": info.agent_version,
        "protocol_version": info.protocol_version,
        "protocols": texts(&info.protocols),
        "listen_addresses": texts(&info.listen_addrs),
        "observed_address": info.observed_addr.to_string(),
        "signed_record": signed_record,
    }))
}

fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(T::to_string).collect()
}
