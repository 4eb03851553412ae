// A case exports `options`, its numbers with their defaults; `run(dialer, options)`, which gives
// what to print or throws what was not so; and `holds`, when what it made is to stand until
// standard input ends.
import * as circuit from "./cases/circuit.mjs";
import * as connects from "./cases/connects.mjs";
import * as echo from "./cases/echo.mjs";
import * as halfClose from "./cases/half-close.mjs";
import * as hold from "./cases/hold.mjs";
import * as identify from "./cases/identify.mjs";
import * as perf from "./cases/perf.mjs";
import * as ping from "./cases/ping.mjs";
import * as push from "./cases/push.mjs";
import * as rate from "./cases/rate.mjs";
import * as reset from "./cases/reset.mjs";
import * as streams from "./cases/streams.mjs";

export const cases = {
  ping,
  identify,
  push,
  echo,
  "half-close": halfClose,
  reset,
  streams,
  perf,
  connects,
  rate,
  hold,
  circuit,
};
