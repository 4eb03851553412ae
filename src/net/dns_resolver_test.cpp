#include "net/dns_resolver.hpp"

#include <filesystem>

#include "support/fake_dns_server.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

using test::dns_address;
using test::dns_alias;
using test::dns_answer;
using test::dns_text;
using test::DnsQuestion;
using test::DnsType;
using test::FakeDnsServer;
using namespace std::chrono_literals;
using Addresses = std::vector<asio::ip::address>;
using Texts = std::vector<std::string>;
using Messages = std::vector<Bytes>;

asio::ip::address ip(const char* text) { return asio::ip::make_address(text); }

// A server that answers as it is told, and a resolver that asks it.
struct Rig {
  explicit Rig(Executor executor, FakeDnsServer::Answers answers, Duration try_timeout = 5s,
               int tries = 2)
      : server(executor, std::move(answers)),
        resolver(std::make_unique<DnsResolver>(
            clock, DnsOptions{server.address(), try_timeout, tries, 4s})) {}

  FakeClock clock;  // stands still: only c-ares' own time-outs pass
  FakeDnsServer server;
  std::unique_ptr<DnsResolver> resolver;
};

Messages no_answer(const DnsQuestion&) { return {}; }

Messages one_of_each(const DnsQuestion& question) {
  const bool v4 = question.type == DnsType::a;
  return {dns_answer(question, {dns_address(v4 ? "192.0.2.1" : "2001:db8::1")})};
}

TEST(DnsResolver, joins_the_strings_of_a_text_record_and_keeps_records_apart) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, [](const DnsQuestion& question) -> Messages {
      EXPECT_EQ(question.type, DnsType::txt);
      return {dns_answer(question, {dns_text({std::string(200, 'x'), std::string(100, 'y')}),
                                    dns_text({"second"}), dns_text({""})})};
    });
    auto found = co_await rig.resolver->texts_of("_dnsaddr.example");
    EXPECT_TRUE(found &&
                *found == Texts({std::string(200, 'x') + std::string(100, 'y'), "second", ""}));
    co_await rig.server.close();
  });
}

TEST(DnsResolver, says_apart_what_is_not_there_and_what_failed) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, [](const DnsQuestion& question) -> Messages {
      if (question.name == "missing.example")
        return {dns_answer(question, {}, test::kDnsNoSuchName)};
      if (question.name == "broken.example") {
        return {dns_answer(question, {}, test::kDnsServerFailed)};
      }
      return {dns_answer(question, {})};
    });
    for (const char* name : {"missing.example", "empty.example"}) {
      auto addresses = co_await rig.resolver->addresses_of(name, AddressFamily::any);
      EXPECT_TRUE(!addresses && addresses.error() == Errc::not_found) << name;
      auto texts = co_await rig.resolver->texts_of(name);
      EXPECT_TRUE(!texts && texts.error() == Errc::not_found) << name;
    }
    auto failed = co_await rig.resolver->texts_of("broken.example");
    EXPECT_FALSE(failed);
    EXPECT_STREQ(failed.error().category().name(), "dns");
    EXPECT_FALSE(failed.error().message().empty());
    co_await rig.server.close();
  });
}

TEST(DnsResolver, a_server_that_is_not_there_is_an_error_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    FakeDnsServer gone(executor, no_answer);
    const std::string address = gone.address();
    co_await gone.close();
    FakeClock clock;
    DnsResolver resolver(clock, {address, 1h, 2, 2h});
    auto found = co_await resolver.addresses_of("host.example", AddressFamily::v4);
    EXPECT_FALSE(found);
  });
}

TEST(DnsResolver, answers_to_other_questions_are_passed_over) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, [](const DnsQuestion& question) -> Messages {
      DnsQuestion wrong_id = question;
      wrong_id.id ^= 1;
      DnsQuestion wrong_name = question;
      wrong_name.bytes[1] ^= 1;
      return {dns_answer(wrong_id, {dns_address("198.51.100.1")}),
              dns_answer(wrong_name, {dns_address("198.51.100.2")}),
              dns_answer(question, {dns_address("192.0.2.1")})};
    });
    auto found = co_await rig.resolver->addresses_of("host.example", AddressFamily::v4);
    EXPECT_TRUE(found && *found == Addresses({ip("192.0.2.1")}));
    co_await rig.server.close();
  });
}

