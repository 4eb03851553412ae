// Multiaddrs as chance makes them: right ones, nearly right ones, and none.
#pragma once

#include <string>

#include "dice.hpp"

namespace oc::differential {

std::string multiaddr_text(Dice& dice);
Bytes multiaddr_bytes(Dice& dice);

}  // namespace oc::differential
