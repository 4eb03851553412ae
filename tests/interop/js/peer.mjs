// A peer built on js-libp2p, to hold Open-Chat's libp2p against an independent implementation. The
// command line, the served protocols and the cases are those of ../README.md.
//
// Exit codes: 0 all the case demands was so; 1 it was not; 3 js-libp2p cannot do what was asked.
import "./with-resolvers.mjs";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";

import { parse } from "./command.mjs";
import { Dialer } from "./dialer.mjs";
import { createHost, Unsupported } from "./host.mjs";
import { serve } from "./served.mjs";

// The longest that a case may take, to what it prints.
const CASE_MS = 60_000;

const isCircuit = (address) => `${address}`.includes("/p2p-circuit/");

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

async function inputEnd() {
  process.stdin.resume();
  await once(process.stdin, "end");
}

async function listen({ security, key, ip, relay }) {
  const host = await createHost({ security, key, ip, relay });
  await serve(host);
  const all = host.getMultiaddrs();
  print({ id: host.peerId, addresses: relay ? all.filter(isCircuit) : all });
  await inputEnd();
  await host.stop();
}

async function tooLong() {
  await after(CASE_MS, undefined, { ref: false });
  throw new Error(`the case took more than ${CASE_MS / 1000} s`);
}

async function dial({ address, security, key, chosen, options }) {
  const dialer = new Dialer({ address, security, key });
  print(await Promise.race([chosen.run(dialer, options), tooLong()]));
  if (chosen.holds) await inputEnd();
  await dialer.stop();
}

const commands = { listen, dial };

try {
  const { command, ...rest } = parse(process.argv.slice(2));
  await commands[command](rest);
  process.exit(0);
} catch (error) {
  process.stderr.write(`peer: ${error.message}\n`);
  process.exit(error instanceof Unsupported ? 3 : 1);
}
