#include "p2p/discovery/mdns.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"

namespace oc::p2p {
namespace {

using codec::AddressScope;
using codec::Multiaddr;
using codec::Protocol;

constexpr std::string_view kAddressKey = "dnsaddr=";

// 32 to 63 characters, as the specification wants: at least 165 bits.
std::string random_label(Random& random) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out(32 + random.below(32), ' ');
  for (char& c : out) c = kAlphabet[random.below(kAlphabet.size())];
  return out;
}

bool is_one_of(const Multiaddr& address, const std::vector<asio::ip::address>& ips) {
  const auto components = address.components();
  const BytesView own = components.front().value;
  return std::ranges::any_of(ips, [own](const asio::ip::address& ip) {
    return ip.is_v4() ? equal(own, ip.to_v4().to_bytes()) : equal(own, ip.to_v6().to_bytes());
  });
}

struct Claim {
  codec::PeerId peer;
  std::vector<Multiaddr> addresses;
};

// Adds what one text says; the first address of an instance says whose it is.
void add_text(const std::string& text, Claim& to) {
  if (!text.starts_with(kAddressKey) || to.addresses.size() >= kMaxMdnsAddresses) return;
  const auto address = Multiaddr::parse(std::string_view(text).substr(kAddressKey.size()));
  if (!address || !fits_lan(*address)) return;
  const auto peer = address->peer_id();
  if (!peer || (!to.peer.empty() && to.peer != *peer)) return;
  to.peer = *peer;
  const Multiaddr bare = address->without_peer();
  if (std::ranges::find(to.addresses, bare) == to.addresses.end()) to.addresses.push_back(bare);
}

}  // namespace

bool fits_lan(const Multiaddr& address) {
  if (address.empty() || address.has(Protocol::p2p_circuit)) return false;
  const auto components = address.components();
  const Protocol first = components.front().code;
  if (first != Protocol::ip4 && first != Protocol::ip6) return false;
  switch (address.scope()) {
    case AddressScope::loopback:
    case AddressScope::unspecified: return false;
    case AddressScope::link_local: return first == Protocol::ip4;
    default: return true;
  }
}

Mdns::Mdns(Executor executor, Lan& lan, Clock& clock, Random& random, codec::PeerId self,
           Addresses addresses, Found found)
    : lan_(lan),
      clock_(clock),
      random_(random),
      self_(std::move(self)),
      addresses_(std::move(addresses)),
      found_(std::move(found)),
      label_(random_label(random)),
      tasks_(std::move(executor)) {
  lan_.on_message = [this](LinkId link, const net::UdpAddress& from, BytesView message) {
    on_message(link, from, message);
  };
  lan_.on_change = [this] {
    refresh_links();
    changed_.set();
  };
}

void Mdns::start() {
  refresh_links();
  tasks_.spawn("ask for peers", keep_asking());
}

awaitable<void> Mdns::close() { return tasks_.close(); }

awaitable<void> Mdns::keep_asking() {
  if (auto slept = co_await clock_.sleep_for(random_delay()); !slept) co_return;
  Duration pause = kMdnsFirstPause;
  for (;;) {
    co_await ask_all();
    auto changed = co_await with_deadline<void>(clock_, pause, changed_.wait());
    if (changed) {
      pause = kMdnsFirstPause;
    } else if (changed.error() == Errc::timed_out) {
      pause = std::min(2 * pause, kMdnsLastPause);
    } else {
      co_return;
    }
  }
}

awaitable<void> Mdns::ask_all() {
  for (const Link& link : lan_.links()) {
    Bytes query = write_mdns_query();
    auto sent = co_await lan_.send(link.id, std::nullopt, std::move(query));
    if (!sent) log::debug("cannot ask for peers: {}", sent.error().message());
  }
}

void Mdns::refresh_links() {
  std::map<LinkId, LinkState> now;
  for (const Link& link : lan_.links()) {
    const auto known = links_.find(link.id);
    now.emplace(link.id, known == links_.end() ? LinkState{} : known->second);
  }
  links_ = std::move(now);
}

void Mdns::on_message(LinkId link, const net::UdpAddress& from, BytesView bytes) {
  const auto state = links_.find(link);
  if (state == links_.end() || !state->second.messages.take(clock_.now())) return;
  auto message = parse_mdns_message(bytes);
  if (!message) return;
  if (!message->response) return on_query(link, from, *std::move(message));
  // Answers come from the port of multicast DNS, and no others are believed (RFC 6762, section 6).
  if (from.port() == kMdnsPort) on_response(*message);
}

