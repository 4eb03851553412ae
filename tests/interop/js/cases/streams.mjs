import { randomBytes } from "node:crypto";

import { MAX_STREAMS } from "../host.mjs";
import { named } from "../served.mjs";
import { Input, write } from "../stream.mjs";

// Opened at once: go-libp2p resets what is beyond 256 streams that it has not yet accepted.
const TOGETHER = 100;
const BYTES = 1024;

export const options = { count: 500 };

export async function run(dialer, { count }) {
  const { connection } = await dialer.connect();
  const streams = await openEchoes(connection, count);
  await Promise.all(streams.map(({ stream, input }) => roundTrip(stream, input, BYTES)));
  await Promise.all(streams.map(finish));
  return { count: streams.length };
}

/** So many streams to echo, with their inputs, all open. */
export async function openEchoes(connection, count) {
  const streams = [];
  while (streams.length < count) {
    const more = Math.min(TOGETHER, count - streams.length);
    streams.push(...(await Promise.all(Array.from({ length: more }, () => openEcho(connection)))));
  }
  return streams;
}

async function openEcho(connection) {
  const stream = await connection.newStream(named("echo"), { maxOutboundStreams: MAX_STREAMS });
  return { stream, input: new Input(stream) };
}

/** Throws when other bytes come back than went there. */
export async function roundTrip(stream, input, count) {
  const sent = randomBytes(count);
  await write(stream, sent);
  const came = await input.exactly(count);
  if (!came.equals(sent)) throw new Error(`stream ${stream.id} gave other bytes back`);
}

async function finish({ stream, input }) {
  await stream.close();
  const more = await input.next();
  if (more) throw new Error(`stream ${stream.id} gave ${more.length} bytes too many back`);
}
