//! A libp2p host: TCP, one or both security protocols, yamux, ping, identify, and our protocols.

use std::{
    collections::HashMap,
    future::Future,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{bail, ensure, Context as _, Error, Result};
use libp2p::{
    core::{upgrade::Version, Transport as _},
    futures::StreamExt as _,
    identify,
    multiaddr::Protocol,
    ping,
    swarm::{dial_opts::DialOpts, ConnectionId, NetworkBehaviour, SwarmEvent},
    tcp, yamux, Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder,
};
use tokio::sync::mpsc;

use crate::{
    inbound,
    key::KeyKind,
    security::{Agreed, Offer, Security},
    served::Services,
};

/// What the only muxer of this program is called; a connection without it does not come about.
pub const MUXER: &str = "/yamux/1.0.0";

/// As many as rust-yamux lets be open on a connection, so that a burst of them is not reset.
const NEGOTIATING_STREAMS: usize = 512;

/// The library's own.
const PING_INTERVAL: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct Identity {
    pub security: Offer,
    pub key: KeyKind,
}

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    ping: ping::Behaviour,
    identify: identify::Behaviour,
    inbound: inbound::Behaviour,
    outbound: libp2p_stream::Behaviour,
}

type Event = SwarmEvent<BehaviourEvent>;

/// The protocols that each connected peer is known to speak, by identify and identify push.
pub type Known = Arc<Mutex<HashMap<PeerId, Vec<StreamProtocol>>>>;

/// Nothing happens on it, but on streams that are open, unless one of its futures is awaited.
pub struct Host {
    swarm: Swarm<Behaviour>,
    agreed: Agreed,
    known: Known,
    serving: mpsc::UnboundedSender<StreamProtocol>,
}

impl Host {
    /// Serves all that `Services` has.
    pub fn listening(identity: &Identity) -> Result<Self> {
        Self::new(identity, Services::protocols(), PING_INTERVAL)
    }

    /// Serves none of our protocols, until `serve`.
    pub fn dialing(identity: &Identity) -> Result<Self> {
        Self::new(identity, Vec::new(), PING_INTERVAL)
    }

    /// As `dialing`; its next ping follows as soon as one is answered.
    pub fn pinging(identity: &Identity) -> Result<Self> {
        Self::new(identity, Vec::new(), Duration::ZERO)
    }

