import { circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { identify, identifyPush } from "@libp2p/identify";
import { noise } from "@libp2p/noise";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { tls } from "@libp2p/tls";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";

// In the order in which a dialer offers them.
const ENCRYPTERS = { noise: [noise()], tls: [tls()], both: [tls(), noise()] };
const LOOPBACK = { 4: "/ip4/127.0.0.1/tcp/0", 6: "/ip6/::1/tcp/0" };
const KEY_TYPES = { ed25519: "Ed25519", secp256k1: "secp256k1", ecdsa: "ECDSA", rsa: "RSA" };

/** More streams of one protocol, in one direction, than any case opens on a connection. */
export const MAX_STREAMS = 10_000;
// More connections than any case makes, all from one address and within one second.
const MAX_CONNECTIONS = 10_000;
// js-libp2p's TLS reads nothing while a write of its own waits, so that two such peers that send to
// each other wait forever once the kernel's buffers are full both ways. The buffers of the loopback
// hold more than this window; yamux's own largest, of 16 MiB, they do not.
const MAX_WINDOW = 1024 * 1024;

/** js-libp2p cannot do what was asked of it. */
export class Unsupported extends Error {}

/**
 * A started host with a fresh key. With `ip` it listens on that loopback address and identifies
 * whoever connects, and with `relay`, the address of a relay, is to be had through that, too;
 * without, it listens nowhere and identifies nobody by itself. Throws Unsupported for a key that
 * js-libp2p has no peer ids of.
 */
export async function createHost({ security, key, ip, relay }) {
  const privateKey = await generateKeyPair(KEY_TYPES[key]);
  try {
    return await createLibp2p({
      privateKey,
      addresses: {
        listen: [...(ip ? [LOOPBACK[ip]] : []), ...(relay ? [`${relay}/p2p-circuit`] : [])],
      },
      transports: [tcp(), circuitRelayTransport()],
      connectionEncrypters: ENCRYPTERS[security],
      streamMuxers: [
        yamux({
          maxInboundStreams: MAX_STREAMS,
          maxOutboundStreams: MAX_STREAMS,
          maxEarlyStreams: MAX_STREAMS,
          streamOptions: { maxStreamWindowSize: MAX_WINDOW },
        }),
      ],
      services: {
        identify: identify({ runOnConnectionOpen: ip !== undefined }),
        identifyPush: identifyPush(),
        ping: ping(),
      },
      connectionManager: {
        maxConnections: MAX_CONNECTIONS,
        inboundConnectionThreshold: MAX_CONNECTIONS,
        maxIncomingPendingConnections: MAX_CONNECTIONS,
      },
      connectionMonitor: { enabled: false },
      nodeInfo: { userAgent: "open-chat-interop-js" },
    });
  } catch (error) {
    if (error.name !== "UnsupportedKeyTypeError") throw error;
    throw new Unsupported(`js-libp2p has no peer ids of ${key} keys`);
  }
}
