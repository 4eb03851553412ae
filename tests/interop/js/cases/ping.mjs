import { randomBytes } from "node:crypto";

import { PING_PROTOCOL } from "@libp2p/ping";

import { Input, write } from "../stream.mjs";

const PING_BYTES = 32;

export const options = { count: 5 };

export async function run(dialer, { count }) {
  const { connection } = await dialer.connect();
  return { rtts_ms: await pings(connection, count) };
}

/** Round trips in milliseconds, on one stream. (js-libp2p's own ping opens a stream for each.) */
export async function pings(connection, count) {
  const stream = await connection.newStream(PING_PROTOCOL);
  const input = new Input(stream);
  const rtts = [];
  while (rtts.length < count) {
    const sent = randomBytes(PING_BYTES);
    const began = performance.now();
    await write(stream, sent);
    const came = await input.exactly(PING_BYTES);
    rtts.push(performance.now() - began);
    if (!came.equals(sent)) throw new Error(`ping ${rtts.length} came back with other bytes`);
  }
  await stream.close();
  return rtts;
}
