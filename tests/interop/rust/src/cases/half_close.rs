//! A digest that can be answered only once our half has ended.

use anyhow::{ensure, Result};
use libp2p::futures::{AsyncReadExt as _, AsyncWriteExt as _};
use serde_json::{json, Value};
use sha2::{Digest as _, Sha256};

use super::Target;
use crate::{host::Peer, pattern::Pattern, served::DIGEST};

const BYTES: usize = 1 << 20;

/// More than a digest has, so that anything after it is seen.
const MAX_ANSWER_BYTES: u64 = 64;

pub async fn run(target: Target) -> Result<Value> {
    let (mut host, peer) = target.connect().await?;
    host.during(digest(peer)).await?;
    Ok(json!({ "bytes": BYTES }))
}

/// Once both halves have ended, rust-yamux tells a reset from a clean end no longer: that nothing
/// follows the digest is all that can be seen here.
async fn digest(mut peer: Peer) -> Result<()> {
    let bytes = Pattern::new(rand::random()).take(BYTES);
    let mut stream = peer.open(DIGEST).await?;
    stream.write_all(&bytes).await?;
    stream.close().await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await?;
    ensure!(answer == Sha256::digest(&bytes).as_slice(), "the answer is not the digest");
    Ok(())
}
