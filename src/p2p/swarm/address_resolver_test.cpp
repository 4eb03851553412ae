#include "p2p/swarm/address_resolver.hpp"

#include "crypto/keys.hpp"
#include "net/dns_resolver.hpp"
#include "p2p/error.hpp"
#include "support/fake_dns_server.hpp"
#include "support/fake_resolver.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using codec::Multiaddr;
using test::FakeResolver;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

codec::PeerId id_of(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}
const codec::PeerId kPeer = id_of(1);
const std::string kOfPeer = "/p2p/" + kPeer.to_string();
const std::string kOfOther = "/p2p/" + id_of(2).to_string();

std::vector<Multiaddr> parse(const Texts& texts) {
  std::vector<Multiaddr> out;
  for (const std::string& text : texts) out.push_back(*Multiaddr::parse(text));
  return out;
}

// A resolver that answers at once.
struct Rig {
  // What the addresses stand for, as text; the message of the error when they stand for nothing.
  Texts expand(const Texts& texts) {
    Texts out;
    test::run_async([&] { return expand_into(parse(texts), out); });
    return out;
  }
  // A text record of /dnsaddr/<name>.
  void link(const std::string& name, const std::string& address) {
    resolver.add_text("_dnsaddr." + name, "dnsaddr=" + address);
  }

  FakeClock clock;
  FakeResolver resolver;

 private:
  awaitable<void> expand_into(std::vector<Multiaddr> addresses, Texts& out) {
    auto found = co_await resolve_addresses(resolver, clock, kPeer, std::move(addresses));
    if (!found) out.push_back(found.error().message());
    if (!found) co_return;
    for (const Multiaddr& address : *found) out.push_back(address.to_string());
  }
};

const std::string kNotResolved = make_error_code(P2pErrc::name_not_resolved).message();

TEST(AddressResolver, addresses_without_names_pass_untouched_and_nothing_is_looked_up) {
  Rig rig;
  const Texts given = {"/ip4/192.0.2.1/tcp/1985", "/ip6/2001:db8::1/udp/1/quic-v1",
                       "/ip4/192.0.2.1/tcp/1985", "/ip4/0.0.0.0/tcp/1" + kOfOther,
                       "/unix/run/socket"};
  EXPECT_EQ(rig.expand(given), given);
  EXPECT_EQ(rig.expand({}), Texts());
  EXPECT_TRUE(rig.resolver.asked().empty());
}