TEST(DnsResolver, cut_and_bent_answers_are_errors) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    const auto whole = [](const DnsQuestion& question) {
      return dns_answer(question, {dns_alias("other.example"), dns_text({"text", "more text"})});
    };
    // "cut<n>" gets n bytes of the answer, "bent<n>" all of it with byte n turned.
    const auto answers = [whole](const DnsQuestion& question) -> Messages {
      Bytes message = whole(question);
      const bool cut = question.name.starts_with("cut");
      const std::size_t n = std::stoul(question.name.substr(cut ? 3 : 4));
      if (cut) {
        message.resize(std::min(n, message.size()));
      } else if (n < message.size()) {
        message[n] = static_cast<Byte>(~message[n]);
      }
      return {message};
    };
    Rig rig(executor, answers, 20ms, 1);
    for (const std::string kind : {"cut", "bent"}) {
      std::vector<std::unique_ptr<test::Operation<Texts>>> looking;
      // Lengths above 0: c-ares takes an empty datagram for a lost server.
      for (std::size_t n = 1; n <= kMaxLookups; ++n) {
        looking.push_back(std::make_unique<test::Operation<Texts>>(
            executor, rig.resolver->texts_of(kind + std::to_string(n) + ".example")));
      }
      for (std::size_t n = 1; n <= kMaxLookups; ++n) {
        auto found = co_await looking[n - 1]->result();
        EXPECT_TRUE(!found || kind == "bent") << n;
      }
    }
    co_await rig.server.close();
  });
}

