// libsodium, initialised.
#pragma once

namespace oc::crypto {

// Lets libsodium choose its fastest code for this CPU, once; safe from any thread. Everything in
// this layer that rests on libsodium calls it first. Aborts where libsodium cannot start.
void init_sodium();

}  // namespace oc::crypto
