//! Identify push, from the listener and then from us.

use std::time::Duration;

use anyhow::{ensure, Context as _, Result};
use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    StreamProtocol,
};
use serde_json::{json, Value};

use super::{within, Target};
use crate::{
    host::{Host, Peer},
    served::{KNOWN, PUSH},
};

/// Within which a push has to tell the other side.
const PUSHED: Duration = Duration::from_secs(10);

/// How long to wait before `known` is asked again.
const PAUSE: Duration = Duration::from_millis(50);

const MAX_ANSWER_BYTES: u64 = 64 << 10;

pub async fn run(target: Target) -> Result<Value> {
    let (mut host, mut peer) = target.connect().await?;
    host.identified().await?;
    within(PUSHED, from_listener(&mut host, &mut peer)).await.context("the listener's push")?;
    within(PUSHED, from_dialer(&mut host, &mut peer)).await.context("the dialer's push")?;
    Ok(json!({ "from_listener": true, "from_dialer": true }))
}

async fn from_listener(host: &mut Host, peer: &mut Peer) -> Result<()> {
    let protocol = new_protocol()?;
    host.during(ask_to_serve(peer, &protocol)).await?;
    host.learns(peer.id, &protocol).await
}

async fn ask_to_serve(peer: &mut Peer, protocol: &StreamProtocol) -> Result<()> {
    let mut stream = peer.open(PUSH).await?;
    stream.write_all(protocol.as_ref().as_bytes()).await?;
    stream.close().await?;
    let rest = stream.read(&mut [0]).await?;
    ensure!(rest == 0, "push answered something");
    Ok(())
}

async fn from_dialer(host: &mut Host, peer: &mut Peer) -> Result<()> {
    let protocol = new_protocol()?;
    host.serve(protocol.clone());
    host.during(async {
        while !known(peer).await?.contains(&protocol.to_string()) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    })
    .await
}

async fn known(peer: &mut Peer) -> Result<Vec<String>> {
    let mut answer = Vec::new();
    let stream = peer.open(KNOWN).await?;
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await?;
    serde_json::from_slice(&answer).context("the answer of known")
}

/// A protocol that nobody has served before.
fn new_protocol() -> Result<StreamProtocol> {
    let name = format!("/open-chat-interop/pushed-{:016x}/1.0.0", rand::random::<u64>());
    Ok(StreamProtocol::try_from_owned(name)?)
}
