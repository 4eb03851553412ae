#include "p2p/swarm/source_gate.hpp"

#include <algorithm>

namespace oc::p2p {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kSiteBytes = 56 / 8;
constexpr std::size_t kNetworkBytes = 48 / 8;

}  // namespace

std::string to_text(const Source& source) {
  const auto* relay = std::get_if<codec::PeerId>(&source);
  return relay != nullptr ? relay->to_string() : std::get<ip::address>(source).to_string();
}

double SourceGate::Entry::tokens_at(TimePoint now) const {
  const double seconds = std::chrono::duration<double>(now - refilled).count();
  return std::min(static_cast<double>(limits->burst), tokens + seconds * limits->per_second);
}

TimePoint SourceGate::Entry::full_at() const {
  const double missing = static_cast<double>(limits->burst) - tokens;
  if (missing <= 0) return refilled;
  if (limits->per_second <= 0) return TimePoint::max();
  const std::chrono::duration<double> time(missing / limits->per_second);
  return refilled + std::chrono::duration_cast<Duration>(time);
}

std::vector<SourceGate::Prefix> SourceGate::prefixes_of(const Source& source) const {
  if (const auto* relay = std::get_if<codec::PeerId>(&source)) return {{relay->bytes(), &relay_}};
  return prefixes_of_address(std::get<ip::address>(source));
}

std::vector<SourceGate::Prefix> SourceGate::prefixes_of_address(const ip::address& source) const {
  if (source.is_loopback()) return {};
  if (source.is_v6() && source.to_v6().is_v4_mapped()) {
    return prefixes_of_address(ip::make_address_v4(ip::v4_mapped, source.to_v6()));
  }
  if (source.is_v4()) {
    const auto bytes = source.to_v4().to_bytes();
    return {{Key(bytes.begin(), bytes.end()), &narrow_}};
  }
  const auto bytes = source.to_v6().to_bytes();
  return {{Key(bytes.begin(), bytes.begin() + kSiteBytes), &narrow_},
          {Key(bytes.begin(), bytes.begin() + kNetworkBytes), &wide_}};
}

SourceGate::Entry& SourceGate::entry_for(const Prefix& prefix, TimePoint now) {
  auto found = table_.find(prefix.key);
  if (found == table_.end()) {
    if (table_.size() >= kMaxSources && !idle_.empty()) {
      table_.erase(idle_.begin()->second);
      idle_.erase(idle_.begin());
    }
    const auto full = static_cast<double>(prefix.limits->burst);
    return table_.emplace(prefix.key, Entry{prefix.limits, 0, 0, full, now}).first->second;
  }
  Entry& entry = found->second;
  if (entry.idle()) idle_.erase({entry.full_at(), prefix.key});
  entry.tokens = entry.tokens_at(now);
  entry.refilled = now;
  return entry;
}

Bytes SourceGate::widest(const Source& source) const {
  const auto prefixes = prefixes_of(source);
  return prefixes.empty() ? Bytes() : prefixes.back().key;
}

std::optional<SourceGate::Refused> SourceGate::refusal(const Source& source, TimePoint now) const {
  for (const Prefix& prefix : prefixes_of(source)) {
    const auto found = table_.find(prefix.key);
    if (found == table_.end()) continue;
    if (found->second.connections >= prefix.limits->connections) return Refused::count;
    if (found->second.tokens_at(now) < 1) return Refused::rate;
  }
  return std::nullopt;
}

std::optional<SourceGate::Refused> SourceGate::enter(const Source& source, TimePoint now) {
  if (const auto refused = refusal(source, now)) return refused;
  for (const Prefix& prefix : prefixes_of(source)) {
    Entry& entry = entry_for(prefix, now);
    ++entry.connections;
    entry.tokens -= 1;
  }
  return std::nullopt;
}

bool SourceGate::welcome(const Source& source, bool scarce) {
  const auto prefixes = prefixes_of(source);
  for (const Prefix& prefix : prefixes) {
    if (scarce && table_.at(prefix.key).trusted >= prefix.limits->trusted) return false;
  }
  for (const Prefix& prefix : prefixes) {
    Entry& entry = table_.at(prefix.key);
    entry.tokens = std::min(entry.tokens + 1, static_cast<double>(entry.limits->burst));
    --entry.connections;
    ++entry.trusted;
  }
  return true;
}

void SourceGate::leave(const Source& source, bool welcomed) {
  for (const Prefix& prefix : prefixes_of(source)) {
    Entry& entry = table_.at(prefix.key);
    --(welcomed ? entry.trusted : entry.connections);
    if (entry.idle()) idle_.emplace(entry.full_at(), prefix.key);
  }
}

}  // namespace oc::p2p
