import { StreamResetError } from "@libp2p/interface";

/** The most that is written at once, as go-libp2p does. rust-libp2p refuses frames over 1 MiB. */
export const PIECE = 64 * 1024;
// What an input holds unread before it lets the other side run out of window.
const MAX_HELD = 1024 * 1024;

/**
 * What the other side sends on a stream.
 *
 * js-libp2p's own iterator over a stream ends alike for a clean end, for a connection that is gone
 * and, when the reset came before the iterator, for a reset; and it never ends when the end came
 * before it. Here only the other side's FIN is an end, and all else throws: StreamResetError for a
 * reset. Bytes before a reset may be lost.
 *
 * One input to a stream, made before the first await after the stream is there.
 */
export class Input {
  #stream;
  #pieces = [];
  #held = 0;
  #finSeen;
  #failure;
  #wake = () => {};

  constructor(stream) {
    this.#stream = stream;
    this.#finSeen = stream.remoteWriteStatus === "closed";
    if (stream.status === "reset") this.#failure = new StreamResetError("the stream was reset");
    stream.addEventListener("message", ({ data }) => this.#take(data.subarray()));
    stream.addEventListener("remoteCloseWrite", () => this.#fin());
    stream.addEventListener("close", ({ error }) => this.#close(error));
  }

  /** The next bytes, or null after the end. */
  async next() {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const piece = this.#pieces.shift();
      if (piece) return this.#give(piece);
      if (this.#finSeen && this.#stream.readBufferLength === 0) return null;
      await new Promise((wake) => (this.#wake = wake));
    }
  }

  /** The bytes as they come, to the end. */
  async *[Symbol.asyncIterator]() {
    for (let piece = await this.next(); piece; piece = await this.next()) yield piece;
  }

  /** Drops all bytes to the end, and tells how many they were. */
  async drain() {
    let count = 0;
    for await (const piece of this) count += piece.length;
    return count;
  }

  /** Exactly so many bytes. Throws when the end comes first. */
  async exactly(count) {
    const parts = [];
    let missing = count;
    while (missing > 0) {
      const piece = await this.next();
      if (!piece) throw new Error(`the stream ended ${missing} bytes early`);
      const part = piece.subarray(0, missing);
      if (part.length < piece.length) this.#keep("unshift", piece.subarray(missing));
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** All bytes to the end. Throws when they are more than `limit`. */
  async rest(limit) {
    const parts = [];
    let length = 0;
    for await (const piece of this) {
      length += piece.length;
      if (length > limit) throw new Error(`the other side sent more than ${limit} bytes`);
      parts.push(piece);
    }
    return Buffer.concat(parts);
  }

  #take(piece) {
    this.#keep("push", piece);
    // Not at once: paused from within its resume(), js-libp2p stops the events but not the windows.
    if (this.#held > MAX_HELD) queueMicrotask(() => this.#pause());
    this.#wake();
  }

  #keep(place, piece) {
    this.#pieces[place](piece);
    this.#held += piece.length;
  }

  #give(piece) {
    this.#held -= piece.length;
    if (this.#held === 0 && this.#stream.readStatus === "paused") this.#stream.resume();
    return piece;
  }

  #pause() {
    if (this.#held > MAX_HELD && this.#stream.readStatus === "readable") this.#stream.pause();
  }

  #fin() {
    this.#finSeen = true;
    this.#wake();
  }

  #close(error) {
    if (error) this.#failure = error;
    else if (!this.#finSeen) this.#failure = new Error("the connection ended before the stream");
    this.#wake();
  }
}

/** Writes `bytes`, and waits while the stream takes no more. Throws when the stream is no more. */
export async function write(stream, bytes) {
  if (stream.send(bytes)) return;
  if (stream.status !== "open") throw new Error(`the stream is ${stream.status}`);
  await new Promise((resolve, reject) => {
    const settle = ({ type, error }) => {
      stream.removeEventListener("drain", settle);
      stream.removeEventListener("close", settle);
      if (type === "drain") resolve();
      else reject(error ?? new Error("the stream was closed"));
    };
    stream.addEventListener("drain", settle);
    stream.addEventListener("close", settle);
  });
}

/** Writes `count` zeros. */
export async function writeZeros(stream, count) {
  const zeros = new Uint8Array(PIECE);
  for (let left = count; left > 0; left -= PIECE) {
    await write(stream, zeros.subarray(0, Math.min(left, PIECE)));
  }
}
