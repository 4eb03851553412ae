// LoginLimiter: how often one may try to log in.
//
//   per address and user   kFree attempts, then a wait that doubles from one second to kMaxWait
//   per address            a bucket of kBurst attempts, of which one comes back every kRefill
//
// There is no limit per user alone: with one, anybody could lock the administrator out. An IPv6
// address counts as its /64, which is what one customer gets.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace oc::api {

class LoginLimiter {
 public:
  static constexpr int kFree = 5;
  static constexpr std::chrono::seconds kMaxWait{60};
  static constexpr int kBurst = 50;
  static constexpr std::chrono::seconds kRefill{10};
  // Failures are forgotten after this long without another.
  static constexpr std::chrono::hours kMemory{1};
  // Of each table (below 2 MiB); the entry that was longest not used makes room.
  static constexpr std::size_t kMaxEntries = 4096;

  // Nothing: go on; the attempt counts as failed until succeeded(), so that a volley of attempts at
  // once gains nothing. Otherwise: how long to wait.
  std::optional<std::chrono::seconds> begin(const std::string& address, const std::string& user,
                                            TimePoint now);
  void succeeded(const std::string& address, const std::string& user);
  std::size_t entries() const { return pairs_.size() + addresses_.size(); }

 private:
  struct Pair {
    int failures = 0;
    TimePoint blocked_until{};
    TimePoint last{};
  };
  struct Address {
    TimePoint empty_at{};  // when the bucket is full again (generic cell rate algorithm)
    TimePoint last{};
  };
  std::map<std::pair<std::string, std::string>, Pair> pairs_;
  std::map<std::string, Address> addresses_;
};

}  // namespace oc::api
