// The suite that every implementation of net::Resolver passes: the contract of net/resolver.hpp as
// tests.
//
// To put a resolver under test, give it the names below and instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Fake, ResolverConformance, Values(ResolverKind{…}), resolver_name);
//
//   both.example    192.0.2.1, 192.0.2.2, 2001:db8::1, 2001:db8::2
//   v4.example      192.0.2.3
//   text.example    TXT "first", TXT "second"
//   silent.example  never answers
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "net/resolver.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::test {

// A resolver, and what it asks.
class ResolverWorld {
 public:
  virtual ~ResolverWorld() = default;
  virtual net::Resolver& resolver() = 0;
  virtual awaitable<void> close() { co_return; }
};

struct ResolverKind {
  std::string name;
  std::function<std::unique_ptr<ResolverWorld>(Executor)> make;
};

inline std::string resolver_name(const testing::TestParamInfo<ResolverKind>& info) {
  return info.param.name;
}
inline void PrintTo(const ResolverKind& kind, std::ostream* out) { *out << kind.name; }

class ResolverConformance : public testing::TestWithParam<ResolverKind> {
 protected:
  using Test = awaitable<void> (*)(net::Resolver&);

  void with_resolver(Test test) {
    run_async([test] { return drive(GetParam(), test); });
  }

 private:
  static awaitable<void> drive(ResolverKind kind, Test test) {
    const auto world = kind.make(co_await asio::this_coro::executor);
    co_await test(world->resolver());
    co_await world->close();
  }
};

namespace resolver_conformance {

using Addresses = std::vector<asio::ip::address>;
using Texts = std::vector<std::string>;

inline Addresses ips(std::initializer_list<const char*> texts) {
  Addresses all;
  for (const char* text : texts) all.push_back(asio::ip::make_address(text));
  return all;
}

}  // namespace resolver_conformance

TEST_P(ResolverConformance, gives_the_addresses_of_the_kind_asked_for) {
  using namespace resolver_conformance;
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    auto v4 = co_await resolver.addresses_of("both.example", net::AddressFamily::v4);
    EXPECT_TRUE(v4 && *v4 == ips({"192.0.2.1", "192.0.2.2"}));
    auto v6 = co_await resolver.addresses_of("both.example", net::AddressFamily::v6);
    EXPECT_TRUE(v6 && *v6 == ips({"2001:db8::1", "2001:db8::2"}));
  });
}

TEST_P(ResolverConformance, alternates_the_kinds_when_any_will_do) {
  using namespace resolver_conformance;
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    auto both = co_await resolver.addresses_of("both.example", net::AddressFamily::any);
    EXPECT_TRUE(both && *both == ips({"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}));
    auto one = co_await resolver.addresses_of("v4.example", net::AddressFamily::any);
    EXPECT_TRUE(one && *one == ips({"192.0.2.3"}));
  });
}

TEST_P(ResolverConformance, a_written_address_stands_for_itself) {
  using namespace resolver_conformance;
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    auto v4 = co_await resolver.addresses_of("192.0.2.7", net::AddressFamily::any);
    EXPECT_TRUE(v4 && *v4 == ips({"192.0.2.7"}));
    auto v6 = co_await resolver.addresses_of("2001:db8::7", net::AddressFamily::v6);
    EXPECT_TRUE(v6 && *v6 == ips({"2001:db8::7"}));
    auto other = co_await resolver.addresses_of("192.0.2.7", net::AddressFamily::v6);
    EXPECT_TRUE(!other && other.error() == Errc::not_found);
  });
}

TEST_P(ResolverConformance, gives_all_text_records) {
  using namespace resolver_conformance;
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    auto texts = co_await resolver.texts_of("text.example");
    EXPECT_TRUE(texts && *texts == Texts({"first", "second"}));
  });
}

TEST_P(ResolverConformance, says_what_is_not_there) {
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    for (const char* name : {"missing.example", "text.example"}) {
      auto addresses = co_await resolver.addresses_of(name, net::AddressFamily::any);
      EXPECT_TRUE(!addresses && addresses.error() == Errc::not_found) << name;
    }
    auto v6 = co_await resolver.addresses_of("v4.example", net::AddressFamily::v6);
    EXPECT_TRUE(!v6 && v6.error() == Errc::not_found);
    auto texts = co_await resolver.texts_of("both.example");
    EXPECT_TRUE(!texts && texts.error() == Errc::not_found);
  });
}

TEST_P(ResolverConformance, a_cancelled_look_up_disturbs_no_other) {
  with_resolver([](net::Resolver& resolver) -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Operation<resolver_conformance::Texts> first(executor, resolver.texts_of("silent.example"));
    Operation<resolver_conformance::Texts> second(executor, resolver.texts_of("silent.example"));
    co_await settle();
    EXPECT_FALSE(first.done() || second.done());
    first.cancel();
    auto cancelled = co_await first.result();
    EXPECT_TRUE(!cancelled && cancelled.error() == Errc::cancelled);
    auto third = co_await resolver.texts_of("text.example");
    EXPECT_TRUE(third);
    EXPECT_FALSE(second.done());
    second.cancel();
    EXPECT_FALSE(co_await second.result());
  });
}

}  // namespace oc::test
