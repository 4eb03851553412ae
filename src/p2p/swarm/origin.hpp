// How a connection came about, or was meant to.
#pragma once

#include <string_view>

namespace oc::p2p {

enum class Origin {
  accepted,  // the peer came to us
  dialed,    // by Swarm::dial
  reversed,  // it came over a circuit, and was dialed directly then
  punched    // both dialed at once, through their NATs
};

// "accepted", "dialed", "reversed", "punched".
constexpr std::string_view to_text(Origin origin) {
  switch (origin) {
    case Origin::accepted: return "accepted";
    case Origin::dialed: return "dialed";
    case Origin::reversed: return "reversed";
    case Origin::punched: return "punched";
  }
  return "";
}

}  // namespace oc::p2p
