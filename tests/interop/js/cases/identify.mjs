import { publicKeyFromProtobuf } from "@libp2p/crypto/keys";

export const options = {};

export async function run(dialer) {
  const { host, connection } = await dialer.connect();
  // js-libp2p refuses an identify whose signed peer record does not verify.
  const seen = await host.services.identify.identify(connection);
  if (!publicKeyFromProtobuf(seen.publicKey).toCID().equals(seen.peerId.toCID())) {
    throw new Error(`the key does not hash to ${seen.peerId}`);
  }
  if (!seen.signedPeerRecord) throw new Error("there is no signed peer record");
  return {
    peer_id: seen.peerId,
    security: connection.encryption,
    muxer: connection.multiplexer,
    agent_version: seen.agentVersion,
    protocol_version: seen.protocolVersion,
    protocols: seen.protocols,
    listen_addresses: seen.listenAddrs,
    observed_address: seen.observedAddr,
    signed_record: true,
  };
}