TEST(AddressResolver, a_host_becomes_its_addresses_and_the_rest_and_the_order_stay) {
  Rig rig;
  rig.resolver.add_host("a.example", {"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  rig.resolver.add_host("b.example", {"192.0.2.3"});
  const std::string circuit = "/tcp/2" + kOfOther + "/p2p-circuit" + kOfPeer;
  EXPECT_EQ(
      rig.expand({"/dns4/b.example" + circuit, "/ip4/198.51.100.1/tcp/3", "/dns4/a.example/tcp/1",
                  "/dns6/a.example/tcp/1/ws", "/dns/a.example/udp/4/quic-v1", "/dns/b.example"}),
      Texts({"/ip4/192.0.2.3" + circuit, "/ip4/198.51.100.1/tcp/3", "/ip4/192.0.2.1/tcp/1",
             "/ip4/192.0.2.2/tcp/1", "/ip6/2001:db8::1/tcp/1/ws", "/ip6/2001:db8::1/udp/4/quic-v1",
             "/ip4/192.0.2.1/udp/4/quic-v1", "/ip4/192.0.2.2/udp/4/quic-v1", "/ip4/192.0.2.3"}));
}

TEST(AddressResolver, a_dnsaddr_becomes_the_addresses_in_its_records_names_in_them_as_well) {
  Rig rig;
  rig.resolver.add_host("host.example", {"192.0.2.1"});
  rig.link("boot.example", "/dns4/host.example/tcp/1" + kOfPeer);
  rig.link("boot.example", "/dnsaddr/more.example" + kOfPeer);
  rig.link("boot.example", "/ip4/192.0.2.3/tcp/3" + kOfPeer);
  rig.link("more.example", "/ip4/192.0.2.2/tcp/2" + kOfPeer);
  const Texts expected = {"/ip4/192.0.2.1/tcp/1" + kOfPeer, "/ip4/192.0.2.2/tcp/2" + kOfPeer,
                          "/ip4/192.0.2.3/tcp/3" + kOfPeer};
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example"}), expected);
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example" + kOfPeer}), expected);
}

TEST(AddressResolver, records_that_name_another_peer_are_dropped_and_not_followed) {
  Rig rig;
  rig.link("boot.example", "/ip4/192.0.2.1/tcp/1" + kOfOther);
  rig.link("boot.example", "/ip4/192.0.2.1/tcp/1" + kOfPeer + "/p2p-circuit" + kOfOther);
  rig.link("boot.example", "/dns4/host.example/tcp/1" + kOfOther);
  rig.link("boot.example", "/dnsaddr/more.example" + kOfOther);
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example"}), Texts({kNotResolved}));
  rig.link("boot.example", "/ip4/192.0.2.2/tcp/2" + kOfOther + "/p2p-circuit" + kOfPeer);
  rig.link("boot.example", "/ip4/192.0.2.3/tcp/3");  // of nobody: the handshake will tell
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example"}),
            Texts({"/ip4/192.0.2.2/tcp/2" + kOfOther + "/p2p-circuit" + kOfPeer,
                   "/ip4/192.0.2.3/tcp/3"}));
  EXPECT_EQ(rig.resolver.asked(), Texts(2, "_dnsaddr.boot.example"));
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example" + kOfOther}), Texts({kNotResolved}));
  EXPECT_EQ(rig.resolver.asked().size(), 2u);
}

TEST(AddressResolver, records_that_are_no_addresses_are_dropped) {
  Rig rig;
  for (const std::string text :
       {"", "dnsaddr=", "dnsaddr", "v=spf1 -all", "/ip4/192.0.2.1/tcp/1", "DNSADDR=/ip4/1.2.3.4",
        "dnsaddr= /ip4/192.0.2.1/tcp/1", "dnsaddr=/ip4/192.0.2.1/tcp/99999", "dnsaddr=/nothing/1",
        "dnsaddr=/dns4/", "dnsaddr=\xff\xfe\x00"}) {
    rig.resolver.add_text("_dnsaddr.boot.example", text);
  }
  rig.resolver.add_text("_dnsaddr.boot.example", "dnsaddr=" + std::string(100'000, '/'));
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example"}), Texts({kNotResolved}));
  rig.link("boot.example", "/ip4/192.0.2.1/tcp/1");
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example"}), Texts({"/ip4/192.0.2.1/tcp/1"}));
}

TEST(AddressResolver, a_dnsaddr_takes_nothing_but_a_peer_behind_it) {
  Rig rig;
  EXPECT_EQ(rig.expand({"/dnsaddr/boot.example/tcp/1", "/dnsaddr/boot.example/tcp/1" + kOfPeer}),
            Texts({kNotResolved}));
  EXPECT_TRUE(rig.resolver.asked().empty());
}

TEST(AddressResolver, the_same_address_by_two_names_is_one) {
  Rig rig;
  rig.resolver.add_host("a.example", {"192.0.2.1"});
  rig.resolver.add_host("b.example", {"192.0.2.1"});
  EXPECT_EQ(rig.expand({"/dns4/a.example/tcp/1", "/dns4/b.example/tcp/1", "/ip4/192.0.2.1/tcp/1",
                        "/dns4/b.example/tcp/2"}),
            Texts({"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/tcp/2"}));
}

TEST(AddressResolver, addresses_that_name_no_host_are_dropped) {
  Rig rig;
  rig.resolver.add_host("a.example", {"0.0.0.0", "::", "255.255.255.255", "192.0.2.1"});
  EXPECT_EQ(rig.expand({"/dns/a.example/tcp/1"}), Texts({"/ip4/192.0.2.1/tcp/1"}));
}

TEST(AddressResolver, what_is_not_found_is_left_out_and_an_error_only_when_nothing_is_left) {
  Rig rig;
  EXPECT_EQ(rig.expand({"/dns4/gone.example/tcp/1", "/ip4/192.0.2.1/tcp/1"}),
            Texts({"/ip4/192.0.2.1/tcp/1"}));
  EXPECT_EQ(rig.expand({"/dns4/gone.example/tcp/1", "/dnsaddr/gone.example"}),
            Texts({kNotResolved}));
}

TEST(AddressResolver, a_dnsaddr_that_leads_to_itself_is_followed_once) {
  Rig rig;
  rig.link("loop.example", "/dnsaddr/loop.example");
  rig.link("loop.example", "/dnsaddr/loop.example" + kOfPeer);
  EXPECT_EQ(rig.expand({"/dnsaddr/loop.example"}), Texts({kNotResolved}));
  EXPECT_EQ(rig.resolver.asked().size(), 1u);
}

TEST(AddressResolver, a_chain_of_dnsaddr_is_followed_four_deep) {
  Rig rig;
  for (int i = 0; i < 50; ++i) {
    rig.link(std::to_string(i) + ".example", "/dnsaddr/" + std::to_string(i + 1) + ".example");
    rig.link(std::to_string(i) + ".example", "/ip4/192.0.2.1/tcp/" + std::to_string(i));
  }
  EXPECT_EQ(rig.expand({"/dnsaddr/0.example"}),
            Texts({"/ip4/192.0.2.1/tcp/3", "/ip4/192.0.2.1/tcp/2", "/ip4/192.0.2.1/tcp/1",
                   "/ip4/192.0.2.1/tcp/0"}));
  EXPECT_EQ(rig.resolver.asked().size(), kMaxDnsaddrDepth);
}

TEST(AddressResolver, ten_thousand_records_give_a_hundred_addresses) {
  Rig rig;
  for (int i = 0; i < 10'000; ++i) {
    rig.link("boot.example", "/ip4/192.0.2.1/tcp/" + std::to_string(i));
    rig.resolver.add_host("host.example", {"2001:db8::" + std::to_string(i)});
  }
  const Texts found = rig.expand({"/dnsaddr/boot.example", "/dns6/host.example/tcp/1"});
  EXPECT_EQ(found.size(), kMaxResolvedAddresses);
}

TEST(AddressResolver, records_that_fan_out_cost_a_bounded_number_of_look_ups) {
  Rig rig;
  const auto name = [](int i) { return std::to_string(i) + ".example"; };
  for (int i = 0; i < 1'000; ++i) {
    for (int k = 0; k < 100; ++k) {
      rig.link(name(i), "/dnsaddr/" + name((i * 100 + k) % 1'000));
      rig.link(name(i), "/dns4/host" + name(k) + "/tcp/1");
    }
  }
  EXPECT_EQ(rig.expand({"/dnsaddr/" + name(0)}), Texts({kNotResolved}));
  EXPECT_EQ(rig.resolver.asked().size(), kMaxLookupsOfDial);
}

TEST(AddressResolver, a_name_that_is_never_answered_costs_its_time_and_nothing_else) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    rig.resolver.silence("silent.example");
    rig.resolver.add_host("host.example", {"192.0.2.1"});
    rig.resolver.silence("_dnsaddr.silent.example");
    auto given = parse({"/dns4/silent.example/tcp/1", "/dns4/host.example/tcp/1",
                        "/dnsaddr/silent.example", "/ip4/192.0.2.2/tcp/2"});
    test::Operation<std::vector<Multiaddr>> resolving(
        executor, resolve_addresses(rig.resolver, rig.clock, kPeer, std::move(given)));
    co_await test::settle();
    EXPECT_EQ(rig.resolver.asked().size(), 3u) << "side by side";
    rig.clock.advance(kResolveTimeout - 1ms);
    co_await test::settle();
    EXPECT_FALSE(resolving.done());
    rig.clock.advance(1ms);
    auto found = co_await resolving.result();
    EXPECT_TRUE(found && *found == parse({"/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/2"}));
  });
}

TEST(AddressResolver, can_be_cancelled_while_it_waits) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    rig.resolver.silence("silent.example");
    auto given = parse({"/dns4/silent.example/tcp/1", "/ip4/192.0.2.2/tcp/2"});
    test::Operation<std::vector<Multiaddr>> resolving(
        executor, resolve_addresses(rig.resolver, rig.clock, kPeer, std::move(given)));
    co_await test::settle();
    resolving.cancel();
    auto found = co_await resolving.result();
    EXPECT_TRUE(!found && found.error() == Errc::cancelled);
    EXPECT_EQ(rig.clock.pending(), 0u);
  });
}

