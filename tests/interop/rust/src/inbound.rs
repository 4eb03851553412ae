//! Hands each inbound stream of a served protocol to its server, and lets protocols be added to
//! the served ones while connections stand; identify then pushes them.
//!
//! `libp2p_stream` is not used for this direction: it has room for one stream of a protocol that
//! is not taken yet, and resets the others of a burst.

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    future::{ready, Ready},
    sync::Arc,
    task::{Context, Poll},
};

use libp2p::{
    core::{
        transport::PortUse,
        upgrade::{DeniedUpgrade, InboundUpgrade, UpgradeInfo},
        Endpoint,
    },
    swarm::{
        behaviour::{ConnectionClosed, ConnectionEstablished},
        handler::{ConnectionEvent, FullyNegotiatedInbound},
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
    Multiaddr, PeerId, Stream, StreamProtocol,
};
use tokio::sync::mpsc;

/// Serves one stream; is called on a connection's task and must not block it.
pub type Server = Arc<dyn Fn(PeerId, StreamProtocol, Stream) + Send + Sync>;

pub struct Behaviour {
    protocols: Vec<StreamProtocol>,
    server: Server,
    added: mpsc::UnboundedReceiver<StreamProtocol>,
    connections: HashSet<(PeerId, ConnectionId)>,
    events: VecDeque<ToSwarm<Infallible, StreamProtocol>>,
}

impl Behaviour {
    /// Serves `protocols` at first, and those that arrive at `added` from then on.
    pub fn new(
        protocols: Vec<StreamProtocol>,
        server: Server,
        added: mpsc::UnboundedReceiver<StreamProtocol>,
    ) -> Self {
        Self { protocols, server, added, connections: HashSet::new(), events: VecDeque::new() }
    }

    fn handler(&self, peer: PeerId) -> Handler {
        Handler { peer, protocols: self.protocols.clone(), server: self.server.clone() }
    }

    fn add(&mut self, protocol: StreamProtocol) {
        self.events.extend(self.connections.iter().map(|&(peer_id, connection)| {
            let handler = NotifyHandler::One(connection);
            ToSwarm::NotifyHandler { peer_id, handler, event: protocol.clone() }
        }));
        self.protocols.push(protocol);
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            }) => {
                self.connections.insert((peer_id, connection_id));
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                self.connections.remove(&(peer_id, connection_id));
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(event);
            }
            match self.added.poll_recv(cx) {
                Poll::Ready(Some(protocol)) => self.add(protocol),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

pub struct Handler {
    peer: PeerId,
    protocols: Vec<StreamProtocol>,
    server: Server,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = StreamProtocol;
    type ToBehaviour = Infallible;
    type InboundProtocol = OneOf;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<OneOf> {
        SubstreamProtocol::new(OneOf(self.protocols.clone()), ())
    }

    fn on_behaviour_event(&mut self, protocol: StreamProtocol) {
        self.protocols.push(protocol);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<OneOf, DeniedUpgrade>) {
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
            protocol: (stream, protocol),
            ..
        }) = event
        {
            (self.server)(self.peer, protocol, stream);
        }
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
        Poll::Pending
    }
}

/// Agrees on one of several protocols, and tells which.
pub struct OneOf(Vec<StreamProtocol>);

impl UpgradeInfo for OneOf {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for OneOf {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
