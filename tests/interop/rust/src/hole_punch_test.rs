//! The app of the hole-punch test of `libp2p/test-plans`. Its listener reserves at the relay; its
//! dialer calls that through the relay, and pings it once they are connected directly.

use std::{env, net::Ipv4Addr, time::Duration};

use anyhow::{bail, Context as _, Result};
use libp2p::{multiaddr::Protocol, Multiaddr, PeerId};
use redis::{aio::MultiplexedConnection, AsyncCommands as _};
use serde_json::json;
use tokio::{
    signal::unix::{signal, SignalKind},
    time::timeout,
};

use crate::{
    environment::{require_only, required},
    host::{Host, Identity},
    key::KeyKind,
    print,
    security::Offer,
    transport_test,
};

/// The lists that carry the relay's address, once for each peer, and the listener's id.
const RELAY_ADDRESS: &str = "RELAY_TCP_ADDRESS";
const LISTENER: &str = "LISTEN_CLIENT_PEER_ID";
/// Unless `REDIS_ADDR` says otherwise.
const DEFAULT_REDIS: &str = "redis:6379";
const TEST_TIMEOUT: Duration = Duration::from_secs(180);
const DIRECT_TIMEOUT: Duration = Duration::from_secs(30);

pub async fn run() -> Result<()> {
    let mode = required("MODE")?;
    require_only("TRANSPORT", "tcp")?;
    let work = async {
        match mode.as_str() {
            "listen" => listen().await,
            "dial" => dial().await,
            _ => bail!("no MODE {mode:?}; there are listen and dial"),
        }
    };
    timeout(TEST_TIMEOUT, work).await.context("the run did not end in time")?
}

/// Serves until it is told to end.
async fn listen() -> Result<()> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let mut redis = connect().await?;
    let (mut host, relay) = ready_host(&mut redis).await?;
    host.listen_through(&relay).await?;
    let () = redis.rpush(LISTENER, host.id().to_string()).await?;
    host.during(told_to_end.recv()).await;
    Ok(())
}

async fn dial() -> Result<()> {
    let mut redis = connect().await?;
    let (mut host, relay) = ready_host(&mut redis).await?;
    let id: PeerId = host.during(pop(&mut redis, LISTENER)).await?.parse()?;
    let circuit = relay.with(Protocol::P2pCircuit).with(Protocol::P2p(id));
    let listener = host.connect(&circuit).await?;
    let rtt = timeout(DIRECT_TIMEOUT, host.pinged_directly(&listener))
        .await
        .context("no direct connection in time")??;
    print(&json!({ "rtt_to_holepunched_peer_millis": rtt.as_secs_f64() * 1e3 }));
    Ok(())
}

/// A host that is connected to the relay, and was told by it from where it is seen.
async fn ready_host(redis: &mut MultiplexedConnection) -> Result<(Host, Multiaddr)> {
    let relay: Multiaddr = pop(redis, RELAY_ADDRESS).await?.parse()?;
    let identity = Identity { security: Offer::Noise, key: KeyKind::Ed25519 };
    let mut host = Host::punching(&identity)?;
    host.listen(Ipv4Addr::UNSPECIFIED.into()).await?;
    host.connect(&relay).await?;
    host.observed().await;
    Ok((host, relay))
}

async fn connect() -> Result<MultiplexedConnection> {
    transport_test::connect(&env::var("REDIS_ADDR").unwrap_or(DEFAULT_REDIS.to_owned())).await
}

async fn pop(redis: &mut MultiplexedConnection, list: &str) -> Result<String> {
    let (_, value): (String, String) = redis.blpop(list, 0.0).await?;
    Ok(value)
}
