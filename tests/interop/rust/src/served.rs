//! What a listener serves, each protocol in one function.

use std::{
    io,
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, Result};
use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    PeerId, Stream, StreamProtocol,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::{ending::Ending, host::Known, inbound::Server, perf};

pub const ECHO: &str = "/open-chat-interop/echo/1.0.0";
pub const DIGEST: &str = "/open-chat-interop/digest/1.0.0";
pub const RESET: &str = "/open-chat-interop/reset/1.0.0";
pub const FATE: &str = "/open-chat-interop/fate/1.0.0";
pub const LAST_FATE: &str = "/open-chat-interop/last-fate/1.0.0";
pub const PUSH: &str = "/open-chat-interop/push/1.0.0";
pub const KNOWN: &str = "/open-chat-interop/known/1.0.0";

/// A frame of rust-yamux carries as much.
const CHUNK_BYTES: usize = 16 << 10;

/// Far more than the name of a protocol needs.
const MAX_NAME_BYTES: u64 = 1 << 10;

pub struct Services {
    known: Known,
    serving: mpsc::UnboundedSender<StreamProtocol>,
    last_fate: Mutex<Option<Ending>>,
}

impl Services {
    pub fn protocols() -> Vec<StreamProtocol> {
        [ECHO, DIGEST, RESET, FATE, LAST_FATE, PUSH, KNOWN, perf::PROTOCOL]
            .map(StreamProtocol::new)
            .to_vec()
    }

    /// `serving` takes the protocols that `push` begins to serve.
    pub fn new(known: Known, serving: mpsc::UnboundedSender<StreamProtocol>) -> Arc<Self> {
        Arc::new(Self { known, serving, last_fate: Mutex::new(None) })
    }

    pub fn server(self: Arc<Self>) -> Server {
        Arc::new(move |peer, protocol, stream| {
            let services = self.clone();
            tokio::spawn(async move {
                if let Err(error) = services.serve(peer, &protocol, stream).await {
                    tracing::debug!(%protocol, "served until {error:#}");
                }
            });
        })
    }

    async fn serve(&self, peer: PeerId, protocol: &StreamProtocol, stream: Stream) -> Result<()> {
        match protocol.as_ref() {
            DIGEST => digest(stream).await?,
            RESET => reset(stream).await?,
            FATE => self.fate(stream).await?,
            LAST_FATE => self.last_fate(stream).await?,
            PUSH => self.push(stream).await?,
            KNOWN => self.known(peer, stream).await?,
            perf::PROTOCOL => perf::serve(stream).await?,
            // `echo`, and what `push` began to serve.
            _ => echo(stream).await?,
        }
        Ok(())
    }

    async fn fate(&self, mut stream: Stream) -> io::Result<()> {
        let ending = Ending::of(&mut stream).await?;
        *self.last_fate.lock().unwrap() = Some(ending);
        stream.close().await
    }

    async fn last_fate(&self, stream: Stream) -> io::Result<()> {
        let fate = *self.last_fate.lock().unwrap();
        answer(stream, fate.map_or("none", Ending::word).as_bytes()).await
    }

    async fn push(&self, mut stream: Stream) -> Result<()> {
        let mut name = String::new();
        (&mut stream).take(MAX_NAME_BYTES).read_to_string(&mut name).await?;
        self.serving.send(StreamProtocol::try_from_owned(name)?).context("the host is gone")?;
        Ok(stream.close().await?)
    }

    async fn known(&self, peer: PeerId, stream: Stream) -> io::Result<()> {
        let known = self.known.lock().unwrap().get(&peer).cloned().unwrap_or_default();
        let names: Vec<&str> = known.iter().map(StreamProtocol::as_ref).collect();
        answer(stream, json!(names).to_string().as_bytes()).await
    }
}

async fn echo(mut stream: Stream) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match stream.read(&mut chunk).await? {
            0 => return stream.close().await,
            count => stream.write_all(&chunk[..count]).await?,
        }
    }
}

async fn digest(mut stream: Stream) -> io::Result<()> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match stream.read(&mut chunk).await? {
            0 => return answer(stream, &hash.finalize()).await,
            count => hash.update(&chunk[..count]),
        }
    }
}

/// rust-yamux resets a stream that is dropped while both halves are open.
async fn reset(mut stream: Stream) -> io::Result<()> {
    stream.read_exact(&mut [0]).await
}

async fn answer(mut stream: Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.close().await
}
