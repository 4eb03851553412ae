// js-libp2p 3 calls Promise.withResolvers, which Node has from 22 on. To be imported before it.
Promise.withResolvers ??= function withResolvers() {
  let resolve;
  let reject;
  const promise = new this((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
};
