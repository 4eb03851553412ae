import { pings } from "./ping.mjs";

export const options = { count: 10 };

export async function run(dialer, { count }) {
  const hosts = await Promise.all(Array.from({ length: count }, () => dialer.host()));
  await Promise.all(hosts.map(async (host) => pings(await dialer.dial(host), 1)));
  return { count: hosts.length };
}
