import { pings } from "./ping.mjs";

export const options = { seconds: 5, parallel: 4 };

export async function run(dialer, { seconds, parallel }) {
  const hosts = await Promise.all(Array.from({ length: parallel }, () => dialer.host()));
  const began = performance.now();
  const end = began + seconds * 1000;
  const counts = await Promise.all(hosts.map((host) => connections(dialer, host, end)));
  return {
    connections: counts.reduce((sum, count) => sum + count, 0),
    seconds: (performance.now() - began) / 1000,
  };
}

async function connections(dialer, host, end) {
  let count = 0;
  for (; performance.now() < end; count++) {
    const connection = await dialer.dial(host);
    // Until it came back, the listener's half of the handshake may not have been done.
    await pings(connection, 1);
    await connection.close();
  }
  return count;
}
