import { randomUUID } from "node:crypto";

import { ask } from "../ask.mjs";
import { Known } from "../known.mjs";
import { echo, handle, named } from "../served.mjs";
import { until } from "../until.mjs";

const PUSH_S = 10;

export const options = {};

export async function run(dialer) {
  const { host, connection } = await dialer.connect();
  const known = new Known(host);
  await host.services.identify.identify(connection);

  const theirs = named(`pushed-${randomUUID()}`);
  await ask(connection, named("push"), theirs);
  await until(PUSH_S, "a push of the new protocol by the listener", () =>
    known.of(connection.remotePeer).includes(theirs),
  );

  const ours = named(`pushed-${randomUUID()}`);
  await handle(host, ours, echo);
  await until(PUSH_S, "the listener's knowledge of the dialer's new protocol", async () =>
    JSON.parse(await ask(connection, named("known"))).includes(ours),
  );
  return { from_listener: true, from_dialer: true };
}
