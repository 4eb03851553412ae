import { CODE_P2P, multiaddr } from "@multiformats/multiaddr";

import { createHost } from "./host.mjs";

/** Makes hosts that connect to one address, each with a key of its own. */
export class Dialer {
  #address;
  #security;
  #key;
  #hosts = [];

  constructor({ address, security, key }) {
    this.#address = multiaddr(address);
    if (!this.#address.getComponents().some(({ code }) => code === CODE_P2P)) {
      throw new Error(`the address ${address} does not end in /p2p/<peer id>`);
    }
    this.#security = security;
    this.#key = key;
  }

  async host() {
    const host = await createHost({ security: this.#security, key: this.#key });
    this.#hosts.push(host);
    return host;
  }

  /** A connection of `host`, always a new one. */
  dial(host) {
    return host.dial(this.#address, { force: true });
  }

  /** A new host and its connection. */
  async connect() {
    const host = await this.host();
    return { host, connection: await this.dial(host) };
  }

  async stop() {
    await Promise.all(this.#hosts.map((host) => host.stop()));
  }
}
