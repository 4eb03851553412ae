//! The security protocols that a host offers, in their order, and which of them was agreed on.
//!
//! A swarm does not tell that of its connections, hence this upgrade around the library's two.

use std::{
    future::Future,
    io,
    iter::Chain,
    option,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use anyhow::{bail, Error, Result};
use libp2p::{
    core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo},
    futures::{
        future::{BoxFuture, Either},
        AsyncRead, AsyncWrite, FutureExt as _,
    },
    identity::{Keypair, PeerId},
    noise, tls,
};

const TLS: &str = "/tls/1.0.0";
const NOISE: &str = "/noise";

#[derive(Clone, Copy, Default)]
pub enum Offer {
    #[default]
    Noise,
    Tls,
    Both,
}

impl FromStr for Offer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "noise" => Ok(Self::Noise),
            "tls" => Ok(Self::Tls),
            "both" => Ok(Self::Both),
            _ => bail!("no security {name:?}; there are noise, tls and both"),
        }
    }
}

#[derive(Clone)]
pub struct Security {
    tls: Option<tls::Config>,
    noise: Option<noise::Config>,
    agreed: Agreed,
}

/// The protocol of a host's first connection, once it was agreed on.
pub type Agreed = Arc<OnceLock<&'static str>>;

impl Security {
    pub fn new(key: &Keypair, offer: Offer, agreed: Agreed) -> Result<Self> {
        let (mut tls, mut noise) = (None, None);
        if matches!(offer, Offer::Tls | Offer::Both) {
            tls = Some(tls::Config::new(key)?);
        }
        if matches!(offer, Offer::Noise | Offer::Both) {
            noise = Some(noise::Config::new(key)?);
        }
        Ok(Self { tls, noise, agreed })
    }
}

impl UpgradeInfo for Security {
    type Info = &'static str;
    type InfoIter = Chain<option::IntoIter<&'static str>, option::IntoIter<&'static str>>;

    fn protocol_info(&self) -> Self::InfoIter {
        let tls = self.tls.as_ref().map(|_| TLS);
        let noise = self.noise.as_ref().map(|_| NOISE);
        tls.into_iter().chain(noise)
    }
}

type Secured<C> = (PeerId, Either<tls::TlsStream<C>, noise::Output<C>>);

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Security {
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Secured<C>>>;

    fn upgrade_inbound(self, socket: C, protocol: &'static str) -> Self::Future {
        self.agreed.get_or_init(|| protocol);
        match (protocol, self.tls, self.noise) {
            (TLS, Some(tls), _) => tls_secured(tls.upgrade_inbound(socket, protocol)).boxed(),
            (NOISE, _, Some(noise)) => {
                noise_secured(noise.upgrade_inbound(socket, protocol)).boxed()
            }
            _ => unreachable!("{protocol} was not offered"),
        }
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Security {
    type Output = Secured<C>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Secured<C>>>;

    fn upgrade_outbound(self, socket: C, protocol: &'static str) -> Self::Future {
        self.agreed.get_or_init(|| protocol);
        match (protocol, self.tls, self.noise) {
            (TLS, Some(tls), _) => tls_secured(tls.upgrade_outbound(socket, protocol)).boxed(),
            (NOISE, _, Some(noise)) => {
                noise_secured(noise.upgrade_outbound(socket, protocol)).boxed()
            }
            _ => unreachable!("{protocol} was not offered"),
        }
    }
}

async fn tls_secured<C>(
    handshake: impl Future<Output = Result<(PeerId, tls::TlsStream<C>), tls::UpgradeError>>,
) -> io::Result<Secured<C>> {
    let (peer, stream) = handshake.await.map_err(io::Error::other)?;
    Ok((peer, Either::Left(stream)))
}

async fn noise_secured<C>(
    handshake: impl Future<Output = Result<(PeerId, noise::Output<C>), noise::Error>>,
) -> io::Result<Secured<C>> {
    let (peer, stream) = handshake.await.map_err(io::Error::other)?;
    Ok((peer, Either::Right(stream)))
}
