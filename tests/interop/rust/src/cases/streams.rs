//! Many streams on one connection, all open at once.

use anyhow::{ensure, Context as _, Result};
use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    Stream,
};
use serde_json::{json, Value};

use super::Target;
use crate::{host::Peer, pattern::Pattern, served::ECHO};

const BYTES: usize = 1 << 10;

pub async fn run(target: Target, count: u64) -> Result<Value> {
    let (mut host, peer) = target.connect().await?;
    host.during(all(peer, count)).await?;
    Ok(json!({ "count": count }))
}

async fn all(mut peer: Peer, count: u64) -> Result<()> {
    let mut open = Vec::new();
    for number in 0..count {
        let stream = peer.open(ECHO).await.with_context(|| format!("opening stream {number}"))?;
        open.push((stream, Pattern::new(number).take(BYTES)));
    }
    for (stream, bytes) in &mut open {
        stream.write_all(bytes).await?;
    }
    for (number, (stream, bytes)) in open.iter_mut().enumerate() {
        comes_back(stream, bytes).await.with_context(|| format!("stream {number}"))?;
    }
    for (stream, _) in &mut open {
        stream.close().await?;
        let rest = stream.read(&mut [0]).await?;
        ensure!(rest == 0, "more came back than went there");
    }
    Ok(())
}

async fn comes_back(stream: &mut Stream, bytes: &[u8]) -> Result<()> {
    let mut came = vec![0; bytes.len()];
    stream.read_exact(&mut came).await?;
    ensure!(came == bytes, "other bytes came back");
    Ok(())
}
