//! Many bytes there and back, written and read at once.

use std::time::Instant;

use anyhow::{ensure, Result};
use libp2p::{
    futures::{
        future::try_join,
        io::{ReadHalf, WriteHalf},
        AsyncReadExt as _, AsyncWriteExt as _,
    },
    Stream,
};
use serde_json::{json, Value};
use sha2::{Digest as _, Sha256};

use super::Target;
use crate::{host::Peer, pattern::Pattern, served::ECHO};

const CHUNK_BYTES: usize = 64 << 10;

pub async fn run(target: Target, bytes: u64) -> Result<Value> {
    let (mut host, peer) = target.connect().await?;
    host.during(exchange(peer, bytes)).await
}

async fn exchange(mut peer: Peer, bytes: u64) -> Result<Value> {
    let stream = peer.open(ECHO).await?;
    let began = Instant::now();
    let (reader, writer) = stream.split();
    let (sent, (came, count)) = try_join(send(writer, bytes), receive(reader)).await?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(count == bytes, "{count} bytes of {bytes} came back");
    ensure!(came == sent, "{sent} was sent, {came} came back");
    Ok(json!({ "bytes": bytes, "sha256": sent, "seconds": seconds }))
}

async fn send(mut writer: WriteHalf<Stream>, bytes: u64) -> Result<String> {
    let mut pattern = Pattern::new(rand::random());
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut left = bytes;
    while left > 0 {
        let size = left.min(CHUNK_BYTES as u64) as usize;
        pattern.fill(&mut chunk[..size]);
        hash.update(&chunk[..size]);
        writer.write_all(&chunk[..size]).await?;
        left -= size as u64;
    }
    writer.close().await?;
    Ok(hex(&hash.finalize()))
}

async fn receive(mut reader: ReadHalf<Stream>) -> Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut count = 0;
    loop {
        match reader.read(&mut chunk).await? {
            0 => return Ok((hex(&hash.finalize()), count)),
            size => {
                hash.update(&chunk[..size]);
                count += size as u64;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
