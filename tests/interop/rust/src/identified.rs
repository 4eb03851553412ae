//! Whether a peer's identify message has a signed peer record that verifies.

use anyhow::{Context as _, Result};
use libp2p::{
    core::{PeerRecord, SignedEnvelope},
    futures::AsyncReadExt as _,
    identify,
};
use prost::Message;

use crate::host::Peer;

const IDENTIFY: &str = "/ipfs/id/1.0.0";

/// Twice what go-libp2p takes of a message.
const MAX_BYTES: u64 = 16 << 10;

/// The one field of `Identify` that is looked at here.
#[derive(Message)]
struct Record {
    #[prost(bytes = "vec", optional, tag = "8")]
    signed_peer_record: Option<Vec<u8>>,
}

/// rust-libp2p's identify keeps a record only when it is signed in the library's own former way
/// (domain `libp2p-routing-state`), which its listeners still do. The standard one (domain
/// `libp2p-peer-record`) it knows apart from identify, so the message is read once more for that.
pub async fn signed_record(peer: &mut Peer, info: &identify::Info) -> Result<bool> {
    if info.signed_peer_record.is_some() {
        return Ok(true);
    }
    let stream = peer.open(IDENTIFY).await?;
    let mut bytes = Vec::new();
    stream.take(MAX_BYTES).read_to_end(&mut bytes).await?;
    let mut message = Record::default();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        message.merge_length_delimited(&mut rest).context("the identify message")?;
    }
    let Some(record) = message.signed_peer_record else {
        return Ok(false);
    };
    let envelope = SignedEnvelope::from_protobuf_encoding(&record).context("the envelope")?;
    let record = PeerRecord::from_signed_envelope_interop(envelope).context("the peer record")?;
    Ok(record.peer_id() == peer.id)
}