TEST(AddressResolver, cancelled_as_it_succeeds_it_does_either) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    rig.resolver.add_host("host.example", {"192.0.2.1"});
    rig.link("boot.example", "/dns4/host.example/tcp/1");
    int found = 0, cancelled = 0;
    for (int after = 0; found == 0 || after < 20; ++after) {
      auto given = parse({"/dnsaddr/boot.example"});
      test::Operation<std::vector<Multiaddr>> resolving(
          executor, resolve_addresses(rig.resolver, rig.clock, kPeer, std::move(given)));
      co_await test::turns(after);
      resolving.cancel();
      auto result = co_await resolving.result();
      EXPECT_TRUE(result || result.error() == Errc::cancelled) << result.error().message();
      ++(result ? found : cancelled);
      EXPECT_EQ(rig.clock.pending(), 0u);
    }
    EXPECT_GT(cancelled, 0);
  });
}

TEST(AddressResolver, follows_real_dns_and_asks_nothing_for_names_that_dns_cannot_carry) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    test::FakeDnsServer server(executor, [](const test::DnsQuestion& question) {
      std::vector<test::DnsRecord> records;
      if (question.type == test::DnsType::txt) {
        // To itself, and on, in two strings.
        records = {test::dns_text({"dnsaddr=/dnsaddr/boot.example"}),
                   test::dns_text({"dnsaddr=/dns4/", "host.example/tcp/1985"})};
      } else if (question.type == test::DnsType::a) {
        records = {test::dns_address("192.0.2.1")};
      }
      return std::vector<Bytes>{test::dns_answer(question, records)};
    });
    FakeClock clock;
    net::DnsResolver resolver(clock, {server.address(), 1h, 1, 1h});
    auto given = parse({"/dnsaddr/boot.example", "/dns/" + std::string(255, 'a') + "/tcp/1",
                        "/dnsaddr/" + std::string(255, 'b')});
    auto found = co_await resolve_addresses(resolver, clock, kPeer, std::move(given));
    EXPECT_TRUE(found && *found == parse({"/ip4/192.0.2.1/tcp/1985"}));
    EXPECT_EQ(server.asked().size(), 2u);
    co_await server.close();
  });
}

TEST(DnsaddrRecord, is_the_prefix_and_an_address) {
  EXPECT_EQ(*parse_dnsaddr_record("dnsaddr=/ip4/192.0.2.1/tcp/1"),
            *Multiaddr::parse("/ip4/192.0.2.1/tcp/1"));
  EXPECT_EQ(parse_dnsaddr_record("dnslink=/ipfs/x").error(), Errc::unsupported);
  EXPECT_EQ(parse_dnsaddr_record("").error(), Errc::unsupported);
  EXPECT_EQ(parse_dnsaddr_record("dnsaddr=").error(), Errc::malformed);
  EXPECT_EQ(parse_dnsaddr_record("dnsaddr=" + std::string(5'000, '/')).error(),
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::p2p
