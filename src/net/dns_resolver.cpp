#include "net/dns_resolver.hpp"

#include <arpa/nameser.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "base/deadline.hpp"

namespace oc::net {
namespace {

using asio::ip::address;
using Addresses = std::vector<address>;
using Texts = std::vector<std::string>;

// Of a name in text. DNS itself takes fewer, which c-ares knows.
constexpr std::size_t kMaxName = 255;

bool may_be_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName && name.find('\0') == name.npos;
}

struct FreeAddresses {
  void operator()(ares_addrinfo* found) const noexcept { ares_freeaddrinfo(found); }
};
struct FreeTexts {
  void operator()(ares_txt_ext* found) const noexcept { ares_free_data(found); }
};

// Where c-ares leaves what a query gave. Must outlive the channel.
template <class T>
struct Answer {
  Result<T> found = Errc::closed;
  Event done;
};

address read_address(const ares_addrinfo_node& node) {
  if (node.ai_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(node.ai_addr);
    return asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
  }
  asio::ip::address_v6::bytes_type bytes;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(node.ai_addr);
  std::memcpy(bytes.data(), &v6->sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes);
}

Addresses alternate(const Addresses& v6, const Addresses& v4) {
  Addresses all;
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) all.push_back(v6[i]);
    if (i < v4.size()) all.push_back(v4[i]);
  }
  if (all.size() > kMaxAnswers) all.resize(kMaxAnswers);
  return all;
}

Result<Addresses> read_addresses(const ares_addrinfo* found) {
  Addresses v6, v4;
  for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) continue;
    Addresses& kind = node->ai_family == AF_INET6 ? v6 : v4;
    if (kind.size() < kMaxAnswers) kind.push_back(read_address(*node));
  }
  if (v6.empty() && v4.empty()) return Errc::not_found;
  return alternate(v6, v4);
}

Result<Texts> read_texts(const unsigned char* message, int size) {
  ares_txt_ext* list = nullptr;
  if (const int status = ares_parse_txt_reply_ext(message, size, &list)) return dns_error(status);
  const std::unique_ptr<ares_txt_ext, FreeTexts> owned(list);
  Texts texts;
  for (const auto* part = list; part != nullptr; part = part->next) {
    if (part->record_start != 0) {
      if (texts.size() == kMaxAnswers) break;
      texts.emplace_back();
    }
    texts.back().append(reinterpret_cast<const char*>(part->txt), part->length);
  }
  if (texts.empty()) return Errc::not_found;
  return texts;
}

void on_addresses(void* to, int status, int, ares_addrinfo* list) noexcept {
  const std::unique_ptr<ares_addrinfo, FreeAddresses> owned(list);
  auto& answer = *static_cast<Answer<Addresses>*>(to);
  if (status == ARES_SUCCESS) {
    answer.found = read_addresses(list);
  } else {
    answer.found = dns_error(status);
  }
  answer.done.set();
}

void on_texts(void* to, int status, int, unsigned char* message, int size) noexcept {
  auto& answer = *static_cast<Answer<Texts>*>(to);
  if (status == ARES_SUCCESS) {
    answer.found = read_texts(message, size);
  } else {
    answer.found = dns_error(status);
  }
  answer.done.set();
}

awaitable<Result<Addresses>> give_written(address literal, AddressFamily family) {
  const auto other = literal.is_v6() ? AddressFamily::v4 : AddressFamily::v6;
  if (family == other) co_return Errc::not_found;
  co_return Addresses(1, literal);
}

struct AskForAddresses {
  AddressFamily family;
  void operator()(ares_channel channel, const std::string& name, Answer<Addresses>& to) const {
    ares_addrinfo_hints hints{};
    hints.ai_family = family == AddressFamily::v4   ? AF_INET
                      : family == AddressFamily::v6 ? AF_INET6
                                                    : AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;  // sorting would open a socket to each
    ares_getaddrinfo(channel, name.c_str(), nullptr, &hints, on_addresses, &to);
  }
};

struct AskForTexts {
  void operator()(ares_channel channel, const std::string& name, Answer<Texts>& to) const {
    ares_query(channel, name.c_str(), ns_c_in, ns_t_txt, on_texts, &to);
  }
};

}  // namespace

struct DnsResolver::State {
  Clock& clock;
  DnsOptions options;
  bool closed = false;
  std::set<DnsChannel*> under_way;

  template <class T, class Ask>
  static awaitable<Result<T>> look_up(std::shared_ptr<State> state, std::string name, Ask ask);
};

template <class T, class Ask>
awaitable<Result<T>> DnsResolver::State::look_up(std::shared_ptr<State> state, std::string name,
                                                 Ask ask) {
  if (state->closed) co_return Errc::closed;
  if (!may_be_name(name)) co_return Errc::malformed;
  if (state->under_way.size() >= kMaxLookups) co_return Errc::limit_exceeded;
  Answer<T> answer;
  const Executor executor = co_await asio::this_coro::executor;
  CO_TRY(const auto channel, DnsChannel::open(executor, state->options));
  struct UnderWay {
    std::set<DnsChannel*>& set;
    DnsChannel* channel;
    ~UnderWay() { set.erase(channel); }
  } under_way{state->under_way, channel.get()};
  state->under_way.insert(channel.get());
  ask(channel->handle(), name, answer);
  channel->drive();
  CO_CHECK(
      co_await with_deadline<void>(state->clock, state->options.total_timeout, answer.done.wait()));
  co_return std::move(answer.found);
}

DnsResolver::DnsResolver(Clock& clock, DnsOptions options)
    : state_(std::make_shared<State>(clock, std::move(options))) {}

DnsResolver::~DnsResolver() {
  state_->closed = true;
  for (DnsChannel* channel : state_->under_way) channel->close();
}

std::size_t DnsResolver::under_way() const { return state_->under_way.size(); }

awaitable<Result<Addresses>> DnsResolver::addresses_of(std::string name, AddressFamily family) {
  // Costs nothing; and c-ares 1.18 asks the servers for an IPv4 address when either kind will do.
  error_code not_literal;
  if (const auto literal = asio::ip::make_address(name, not_literal); !not_literal) {
    return give_written(literal, family);
  }
  return State::look_up<Addresses>(state_, std::move(name), AskForAddresses{family});
}

awaitable<Result<Texts>> DnsResolver::texts_of(std::string name) {
  return State::look_up<Texts>(state_, std::move(name), AskForTexts{});
}

}  // namespace oc::net
