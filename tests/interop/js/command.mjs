import { parseArgs } from "node:util";

import { cases } from "./cases.mjs";

const USAGE = `usage:
  peer listen [--security noise|tls|both] [--key ed25519|secp256k1|ecdsa|rsa] [--ip 4|6]
    [--relay ADDRESS]
  peer dial ADDRESS CASE [--security …] [--key …] [options of the case]
cases: ${Object.keys(cases).join(", ")}`;

const CHOICES = {
  security: ["noise", "tls", "both"],
  key: ["ed25519", "secp256k1", "ecdsa", "rsa"],
  ip: ["4", "6"],
};

/** The command line as a value: the command's name, and what it is to do. Throws what is wrong. */
export function parse([command, ...words]) {
  if (command === "listen") {
    return { command, ...read(words, ["security", "key", "ip"], {}, ["relay"]).values };
  }
  const [address, name, ...rest] = words;
  if (command !== "dial" || name === undefined) throw new Error(USAGE);
  const chosen = cases[name];
  if (!chosen) throw new Error(`no case ${name}\n${USAGE}`);
  const { values, options } = read(rest, ["security", "key"], chosen.options);
  return { command, address, ...values, chosen, options };
}

// The choices named, each the first of its list when not given, the numbers of the case, and texts.
function read(words, choices, defaults = {}, texts = []) {
  const known = [...choices, ...Object.keys(defaults), ...texts];
  const { values: given } = parseArgs({
    args: words,
    options: Object.fromEntries(known.map((name) => [name, { type: "string" }])),
  });
  const values = Object.fromEntries([
    ...choices.map((name) => [name, choice(name, given[name])]),
    ...texts.map((name) => [name, given[name]]),
  ]);
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, number]) => [name, count(name, given[name], number)]),
  );
  return { values, options };
}

function choice(name, word = CHOICES[name][0]) {
  if (!CHOICES[name].includes(word)) {
    throw new Error(`--${name} is one of ${CHOICES[name].join(", ")}, not ${word}`);
  }
  return word;
}

function count(name, word, number) {
  if (word === undefined) return number;
  if (!/^\d{1,15}$/.test(word)) throw new Error(`--${name} is a whole number, not ${word}`);
  return Number(word);
}
