//! What the harness of the transport test asks of a run, in environment variables.
//!
//! `libp2p/unified-testing`, `docs/write-a-transport-test-app.md` describes them, all but
//! `TEST_TIMEOUT_SECS`, which the apps there know too.

use std::{env, net::IpAddr, time::Duration};

use anyhow::{bail, ensure, Context as _, Result};

use crate::security::Offer;

/// As long as the harness lets a test run.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(180);

pub struct Environment {
    pub role: Role,
    /// `host:port`.
    pub redis_address: String,
    /// Of the list that carries the listener's address.
    pub redis_key: String,
    pub security: Offer,
    pub timeout: Duration,
}

pub enum Role {
    Dialer,
    Listener { ip: IpAddr },
}

impl Environment {
    pub fn read() -> Result<Self> {
        let environment = Self {
            role: role()?,
            redis_address: required("REDIS_ADDR")?,
            redis_key: format!("{}_listener_multiaddr", required("TEST_KEY")?),
            security: security()?,
            timeout: timeout()?,
        };
        require_only("TRANSPORT", "tcp")?;
        require_only("MUXER", "yamux")?;
        Ok(environment)
    }
}

fn role() -> Result<Role> {
    match required("IS_DIALER")?.as_str() {
        "true" => Ok(Role::Dialer),
        "false" => {
            let ip = required("LISTENER_IP")?;
            Ok(Role::Listener { ip: ip.parse().with_context(|| format!("LISTENER_IP {ip:?}"))? })
        }
        other => bail!("IS_DIALER is {other:?}; there are true and false"),
    }
}

pub fn security() -> Result<Offer> {
    match required("SECURE_CHANNEL")?.as_str() {
        "noise" => Ok(Offer::Noise),
        "tls" => Ok(Offer::Tls),
        other => bail!("no SECURE_CHANNEL {other:?}; there are noise and tls"),
    }
}

fn timeout() -> Result<Duration> {
    match env::var("TEST_TIMEOUT_SECS") {
        Ok(seconds) => {
            let seconds = seconds.parse().context("TEST_TIMEOUT_SECS")?;
            ensure!(seconds > 0, "TEST_TIMEOUT_SECS is 0");
            Ok(Duration::from_secs(seconds))
        }
        Err(_) => Ok(DEFAULT_TIMEOUT),
    }
}

pub fn require_only(name: &str, only: &str) -> Result<()> {
    let value = required(name)?;
    ensure!(value == only, "no {name} {value:?}; there is {only}");
    Ok(())
}

pub fn required(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}
