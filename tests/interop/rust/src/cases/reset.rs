//! Resets, from the listener and from us, told apart from clean ends by both.

use std::time::Duration;

use anyhow::{ensure, Context as _, Result};
use libp2p::futures::{AsyncReadExt as _, AsyncWriteExt as _};
use serde_json::{json, Value};

use super::{within, Target};
use crate::{
    ending::Ending,
    host::Peer,
    served::{FATE, LAST_FATE, RESET},
};

/// Within which the other side has to learn of an end.
const LEARNT: Duration = Duration::from_secs(5);

/// How long to wait before `last-fate` is asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// More than any fate has.
const MAX_ANSWER_BYTES: u64 = 64;

pub async fn run(target: Target) -> Result<Value> {
    let (mut host, mut peer) = target.connect().await?;
    host.during(async {
        within(LEARNT, listener_resets(&mut peer)).await.context("a reset by the listener")?;
        within(LEARNT, dialer_ends(&mut peer, Ending::Reset)).await.context("a reset by us")?;
        within(LEARNT, dialer_ends(&mut peer, Ending::Eof)).await.context("a clean end by us")
    })
    .await?;
    Ok(json!({ "saw": Ending::Reset.word() }))
}

async fn listener_resets(peer: &mut Peer) -> Result<()> {
    let mut stream = peer.open(RESET).await?;
    stream.write_all(b"x").await?;
    let ending = Ending::of(&mut stream).await?;
    ensure!(ending == Ending::Reset, "the stream ended cleanly");
    Ok(())
}

async fn dialer_ends(peer: &mut Peer, ending: Ending) -> Result<()> {
    let mut stream = peer.open(FATE).await?;
    stream.write_all(b"some bytes").await?;
    match ending {
        Ending::Eof => stream.close().await?,
        // rust-yamux resets a stream that is dropped while both halves are open.
        Ending::Reset => drop(stream),
    }
    while last_fate(peer).await? != ending.word() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

async fn last_fate(peer: &mut Peer) -> Result<String> {
    let mut fate = String::new();
    let stream = peer.open(LAST_FATE).await?;
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut fate).await?;
    Ok(fate)
}