bool Mdns::is_for_us(const MdnsQuestion& question) const {
  const auto asks = [&question](DnsType type) {
    return question.type == type || question.type == DnsType::any;
  };
  if (question.name == mdns_service() || question.name == mdns_services())
    return asks(DnsType::ptr);
  if (question.name == mdns_instance(label_)) return asks(DnsType::srv) || asks(DnsType::txt);
  return question.name == mdns_host(label_) && (asks(DnsType::a) || asks(DnsType::aaaa));
}

void Mdns::on_query(LinkId link, const net::UdpAddress& from, MdnsMessage query) {
  const auto for_us = [this](const MdnsQuestion& question) { return is_for_us(question); };
  if (std::ranges::none_of(query.questions, for_us)) return;
  const bool known = std::ranges::any_of(query.pointers, [this](const MdnsPointer& pointer) {
    return pointer.target == mdns_instance(label_) && pointer.ttl >= kMdnsTtl / 2;
  });
  if (known) return;
  LinkState& state = links_.at(link);
  const TimePoint now = clock_.now();
  if (from.port() != kMdnsPort) {
    if (state.answering || now < state.next_answer) return;
    state.next_answer = now + kMdnsAnswerInterval;
    // Only what is ours comes back, so that the answer is hardly longer than its worth.
    std::erase_if(query.questions, [&for_us](const auto& question) { return !for_us(question); });
    query.questions.resize(1);
    tasks_.spawn("answer one", answer_one(link, from, std::move(query)));
    return;
  }
  state.names_service |= std::ranges::any_of(
      query.questions, [](const auto& question) { return question.name == mdns_services(); });
  if (std::exchange(state.answering, true)) return;
  tasks_.spawn("answer all", answer_all(link, std::max(random_delay(), state.next_answer - now)));
}

awaitable<void> Mdns::answer_all(LinkId link, Duration delay) {
  if (auto slept = co_await clock_.sleep_for(delay); !slept) co_return;
  const auto state = links_.find(link);
  if (state == links_.end()) co_return;
  state->second.answering = false;
  state->second.next_answer = clock_.now() + kMdnsAnswerInterval;
  auto answer = answer_for(link);
  if (!answer) co_return;
  answer->names_service = std::exchange(state->second.names_service, false);
  Bytes message = write_mdns_answer(*answer);
  auto sent = co_await lan_.send(link, std::nullopt, std::move(message));
  if (!sent) log::debug("cannot answer a question for peers: {}", sent.error().message());
}

awaitable<void> Mdns::answer_one(LinkId link, net::UdpAddress to, MdnsMessage query) {
  auto answer = answer_for(link);
  if (!answer) co_return;
  answer->names_service = query.questions.front().name == mdns_services();
  answer->legacy_query = &query;
  Bytes message = write_mdns_answer(*answer);
  auto sent = co_await lan_.send(link, to, std::move(message));
  if (!sent) log::debug("cannot answer {}: {}", to.address().to_string(), sent.error().message());
}

std::optional<MdnsAnswer> Mdns::answer_for(LinkId id) const {
  std::vector<Multiaddr> addresses = addresses_();
  std::erase_if(addresses, [](const Multiaddr& address) { return !fits_lan(address); });
  MdnsAnswer answer;
  answer.label = label_;
  for (const Link& link : lan_.links()) {
    if (link.id == id) answer.hosts = link.addresses;
  }
  // A machine with many interfaces has more addresses than fit.
  std::ranges::stable_partition(
      addresses, [&answer](const Multiaddr& address) { return is_one_of(address, answer.hosts); });
  for (const Multiaddr& address : addresses) {
    std::string text = std::string(kAddressKey) + address.with_peer(self_).to_string();
    if (text.size() <= kMaxMdnsText) answer.texts.push_back(std::move(text));
    const auto endpoint = address.tcp_endpoint();
    if (endpoint && answer.port == 0) answer.port = endpoint->port;
  }
  if (answer.texts.empty()) return std::nullopt;
  return answer;
}

void Mdns::on_response(const MdnsMessage& response) {
  std::map<DnsName, Claim> claims;
  for (const MdnsTexts& texts : response.texts) {
    if (texts.ttl == 0 || !is_mdns_instance(texts.name)) continue;
    if (claims.size() >= kMaxMdnsPeersOfMessage && !claims.contains(texts.name)) continue;
    for (const std::string& text : texts.strings) add_text(text, claims[texts.name]);
  }
  for (auto& [name, claim] : claims) {
    if (claim.addresses.empty() || claim.peer == self_) continue;
    if (!reports_.take(clock_.now())) return;
    found_(claim.peer, std::move(claim.addresses));
  }
}

Duration Mdns::random_delay() {
  const auto range = static_cast<std::uint64_t>((kMdnsMostDelay - kMdnsLeastDelay).count());
  return kMdnsLeastDelay + Duration(static_cast<std::int64_t>(random_.below(range)));
}

}  // namespace oc::p2p
