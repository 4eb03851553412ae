import { createHash, randomBytes } from "node:crypto";

import { ask } from "../ask.mjs";
import { named } from "../served.mjs";

const BYTES = 1024 * 1024;

export const options = {};

export async function run(dialer) {
  const { connection } = await dialer.connect();
  const sent = randomBytes(BYTES);
  const answer = await ask(connection, named("digest"), sent);
  const digest = createHash("sha256").update(sent).digest();
  if (!answer.equals(digest)) {
    throw new Error(`the digest is ${digest.toString("hex")}, not ${answer.toString("hex")}`);
  }
  return { bytes: BYTES };
}
