import { ask } from "../ask.mjs";
import { named } from "../served.mjs";
import { Input, write } from "../stream.mjs";
import { until } from "../until.mjs";

const SETTLE_S = 5;
const SOME_BYTES = Buffer.from("some bytes");

export const options = {};

export async function run(dialer) {
  const { connection } = await dialer.connect();
  const saw = await sawOfReset(connection);
  if (saw !== "reset") throw new Error(`the listener reset the stream, and what came was ${saw}`);

  const cut = await connection.newStream(named("fate"));
  await write(cut, SOME_BYTES);
  cut.abort(new Error("the case resets this stream"));
  await fateIs(connection, "reset");

  await ask(connection, named("fate"), SOME_BYTES);
  await fateIs(connection, "eof");
  return { saw };
}

async function sawOfReset(connection) {
  const stream = await connection.newStream(named("reset"));
  const input = new Input(stream);
  await write(stream, Buffer.of(1));
  try {
    return (await input.next()) ? "bytes" : "a clean end";
  } catch (error) {
    return error.name === "StreamResetError" ? "reset" : error.message;
  }
}

function fateIs(connection, word) {
  return until(SETTLE_S, `last-fate ${word}`, async () => {
    return `${await ask(connection, named("last-fate"))}` === word;
  });
}
