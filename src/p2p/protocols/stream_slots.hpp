// StreamSlots: bounds how many streams of one protocol are served at once for one peer.
#pragma once

#include <cstddef>
#include <map>

#include "codec/peer_id.hpp"

namespace oc::p2p {

class StreamSlots {
 public:
  explicit StreamSlots(std::size_t most) : most_(most) {}

  // Taken for as long as it lives; `granted` is false when the peer had all its slots already.
  class Slot {
   public:
    Slot(StreamSlots& slots, const codec::PeerId& peer)
        : slots_(slots), peer_(peer), granted_(++slots.taken_[peer] <= slots.most_) {}
    ~Slot() {
      if (--slots_.taken_[peer_] == 0) slots_.taken_.erase(peer_);
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    bool granted() const { return granted_; }

   private:
    StreamSlots& slots_;
    codec::PeerId peer_;
    bool granted_;
  };

 private:
  std::size_t most_;
  std::map<codec::PeerId, std::size_t> taken_;
};

}  // namespace oc::p2p
