import { Input, write } from "./stream.mjs";

// Far longer than any answer that a case asks for.
const MAX_ANSWER = 1024 * 1024;

/** Opens a stream, writes `question`, ends that half, and gives all that comes back. */
export async function ask(connection, protocol, question = "") {
  const stream = await connection.newStream(protocol);
  const input = new Input(stream);
  if (question.length > 0) await write(stream, Buffer.from(question));
  await stream.close();
  return input.rest(MAX_ANSWER);
}
