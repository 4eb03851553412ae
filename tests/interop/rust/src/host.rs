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
    dcutr,
    futures::StreamExt as _,
    identify,
    multiaddr::Protocol,
    ping, relay,
    swarm::{
        behaviour::toggle::Toggle, dial_opts::DialOpts, ConnectionId, NetworkBehaviour, SwarmEvent,
    },
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
    circuits: relay::client::Behaviour,
    relay: Toggle<relay::Behaviour>,
    dcutr: Toggle<dcutr::Behaviour>,
}

/// What a host has beside what all have.
#[derive(Default)]
struct More {
    relay: Option<relay::Config>,
    dcutr: bool,
}

/// A relay's limits on a circuit; 0 where there is none. (The library's own type has no name
/// outside of it.)
#[derive(Clone, Copy)]
pub struct Limit {
    pub seconds: u64,
    pub bytes: u64,
}

macro_rules! limit {
    ($told:expr) => {
        $told.as_ref().map(|told| Limit {
            seconds: told.duration().unwrap_or_default().as_secs(),
            bytes: told.data_in_bytes().unwrap_or_default(),
        })
    };
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
    circuit_limit: Option<Limit>,
}

impl Host {
    /// Serves all that `Services` has.
    pub fn listening(identity: &Identity) -> Result<Self> {
        Self::new(identity, Services::protocols(), PING_INTERVAL, More::default())
    }

    /// Serves none of our protocols, until `serve`.
    pub fn dialing(identity: &Identity) -> Result<Self> {
        Self::new(identity, Vec::new(), PING_INTERVAL, More::default())
    }

    /// As `dialing`; its next ping follows as soon as one is answered.
    pub fn pinging(identity: &Identity) -> Result<Self> {
        Self::new(identity, Vec::new(), Duration::ZERO, More::default())
    }

    /// Hands circuits on, once it knows where it is reachable.
    pub fn relaying(identity: &Identity, config: relay::Config) -> Result<Self> {
        let more = More { relay: Some(config), ..More::default() };
        Self::new(identity, Vec::new(), PING_INTERVAL, more)
    }

    /// Makes direct connections out of circuits.
    pub fn punching(identity: &Identity) -> Result<Self> {
        let more = More { dcutr: true, ..More::default() };
        Self::new(identity, Vec::new(), PING_INTERVAL, more)
    }

    fn new(
        identity: &Identity,
        protocols: Vec<StreamProtocol>,
        ping_interval: Duration,
        more: More,
    ) -> Result<Self> {
        let key = identity.key.generate()?;
        let id = key.public().to_peer_id();
        let agreed = Agreed::default();
        let security = Security::new(&key, identity.security, agreed.clone())?;
        let known = Known::default();
        let (serving, added) = mpsc::unbounded_channel();
        let server = Services::new(known.clone(), serving.clone()).server();
        let (circuit_transport, circuits) = relay::client::new(id);
        let transport = circuit_transport
            .or_transport(tcp::tokio::Transport::new(tcp::Config::default()))
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
            circuits,
            relay: more.relay.map(|config| relay::Behaviour::new(id, config)).into(),
            dcutr: more.dcutr.then(|| dcutr::Behaviour::new(id)).into(),
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
        Ok(Self { swarm, agreed, known, serving, circuit_limit: None })
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

    /// What others are told to come by.
    pub fn is_reachable_at(&mut self, address: &Multiaddr) {
        self.swarm.add_external_address(address.clone());
    }

    /// Reserves at a relay, and returns the address to dial, with the peer id: one of those that
    /// the relay told. Later reservations are `renewed()`.
    pub async fn listen_through(
        &mut self,
        relay: &Multiaddr,
    ) -> Result<(Multiaddr, Option<Limit>)> {
        self.swarm.listen_on(relay.clone().with(Protocol::P2pCircuit))?;
        let (mut address, mut limit) = (None, None);
        loop {
            match self.next().await {
                SwarmEvent::NewListenAddr { address: new, .. } if is_circuit(&new) => {
                    address = Some(new);
                }
                SwarmEvent::Behaviour(BehaviourEvent::Circuits(
                    relay::client::Event::ReservationReqAccepted { limit: told, .. },
                )) => limit = Some(limit!(told)),
                SwarmEvent::ListenerClosed { reason, .. } => {
                    bail!("the relay gives no reservation: {reason:?}");
                }
                _ => {}
            }
            if let (Some(address), Some(limit)) = (&address, limit) {
                return Ok((address.clone(), limit));
            }
        }
    }

    /// Ends when a reservation was renewed.
    pub async fn renewed(&mut self) -> Option<Limit> {
        loop {
            if let SwarmEvent::Behaviour(BehaviourEvent::Circuits(
                relay::client::Event::ReservationReqAccepted { renewal: true, limit, .. },
            )) = self.next().await
            {
                return limit!(limit);
            }
        }
    }

    /// Of the last circuit that was dialed.
    pub fn circuit_limit(&self) -> Option<Limit> {
        self.circuit_limit
    }

    /// Ends when the only connection to the peer is closed.
    pub async fn lost_peer(&mut self, peer: &Peer) {
        while self.swarm.is_connected(&peer.id) {
            self.next().await;
        }
    }

    /// Ends when a peer has told under which address it sees this host.
    pub async fn observed(&mut self) {
        while !matches!(self.next().await, SwarmEvent::NewExternalAddrCandidate { .. }) {}
    }

    /// Ends when there is a connection to the peer without a relay, and gives the round-trip time
    /// of a ping on it.
    pub async fn pinged_directly(&mut self, peer: &Peer) -> Result<Duration> {
        let mut direct = None;
        loop {
            match self.next().await {
                SwarmEvent::ConnectionEstablished { connection_id, peer_id, endpoint, .. }
                    if peer_id == peer.id && !endpoint.is_relayed() =>
                {
                    direct = Some(connection_id);
                }
                SwarmEvent::Behaviour(BehaviourEvent::Ping(event))
                    if direct == Some(event.connection) =>
                {
                    return event.result.context("ping");
                }
                SwarmEvent::Behaviour(BehaviourEvent::Dcutr(event)) => {
                    event.result?;
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
            SwarmEvent::Behaviour(BehaviourEvent::Circuits(
                relay::client::Event::OutboundCircuitEstablished { limit, .. },
            )) => self.circuit_limit = limit!(limit),
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

fn is_circuit(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
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
