import { setTimeout as after } from "node:timers/promises";

const EVERY_MS = 20;

/** Asks `condition` until it holds. Throws after so many seconds, naming `what` was awaited. */
export async function until(seconds, what, condition) {
  const end = performance.now() + seconds * 1000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await after(EVERY_MS);
  }
}