    fn new(
        identity: &Identity,
        protocols: Vec<StreamProtocol>,
        ping_interval: Duration,
    ) -> Result<Self> {
        let key = identity.key.generate()?;
        let agreed = Agreed::default();
        let security = Security::new(&key, identity.security, agreed.clone())?;
        let known = Known::default();
        let (serving, added) = mpsc::unbounded_channel();
        let server = Services::new(known.clone(), serving.clone()).server();
        let transport = tcp::tokio::Transport::new(tcp::Config::default())
            .upgrade(Version::V1Lazy)
            .authenticate(security)
            .multiplex(yamux::Config::default());
        let behaviour = Behaviour {
            ping: ping::Behaviour::new(ping::Config::new().with_interval(ping_interval)),
            identify: identify::Behaviour::new(identify::Config::new_with_signed_peer_record(
                "open-chat-interop/1.0.0".to_owned(),
                &key,
            )),
            inbound: inbound::Behaviour::new(protocols, server, added),
            outbound: libp2p_stream::Behaviour::new(),
        };
        let swarm = SwarmBuilder::with_existing_identity(key)
            .with_tokio()
            .with_other_transport(|_| transport)?
            .with_behaviour(|_| behaviour)?
            .with_swarm_config(|config| {
                config
                    .with_idle_connection_timeout(Duration::MAX)
                    .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS)
            })
            .build();
        Ok(Self { swarm, agreed, known, serving })
    }

    pub fn id(&self) -> PeerId {
        *self.swarm.local_peer_id()
    }

    /// The security protocol of the first connection; none before there was one.
    pub fn security(&self) -> Option<&'static str> {
        self.agreed.get().copied()
    }

    /// Listens at any free port and returns the address to dial, with the peer id. On all
    /// interfaces, that is the address of one that is not loopback.
    pub async fn listen(&mut self, ip: IpAddr) -> Result<Multiaddr> {
        self.swarm.listen_on(Multiaddr::from(ip).with(Protocol::Tcp(0)))?;
        loop {
            match self.next().await {
                SwarmEvent::NewListenAddr { address, .. }
                    if !(ip.is_unspecified() && is_loopback(&address)) =>
                {
                    return Ok(address.with(Protocol::P2p(self.id())));
                }
                SwarmEvent::ListenerClosed { reason, .. } => {
                    bail!("the listener closed: {reason:?}");
                }
                _ => {}
            }
        }
    }

    /// Ends when both sides have finished the handshake.
    pub async fn connect(&mut self, address: &Multiaddr) -> Result<Peer> {
        let dial = DialOpts::from(address.clone());
        ensure!(dial.get_peer_id().is_some(), "{address} does not end in /p2p/<peer id>");
        let connection = dial.connection_id();
        self.swarm.dial(dial)?;
        loop {
            match self.next().await {
                SwarmEvent::ConnectionEstablished { connection_id, peer_id, .. }
                    if connection_id == connection =>
                {
                    let control = self.swarm.behaviour().outbound.new_control();
                    return Ok(Peer { id: peer_id, connection, control });
                }
                SwarmEvent::OutgoingConnectionError { connection_id, error, .. }
                    if connection_id == connection =>
                {
                    return Err(error).context("connecting");
                }
                _ => {}
            }
        }
    }

    /// Closes the connection to `peer`; ends when it is closed.
    pub async fn disconnect(&mut self, peer: Peer) {
        self.swarm.close_connection(peer.connection);
        loop {
            match self.next().await {
                SwarmEvent::ConnectionClosed { connection_id, .. }
                    if connection_id == peer.connection =>
                {
                    return
                }
                _ => {}
            }
        }
    }

    /// What identify tells of the other side of the only connection.
    pub async fn identified(&mut self) -> Result<identify::Info> {
        loop {
            match self.next().await {
                SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => match event {
                    identify::Event::Received { info, .. } => return Ok(info),
                    identify::Event::Error { error, .. } => return Err(error).context("identify"),
                    identify::Event::Sent { .. } | identify::Event::Pushed { .. } => {}
                },
                event => ensure_connected(&event)?,
            }
        }
    }

    /// The round-trip time of the next ping on the only connection.
    pub async fn pinged(&mut self) -> Result<Duration> {
        loop {
            match self.next().await {
                SwarmEvent::Behaviour(BehaviourEvent::Ping(event)) => {
                    return event.result.context("ping");
                }
                event => ensure_connected(&event)?,
            }
        }
    }

    /// Ends when `peer`, on the only connection, is known to speak `protocol`.
    pub async fn learns(&mut self, peer: PeerId, protocol: &StreamProtocol) -> Result<()> {
        while !self.knows(peer, protocol) {
            let event = self.next().await;
            ensure_connected(&event)?;
        }
        Ok(())
    }

    fn knows(&self, peer: PeerId, protocol: &StreamProtocol) -> bool {
        let known = self.known.lock().unwrap();
        known.get(&peer).is_some_and(|protocols| protocols.contains(protocol))
    }

    /// Goes on until the only connection is closed, and returns why it was.
    pub async fn lost(&mut self) -> Error {
        loop {
            let event = self.next().await;
            if let Err(error) = ensure_connected(&event) {
                return error;
            }
        }
    }

    /// Begins to serve one more protocol, as `echo`; identify pushes that to all connected peers.
    pub fn serve(&self, protocol: StreamProtocol) {
        self.serving.send(protocol).expect("the swarm owns the receiver");
    }

    /// Runs `work` while all else of the host goes on.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = self.next() => {}
            }
        }
    }

    async fn next(&mut self) -> Event {
        let event = self.swarm.select_next_some().await;
        match &event {
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                self.known.lock().unwrap().insert(*peer_id, info.protocols.clone());
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.known.lock().unwrap().remove(peer_id);
            }
            _ => {}
        }
        tracing::debug!(?event);
        event
    }
}

fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => ip.is_loopback(),
        Some(Protocol::Ip6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

fn ensure_connected(event: &Event) -> Result<()> {
    if let SwarmEvent::ConnectionClosed { cause, .. } = event {
        bail!("the connection was closed: {cause:?}");
    }
    Ok(())
}

/// The other side of a connection.
#[derive(Clone)]
pub struct Peer {
    pub id: PeerId,
    connection: ConnectionId,
    control: libp2p_stream::Control,
}

impl Peer {
    /// Opens a stream; ends when the other side has agreed to `protocol`.
    pub async fn open(&mut self, protocol: &'static str) -> Result<Stream> {
        Ok(self.control.open_stream(self.id, StreamProtocol::new(protocol)).await?)
    }
}
