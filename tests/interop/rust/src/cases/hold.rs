//! Many connections with streams on them, held.

use std::{future::pending, sync::Arc};

use anyhow::{ensure, Error, Result};
use libp2p::{
    futures::{AsyncReadExt as _, AsyncWriteExt as _},
    Stream,
};
use serde_json::{json, Value};
use tokio::{
    sync::{mpsc, Semaphore},
    task::JoinSet,
};

use super::Target;
use crate::{
    host::{Host, Peer},
    served::ECHO,
};

/// Connections that come about at once; a listener's backlog has room for as many.
const AT_ONCE: usize = 64;

/// The connections are closed when it is dropped.
pub struct Held {
    connections: usize,
    streams: usize,
    tasks: JoinSet<Error>,
}

impl Held {
    pub fn report(&self) -> Value {
        json!({ "connections": self.connections, "streams": self.streams })
    }

    /// Why one of the connections was lost; goes on as long as none was.
    pub async fn lost(&mut self) -> Error {
        match self.tasks.join_next().await {
            Some(ended) => ended.unwrap_or_else(Error::from),
            None => pending().await,
        }
    }
}

pub async fn stand(target: Target, connections: usize, streams: usize) -> Result<Held> {
    let mut tasks = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let (stands, mut standing) = mpsc::channel(AT_ONCE);
    for _ in 0..connections {
        tasks.spawn(hold_one(target.clone(), streams, room.clone(), stands.clone()));
    }
    for _ in 0..connections {
        tokio::select! {
            Some(()) = standing.recv() => {}
            Some(ended) = tasks.join_next() => return Err(ended?),
        }
    }
    Ok(Held { connections, streams, tasks })
}

/// Tells `stands` once it does, and returns why it does no longer.
async fn hold_one(
    target: Target,
    streams: usize,
    room: Arc<Semaphore>,
    stands: mpsc::Sender<()>,
) -> Error {
    let stood = {
        let _place = room.acquire().await;
        stand_one(target, streams).await
    };
    match stood {
        Ok((mut host, _streams)) => {
            // Nobody listens any more when another connection failed.
            let _ = stands.send(()).await;
            host.lost().await
        }
        Err(error) => error,
    }
}

async fn stand_one(target: Target, streams: usize) -> Result<(Host, Vec<Stream>)> {
    let (mut host, mut peer) = target.connect().await?;
    let mut open = Vec::new();
    for _ in 0..streams {
        open.push(host.during(open_one(&mut peer)).await?);
    }
    Ok((host, open))
}

async fn open_one(peer: &mut Peer) -> Result<Stream> {
    let mut stream = peer.open(ECHO).await?;
    stream.write_all(b"x").await?;
    let mut came = [0];
    stream.read_exact(&mut came).await?;
    ensure!(came == *b"x", "another byte came back");
    Ok(stream)
}
