/**
 * The protocols of connected peers as they told them by identify and identify push. (A host's peer
 * store counts as a peer's protocols also those that the peer opened streams to.)
 */
export class Known {
  #protocols = new Map();

  constructor(host) {
    host.addEventListener("peer:identify", ({ detail: { peerId, protocols } }) => {
      // A push may leave protocols out, which does not mean that there are none.
      if (protocols.length > 0) this.#protocols.set(`${peerId}`, protocols);
    });
    host.addEventListener("peer:disconnect", ({ detail: peerId }) => {
      this.#protocols.delete(`${peerId}`);
    });
  }

  /** Empty for a peer that has not been identified. */
  of(peerId) {
    return this.#protocols.get(`${peerId}`) ?? [];
  }
}