TEST(DnsResolver, an_answer_too_large_for_a_datagram_comes_by_tcp_and_is_cut_at_the_bound) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, [](const DnsQuestion& question) -> Messages {
      if (!question.tcp) return {dns_answer(question, {}, test::kDnsTruncated)};
      std::vector<test::DnsRecord> records;
      // As many of 10,000 records as a message of 65,535 bytes has room for.
      for (int i = 0; i < 10'000 && records.size() * 17 < 65'000; ++i) {
        records.push_back(dns_text({std::to_string(10'000 + i).substr(1)}));
      }
      EXPECT_GT(records.size(), 3'000u);
      return {dns_answer(question, records)};
    });
    auto found = co_await rig.resolver->texts_of("many.example");
    EXPECT_TRUE(found);
    EXPECT_TRUE(found && found->size() == kMaxAnswers && found->front() == "0000" &&
                found->back() == "0127");
    EXPECT_EQ(rig.server.asked().size(), 2u);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, many_addresses_are_cut_at_the_bound_with_both_kinds_among_them) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, [](const DnsQuestion& question) -> Messages {
      if (!question.tcp) return {dns_answer(question, {}, test::kDnsTruncated)};
      const bool v4 = question.type == DnsType::a;
      return {dns_answer(question, std::vector<test::DnsRecord>(
                                       2'000, dns_address(v4 ? "192.0.2.1" : "2001:db8::1")))};
    });
    auto found = co_await rig.resolver->addresses_of("many.example", AddressFamily::any);
    EXPECT_TRUE(found && found->size() == kMaxAnswers);
    EXPECT_TRUE(found && found->at(0).is_v6() && found->at(1).is_v4());
    co_await rig.server.close();
  });
}

TEST(DnsResolver, names_that_dns_cannot_carry_are_refused_without_asking) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, one_of_each);
    const std::string label(63, 'a');
    const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
    auto found = co_await rig.resolver->addresses_of(longest, AddressFamily::v4);
    EXPECT_TRUE(found) << "253 characters";
    EXPECT_EQ(rig.server.asked().size(), 1u);
    for (const std::string& name :
         {std::string(), longest + "bb", longest + "bbb", label + 'a' + ".example",
          std::string("a..example"), std::string("a\0.example", 10), std::string(100'000, 'a')}) {
      auto addresses = co_await rig.resolver->addresses_of(name, AddressFamily::v4);
      EXPECT_TRUE(!addresses && addresses.error() == Errc::malformed) << name.size();
      auto texts = co_await rig.resolver->texts_of(name);
      EXPECT_TRUE(!texts && texts.error() == Errc::malformed) << name.size();
    }
    EXPECT_EQ(rig.server.asked().size(), 1u);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, a_silent_server_is_asked_again_and_then_given_up) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, no_answer, 20ms, 3);
    auto found = co_await rig.resolver->texts_of("host.example");
    EXPECT_TRUE(!found && found.error() == Errc::timed_out);
    co_await test::settle();
    EXPECT_EQ(rig.server.asked().size(), 3u);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, a_look_up_ends_when_its_time_is_over_however_many_tries_are_left) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, no_answer, 1h, 1000);
    test::Operation<Texts> looking(executor, rig.resolver->texts_of("host.example"));
    co_await test::settle();
    EXPECT_FALSE(looking.done());
    rig.clock.advance(4s);
    auto found = co_await looking.result();
    EXPECT_TRUE(!found && found.error() == Errc::timed_out);
    EXPECT_EQ(rig.resolver->under_way(), 0u);
    co_await rig.server.close();
  });
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(DnsResolver, cancelled_look_ups_return_at_once_and_leave_nothing_behind) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, no_answer, 1h);
    const std::size_t before = open_descriptors();
    std::vector<std::unique_ptr<test::Operation<Addresses>>> looking;
    for (std::size_t i = 0; i < kMaxLookups; ++i) {
      looking.push_back(std::make_unique<test::Operation<Addresses>>(
          executor, rig.resolver->addresses_of("host.example", AddressFamily::any)));
    }
    co_await test::settle();
    EXPECT_EQ(rig.resolver->under_way(), kMaxLookups);
    EXPECT_GE(open_descriptors(), before + kMaxLookups);
    auto refused = co_await rig.resolver->texts_of("one.too.many");
    EXPECT_TRUE(!refused && refused.error() == Errc::limit_exceeded);
    for (const auto& one : looking) one->cancel();
    for (const auto& one : looking) {
      auto found = co_await one->result();
      EXPECT_TRUE(!found && found.error() == Errc::cancelled);
    }
    EXPECT_EQ(rig.resolver->under_way(), 0u);
    EXPECT_EQ(open_descriptors(), before);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, a_look_up_cancelled_as_it_succeeds_does_either) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, one_of_each);
    int found = 0, cancelled = 0;
    // Each turn later than the one before, from "not asked yet" to "done".
    for (int after = 0; found == 0 || after < 20; ++after) {
      test::Operation<Addresses> looking(
          executor, rig.resolver->addresses_of("host.example", AddressFamily::any));
      co_await test::turns(after);
      looking.cancel();
      auto result = co_await looking.result();
      EXPECT_TRUE(result || result.error() == Errc::cancelled);
      ++(result ? found : cancelled);
      EXPECT_EQ(rig.resolver->under_way(), 0u);
    }
    EXPECT_GT(cancelled, 0);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, may_be_destroyed_with_look_ups_under_way) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig(executor, no_answer, 1h);
    test::Operation<Texts> texts(executor, rig.resolver->texts_of("host.example"));
    test::Operation<Addresses> addresses(
        executor, rig.resolver->addresses_of("host.example", AddressFamily::any));
    auto not_begun = rig.resolver->texts_of("host.example");
    co_await test::settle();
    EXPECT_EQ(rig.resolver->under_way(), 2u);
    rig.resolver.reset();
    auto first = co_await texts.result();
    EXPECT_TRUE(!first && first.error() == Errc::closed);
    auto second = co_await addresses.result();
    EXPECT_TRUE(!second && second.error() == Errc::closed);
    auto third = co_await std::move(not_begun);
    EXPECT_TRUE(!third && third.error() == Errc::closed);
    co_await rig.server.close();
  });
}

TEST(DnsResolver, knows_localhost_and_written_addresses_without_asking) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(co_await asio::this_coro::executor, no_answer);
    auto localhost = co_await rig.resolver->addresses_of("localhost", AddressFamily::v4);
    EXPECT_TRUE(localhost && *localhost == Addresses({ip("127.0.0.1")}));
    auto written = co_await rig.resolver->addresses_of("192.0.2.7", AddressFamily::any);
    EXPECT_TRUE(written && *written == Addresses({ip("192.0.2.7")}));
    EXPECT_TRUE(rig.server.asked().empty());
    co_await rig.server.close();
  });
}

TEST(DnsResolver, takes_the_systems_configuration_when_no_servers_are_given) {
  test::run_async([]() -> awaitable<void> {
    FakeClock clock;
    DnsResolver resolver(clock);
    auto localhost = co_await resolver.addresses_of("localhost", AddressFamily::v4);
    EXPECT_TRUE(localhost && *localhost == Addresses({ip("127.0.0.1")}));
    DnsResolver broken(clock, {"not an address", 1s, 1, 1s});
    auto refused = co_await broken.addresses_of("localhost", AddressFamily::v4);
    EXPECT_FALSE(refused);
  });
}

}  // namespace
}  // namespace oc::net
