// The perf protocol, https://github.com/libp2p/specs/blob/master/perf/perf.md
//
//   client: how many bytes it wants, as a big-endian 64-bit number; its upload; its end
//   server: as many bytes as were wanted; its end
import { Input, write, writeZeros } from "./stream.mjs";

export const PERF = "/perf/1.0.0";

export async function servePerf(stream) {
  const input = new Input(stream);
  const wanted = Number((await input.exactly(8)).readBigUInt64BE());
  await input.drain();
  await writeZeros(stream, wanted);
  await stream.close();
}

/** Seconds from the stream's opening to its end. */
export async function perf(connection, { upload, download }) {
  const began = performance.now();
  const stream = await connection.newStream(PERF);
  const input = new Input(stream);
  const wanted = Buffer.alloc(8);
  wanted.writeBigUInt64BE(BigInt(download));
  await write(stream, wanted);
  await writeZeros(stream, upload);
  await stream.close();
  const came = await input.drain();
  if (came !== download) throw new Error(`asked for ${download} bytes, ${came} came`);
  return (performance.now() - began) / 1000;
}
