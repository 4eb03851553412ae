//! The app of the transport test of `libp2p/unified-testing`. Its listener tells the dialer its
//! address by a list in Redis.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use libp2p::Multiaddr;
use redis::{aio::MultiplexedConnection, AsyncCommands as _, AsyncConnectionConfig, Client};
use tokio::{
    signal::unix::{signal, SignalKind},
    time::timeout,
};

use crate::{
    environment::{Environment, Role},
    host::{Host, Identity},
    key::KeyKind,
};

pub async fn run() -> Result<()> {
    let environment = Environment::read()?;
    let work = async {
        match environment.role {
            Role::Dialer => dial(&environment).await,
            Role::Listener { ip } => listen(&environment, ip).await,
        }
    };
    timeout(environment.timeout, work).await.context("the run did not end in time")?
}

async fn dial(environment: &Environment) -> Result<()> {
    // The whole run has a limit; waiting for the listener needs none of its own.
    let (_, address): (String, String) =
        connect(&environment.redis_address).await?.blpop(&environment.redis_key, 0.0).await?;
    let address: Multiaddr = address.parse()?;
    let mut host = Host::pinging(&identity(environment))?;
    let began = Instant::now();
    host.connect(&address).await?;
    let ping_rtt = host.pinged().await?;
    print_latency(began.elapsed(), ping_rtt);
    Ok(())
}

/// The result of a dialer as `libp2p/unified-testing` has it.
pub fn print_latency(handshake_plus_one_rtt: Duration, ping_rtt: Duration) {
    println!("latency:");
    println!("  handshake_plus_one_rtt: {:.3}", milliseconds(handshake_plus_one_rtt));
    println!("  ping_rtt: {:.3}", milliseconds(ping_rtt));
    println!("  unit: ms");
}

/// Serves until it is told to end.
async fn listen(environment: &Environment, ip: IpAddr) -> Result<()> {
    let mut told_to_end = signal(SignalKind::terminate())?;
    let mut host = Host::listening(&identity(environment))?;
    let address = host.listen(ip).await?;
    let () = connect(&environment.redis_address)
        .await?
        .rpush(&environment.redis_key, address.to_string())
        .await?;
    host.during(told_to_end.recv()).await;
    Ok(())
}

/// To the Redis server at `host:port`; waits for its answers as long as it takes.
pub async fn connect(address: &str) -> Result<MultiplexedConnection> {
    let client = Client::open(format!("redis://{address}"))?;
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.context("Redis")
}

fn identity(environment: &Environment) -> Identity {
    Identity { security: environment.security, key: KeyKind::Ed25519 }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
