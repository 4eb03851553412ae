//! The app of the hole-punch tests of `libp2p/test-plans` and `libp2p/unified-testing`. Its listener
//! reserves at the relay; its dialer calls that through the relay, and pings it once they are
//! connected directly.

use std::{
    env,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{bail, Context as _, Result};
use libp2p::{multiaddr::Protocol, Multiaddr, PeerId};
use redis::{aio::MultiplexedConnection, AsyncCommands as _};
use serde_json::json;
use tokio::{
    signal::unix::{signal, SignalKind},
    time::{sleep, timeout},
};

use crate::{
    environment::{require_only, required, security},
    host::{Host, Identity},
    key::KeyKind,
    print,
    security::Offer,
    transport_test,
};

/// Where Redis is in `libp2p/test-plans`.
const DEFAULT_REDIS: &str = "redis:6379";
const TEST_TIMEOUT: Duration = Duration::from_secs(180);
const DIRECT_TIMEOUT: Duration = Duration::from_secs(30);
const ASK_REDIS_EVERY: Duration = Duration::from_millis(100);

/// What one of the two harnesses asks of a run, and how its programs tell each other of themselves.
struct Run {
    is_dialer: bool,
    /// Names are lists, from which every reader takes a value (`libp2p/test-plans`), or values, for
    /// which readers look again and again.
    by_lists: bool,
    relay: String,
    listener: String,
    security: Offer,
    redis: MultiplexedConnection,
}

pub async fn run() -> Result<()> {
    let work = async {
        let run = Run::read().await?;
        if run.is_dialer {
            dial(run).await
        } else {
            listen(run).await
        }
    };
    timeout(TEST_TIMEOUT, work).await.context("the run did not end in time")?
}

/// Serves until it is told to end.
async fn listen(mut run: Run) -> Result<()> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let (mut host, relay) = run.ready_host().await?;
    host.listen_through(&relay).await?;
    run.tell(&run.listener.clone(), host.id().to_string()).await?;
    host.during(told_to_end.recv()).await;
    Ok(())
}

async fn dial(mut run: Run) -> Result<()> {
    let (mut host, relay) = run.ready_host().await?;
    let id: PeerId = host.during(run.told(&run.listener.clone())).await?.parse()?;
    let circuit = relay.with(Protocol::P2pCircuit).with(Protocol::P2p(id));
    let began = Instant::now();
    let listener = host.connect(&circuit).await?;
    let rtt = timeout(DIRECT_TIMEOUT, host.pinged_directly(&listener))
        .await
        .context("no direct connection in time")??;
    if run.by_lists {
        print(&json!({ "rtt_to_holepunched_peer_millis": rtt.as_secs_f64() * 1e3 }));
    } else {
        transport_test::print_latency(began.elapsed(), rtt);
    }
    Ok(())
}

impl Run {
    /// The environment of `libp2p/test-plans` has `MODE`.
    async fn read() -> Result<Self> {
        require_only("TRANSPORT", "tcp")?;
        if let Ok(mode) = env::var("MODE") {
            let is_dialer = match mode.as_str() {
                "dial" => true,
                "listen" => false,
                _ => bail!("no MODE {mode:?}; there are listen and dial"),
            };
            let at = env::var("REDIS_ADDR").unwrap_or(DEFAULT_REDIS.to_owned());
            return Ok(Self {
                is_dialer,
                by_lists: true,
                relay: "RELAY_TCP_ADDRESS".to_owned(),
                listener: "LISTEN_CLIENT_PEER_ID".to_owned(),
                security: Offer::Noise,
                redis: transport_test::connect(&at).await?,
            });
        }
        require_only("MUXER", "yamux")?;
        let key = required("TEST_KEY")?;
        Ok(Self {
            is_dialer: required("IS_DIALER")?.parse().context("IS_DIALER")?,
            by_lists: false,
            relay: format!("{key}_relay_multiaddr"),
            listener: format!("{key}_listener_peer_id"),
            security: security()?,
            redis: transport_test::connect(&required("REDIS_ADDR")?).await?,
        })
    }

    /// A host that is connected to the relay, and was told by it from where it is seen.
    async fn ready_host(&mut self) -> Result<(Host, Multiaddr)> {
        let relay: Multiaddr = self.told(&self.relay.clone()).await?.parse()?;
        let identity = Identity { security: self.security, key: KeyKind::Ed25519 };
        let mut host = Host::punching(&identity)?;
        host.listen(Ipv4Addr::UNSPECIFIED.into()).await?;
        host.connect(&relay).await?;
        host.observed().await;
        Ok((host, relay))
    }

    async fn tell(&mut self, name: &str, value: String) -> Result<()> {
        if self.by_lists {
            let () = self.redis.rpush(name, value).await?;
        } else {
            let () = self.redis.set(name, value).await?;
        }
        Ok(())
    }

    async fn told(&mut self, name: &str) -> Result<String> {
        if self.by_lists {
            let (_, value): (String, String) = self.redis.blpop(name, 0.0).await?;
            return Ok(value);
        }
        loop {
            let value: Option<String> = self.redis.get(name).await?;
            if let Some(value) = value {
                return Ok(value);
            }
            sleep(ASK_REDIS_EVERY).await;
        }
    }
}
