//! The perf protocol of libp2p: <https://github.com/libp2p/specs/blob/master/perf/perf.md>.
//!
//! The client sends the number of bytes it wants (u64, big-endian), then its upload, and ends its
//! half; the server sends what was wanted, and ends its half. The `libp2p-perf` of the registry
//! is for an older libp2p.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{ensure, Result};
use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    Stream,
};

use crate::host::Peer;

pub const PROTOCOL: &str = "/perf/1.0.0";

const CHUNK_BYTES: usize = 64 << 10;

pub async fn serve(mut stream: Stream) -> io::Result<()> {
    let mut wanted = [0; 8];
    stream.read_exact(&mut wanted).await?;
    drain(&mut stream).await?;
    send(&mut stream, u64::from_be_bytes(wanted)).await?;
    stream.close().await
}

/// One run; the time it took from its first byte to the server's end.
pub async fn run(peer: &mut Peer, upload: u64, download: u64) -> Result<Duration> {
    let mut stream = peer.open(PROTOCOL).await?;
    let began = Instant::now();
    stream.write_all(&download.to_be_bytes()).await?;
    send(&mut stream, upload).await?;
    stream.close().await?;
    let came = drain(&mut stream).await?;
    let took = began.elapsed();
    ensure!(came == download, "{came} bytes came of {download}");
    Ok(took)
}

async fn send(stream: &mut Stream, count: u64) -> io::Result<()> {
    let chunk = vec![0; CHUNK_BYTES];
    let mut left = count;
    while left > 0 {
        let size = left.min(CHUNK_BYTES as u64) as usize;
        stream.write_all(&chunk[..size]).await?;
        left -= size as u64;
    }
    Ok(())
}

/// Reads to the end; how many bytes there were.
async fn drain(stream: &mut Stream) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut came = 0;
    loop {
        match stream.read(&mut chunk).await? {
            0 => return Ok(came),
            count => came += count as u64,
        }
    }
}
