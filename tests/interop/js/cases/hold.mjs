import { openEchoes, roundTrip } from "./streams.mjs";

// Handshakes at a time: they compute, so that more of them would only wait, and might time out.
const TOGETHER = 8;

export const options = { connections: 1, streams: 1 };
export const holds = true;

export async function run(dialer, { connections, streams }) {
  let left = connections;
  const worker = async () => {
    while (left-- > 0) await connect(dialer, streams);
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  return { connections, streams };
}

async function connect(dialer, streams) {
  const { connection } = await dialer.connect();
  const opened = await openEchoes(connection, streams);
  await Promise.all(opened.map(({ stream, input }) => roundTrip(stream, input, 1)));
}
