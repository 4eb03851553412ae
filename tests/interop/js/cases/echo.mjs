import { createCipheriv, createHash, randomBytes } from "node:crypto";

import { named } from "../served.mjs";
import { Input, PIECE, write } from "../stream.mjs";

export const options = { bytes: 67_108_864 };

export async function run(dialer, { bytes }) {
  const { connection } = await dialer.connect();
  const stream = await connection.newStream(named("echo"));
  const began = performance.now();
  const [sent, came] = await Promise.all([send(stream, bytes), receive(stream)]);
  const seconds = (performance.now() - began) / 1000;
  if (came.bytes !== bytes) throw new Error(`of ${bytes} bytes ${came.bytes} came back`);
  if (came.sha256 !== sent) throw new Error(`sent ${sent}, ${came.sha256} came back`);
  return { ...came, seconds };
}

async function send(stream, bytes) {
  const random = createCipheriv("aes-256-ctr", randomBytes(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(PIECE);
  const hash = createHash("sha256");
  for (let left = bytes; left > 0; left -= PIECE) {
    const piece = random.update(zeros.subarray(0, Math.min(left, PIECE)));
    hash.update(piece);
    await write(stream, piece);
  }
  await stream.close();
  return hash.digest("hex");
}

async function receive(stream) {
  const input = new Input(stream);
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of input) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
