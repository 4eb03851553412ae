#include "api/login_limiter.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace oc::api {
namespace {

// What an address counts as: an IPv6 /64, anything else itself.
std::string bucket_of(const std::string& address) {
  boost::system::error_code failed;
  const auto parsed = asio::ip::make_address(address, failed);
  if (failed || !parsed.is_v6() || parsed.to_v6().is_v4_mapped()) return address;
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), 0);
  return asio::ip::address_v6(bytes).to_string() + "/64";
}

std::chrono::seconds rounded_up(Duration wait) {
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(wait));
}

template <class Table>
void make_room(Table& table) {
  if (table.size() < LoginLimiter::kMaxEntries) return;
  table.erase(std::min_element(table.begin(), table.end(), [](const auto& a, const auto& b) {
    return a.second.last < b.second.last;
  }));
}

}  // namespace

std::optional<std::chrono::seconds> LoginLimiter::begin(const std::string& address,
                                                        const std::string& user, TimePoint now) {
  const std::string bucket = bucket_of(address);
  if (!pairs_.contains({bucket, user})) make_room(pairs_);
  if (!addresses_.contains(bucket)) make_room(addresses_);
  Pair& pair = pairs_[{bucket, user}];
  Address& from = addresses_[bucket];

  if (now - pair.last > kMemory) pair = Pair{};
  if (now < pair.blocked_until) return rounded_up(pair.blocked_until - now);
  from.empty_at = std::max(from.empty_at, now);
  const Duration full = kRefill * kBurst;
  if (const Duration filled = from.empty_at - now + kRefill; filled > full)
    return rounded_up(filled - full);

  from.empty_at += kRefill;
  from.last = pair.last = now;
  if (++pair.failures >= kFree) {
    const int doublings = std::min(pair.failures - kFree, 6);
    pair.blocked_until = now + std::min(kMaxWait, std::chrono::seconds(1 << doublings));
  }
  return std::nullopt;
}

void LoginLimiter::succeeded(const std::string& address, const std::string& user) {
  const std::string bucket = bucket_of(address);
  pairs_.erase({bucket, user});
  if (const auto from = addresses_.find(bucket); from != addresses_.end())
    from->second.empty_at -= kRefill;
}

}  // namespace oc::api
