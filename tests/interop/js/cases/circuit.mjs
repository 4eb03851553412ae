import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";

import { named } from "../served.mjs";
import { Input, writeZeros } from "../stream.mjs";

export const options = { bytes: 1024, patience: 0 };

export async function run(dialer, { bytes, patience }) {
  const { connection } = await dialer.connect();
  const { limits, timeline } = connection;
  // js-libp2p counts down what is left.
  const seen = {
    limited: limits !== undefined,
    limit_seconds: limits?.seconds ?? 0,
    limit_bytes: Number(limits?.bytes ?? 0),
    bytes: 0,
  };
  const stream = await connection.newStream(named("echo"), { runOnLimitedConnection: true });
  const exchanged = Promise.all([count(new Input(stream), seen), send(stream, bytes)]);
  const end = once(connection, "close");
  // A write to a stream whose connection has gone may never settle.
  await Promise.race([exchanged, end]);
  await Promise.race([end, after(patience * 1000)]);
  return {
    ...seen,
    ended: connection.status !== "open",
    seconds: (Date.now() - timeline.open) / 1000,
  };
}

// Until the stream is ended, or cut.
async function count(input, seen) {
  try {
    for await (const piece of input) seen.bytes += piece.length;
  } catch {
    // Cut.
  }
}

async function send(stream, bytes) {
  try {
    await writeZeros(stream, bytes);
    await stream.close();
  } catch {
    // Cut.
  }
}
