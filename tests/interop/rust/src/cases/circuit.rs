//! What a circuit through a relay carries, and for how long.

use std::time::{Duration, Instant};

use anyhow::Result;
use libp2p::{
    futures::{future::join, io::WriteHalf, AsyncReadExt as _, AsyncWriteExt as _},
    Stream,
};
use serde_json::{json, Value};
use tokio::time::timeout;

use super::Target;
use crate::{host::Peer, pattern::Pattern, relaying, served::ECHO};

const CHUNK_BYTES: usize = 16 << 10;

pub async fn run(target: Target, bytes: u64, patience: u64) -> Result<Value> {
    let (mut host, mut peer) = target.connect().await?;
    let opened = Instant::now();
    let came = host.during(came_back(&mut peer, bytes)).await?;
    let ended = timeout(Duration::from_secs(patience), host.lost_peer(&peer)).await.is_ok();
    let limit = host.circuit_limit();
    let mut seen = relaying::described(limit);
    seen["limited"] = json!(limit.is_some());
    seen["bytes"] = json!(came);
    seen["ended"] = json!(ended);
    seen["seconds"] = json!(opened.elapsed().as_secs_f64());
    Ok(seen)
}

/// How many of so many bytes an echo gives back before it is cut.
async fn came_back(peer: &mut Peer, bytes: u64) -> Result<u64> {
    let (mut reader, writer) = peer.open(ECHO).await?.split();
    let receive = async {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut count = 0;
        while let Ok(size @ 1..) = reader.read(&mut chunk).await {
            count += size as u64;
        }
        count
    };
    let (_, count) = join(send(writer, bytes), receive).await;
    Ok(count)
}

/// As far as it goes.
async fn send(mut writer: WriteHalf<Stream>, bytes: u64) -> std::io::Result<()> {
    let mut pattern = Pattern::new(rand::random());
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let size = left.min(CHUNK_BYTES as u64) as usize;
        pattern.fill(&mut chunk[..size]);
        writer.write_all(&chunk[..size]).await?;
        left -= size as u64;
    }
    writer.close().await
}
