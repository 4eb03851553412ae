//! The two ends of a reservation: on which terms a relay gives it, and who is to be had by it.

use std::{future::Future, net::IpAddr, time::Duration};

use anyhow::Result;
use libp2p::{relay, Multiaddr};
use serde_json::{json, Value};

use crate::{
    host::{Host, Identity, Limit},
    print,
};

/// Longer than any test; the library has no circuits without an end.
const NO_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

pub struct Terms {
    /// Of reservations, in seconds.
    pub lifetime: u64,
    /// Of a circuit; 0 for none.
    pub limit_seconds: u64,
    pub limit_bytes: u64,
}

impl Terms {
    /// Nobody is held up for having come often: tests do.
    pub fn config(&self) -> relay::Config {
        relay::Config {
            reservation_duration: Duration::from_secs(self.lifetime),
            reservation_rate_limiters: Vec::new(),
            max_circuit_duration: match self.limit_seconds {
                0 => NO_LIMIT,
                seconds => Duration::from_secs(seconds),
            },
            max_circuit_bytes: self.limit_bytes,
            circuit_src_rate_limiters: Vec::new(),
            ..relay::Config::default()
        }
    }
}

/// Serves what comes through the relay until `end`, and prints a line for each reservation.
pub async fn listen_through(
    identity: &Identity,
    ip: IpAddr,
    relay: Multiaddr,
    end: impl Future<Output = Result<()>>,
) -> Result<()> {
    let mut host = Host::listening(identity)?;
    host.listen(ip).await?;
    let (address, limit) = host.listen_through(&relay).await?;
    print(&json!({
        "id": host.id().to_string(),
        "addresses": [address.to_string()],
        "reservation": described(limit),
    }));
    tokio::pin!(end);
    loop {
        tokio::select! {
            ended = &mut end => return ended,
            limit = host.renewed() => print(&json!({ "reservation": described(limit) })),
        }
    }
}

/// In the words of all peers; 0 where there is no limit.
pub fn described(limit: Option<Limit>) -> Value {
    let Limit { seconds, bytes } = limit.unwrap_or(Limit { seconds: 0, bytes: 0 });
    json!({ "limit_seconds": seconds, "limit_bytes": bytes })
}
