import { createHash } from "node:crypto";

import { MAX_STREAMS } from "./host.mjs";
import { Known } from "./known.mjs";
import { PERF, servePerf } from "./perf.mjs";
import { Input, write } from "./stream.mjs";
import { until } from "./until.mjs";

// A protocol name is at most this long on the wire of multistream-select.
const MAX_NAME = 1024;
// How long identify may take before a push.
const IDENTIFY_S = 10;

export const named = (name) => `/open-chat-interop/${name}/1.0.0`;

export function handle(host, protocol, handler) {
  return host.handle(protocol, handler, {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
    runOnLimitedConnection: true,
  });
}

/** Begins to serve perf and all of /open-chat-interop. */
export async function serve(host) {
  const served = { echo, digest, reset, ...fates(), ...pushes(host) };
  await handle(host, PERF, servePerf);
  for (const [name, handler] of Object.entries(served)) await handle(host, named(name), handler);
}

export async function echo(stream) {
  const input = new Input(stream);
  for await (const piece of input) await write(stream, piece);
  await stream.close();
}

async function digest(stream) {
  const input = new Input(stream);
  const hash = createHash("sha256");
  for await (const piece of input) hash.update(piece);
  await answer(stream, hash.digest());
}

async function reset(stream) {
  await new Input(stream).exactly(1);
  stream.abort(new Error("a reset was asked for"));
}

function fates() {
  const words = new WeakMap();

  async function fate(stream, connection) {
    const input = new Input(stream);
    try {
      await input.drain();
      words.set(connection, "eof");
    } catch {
      words.set(connection, "reset");
      return;
    }
    await stream.close();
  }

  const lastFate = (stream, connection) => answer(stream, words.get(connection) ?? "none");

  return { fate, "last-fate": lastFate };
}

function pushes(host) {
  const known = new Known(host);

  async function push(stream, { remotePeer }) {
    const name = `${await new Input(stream).rest(MAX_NAME)}`;
    // js-libp2p pushes only to whom it already knows to speak identify push.
    await until(IDENTIFY_S, "identify by the dialer", () => known.of(remotePeer).length > 0);
    await handle(host, name, echo);
    await stream.close();
  }

  const tell = (stream, { remotePeer }) => answer(stream, JSON.stringify(known.of(remotePeer)));

  return { push, known: tell };
}

async function answer(stream, bytes) {
  await write(stream, Buffer.from(bytes));
  await stream.close();
}
