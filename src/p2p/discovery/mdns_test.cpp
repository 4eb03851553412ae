#include "p2p/discovery/mdns.hpp"

#include <gtest/gtest.h>

#include <set>

#include "crypto/keys.hpp"
#include "support/fake_lan.hpp"
#include "support/run_async.hpp"
#include "support/vectors.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using Addresses = std::vector<codec::Multiaddr>;

constexpr LinkId kWire{1, false};
const net::UdpAddress kSomebody{asio::ip::make_address("192.168.0.99"), kMdnsPort};

codec::PeerId peer(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random).peer_id();
}
codec::Multiaddr address(const std::string& text) { return *codec::Multiaddr::parse(text); }

struct Found {
  codec::PeerId peer;
  Addresses addresses;
};

// Machines on one cable. Time passes only in pass().
class Site {
 public:
  ~Site() {
    for (const auto& machine : machines_) close(*machine);
  }

  struct Machine {
    Machine(Site& site, std::uint64_t seed)
        : self(peer(seed)),
          addresses{address("/ip4/192.168.0." + std::to_string(seed) + "/tcp/1985")},
          lan(site.cable, "192.168.0." + std::to_string(seed)),
          random(seed),
          mdns(
              site.io.get_executor(), lan, site.clock, random, self, [this] { return addresses; },
              [this](const codec::PeerId& who, Addresses where) {
                found.push_back({who, std::move(where)});
              }) {}

    codec::PeerId self;
    Addresses addresses;
    std::vector<Found> found;
    test::FakeLan lan;
    FakeRandom random;
    Mdns mdns;
  };

  Machine& add(std::uint64_t seed) {
    machines_.push_back(std::make_unique<Machine>(*this, seed));
    return *machines_.back();
  }
  Machine& start(std::uint64_t seed) {
    Machine& machine = add(seed);
    machine.mdns.start();
    run();
    return machine;
  }
  void close(Machine& machine) {
    test::run_async(io, [&machine] { return machine.mdns.close(); });
  }
  void run() {
    io.restart();
    io.poll();
  }
  void pass(Duration time, Duration step = 10ms) {
    for (const TimePoint end = clock.now() + time; clock.now() < end; run()) clock.advance(step);
  }
  void say(BytesView bytes) {
    cable.say(kWire, kSomebody, bytes);
    run();
  }
  std::vector<test::FakeCable::Said> said(bool responses) const {
    std::vector<test::FakeCable::Said> out;
    for (const auto& each : cable.said) {
      if (parse_mdns_message(each.bytes)->response == responses) out.push_back(each);
    }
    return out;
  }
  std::size_t questions() const { return said(false).size(); }
  std::size_t answers() const { return said(true).size(); }
  MdnsMessage last_answer() const { return *parse_mdns_message(said(true).back().bytes); }

  asio::io_context io;
  FakeClock clock;
  test::FakeCable cable;

 private:
  std::vector<std::unique_ptr<Machine>> machines_;
};

// What a peer says of itself.
Bytes claim(const std::string& label, const std::vector<std::string>& texts) {
  MdnsAnswer answer;
  answer.label = label;
  answer.texts = texts;
  return write_mdns_answer(answer);
}
std::string text(const std::string& where, std::uint64_t seed) {
  return "dnsaddr=" + where + "/p2p/" + peer(seed).to_string();
}
Bytes claim_of(std::uint64_t seed) {
  return claim("x" + std::to_string(seed), {text("/ip4/192.168.0.50/tcp/1985", seed)});
}

TEST(Mdns, two_nodes_find_each_other_within_a_second) {
  Site site;
  auto& first = site.start(1);
  site.pass(10s);
  auto& second = site.start(2);
  site.pass(1s);
  for (const auto& [from, to] : {std::pair(&first, &second), std::pair(&second, &first)}) {
    ASSERT_FALSE(from->found.empty());
    EXPECT_EQ(from->found[0].peer, to->self);
    EXPECT_EQ(from->found[0].addresses, to->addresses);
  }
}

TEST(Mdns, a_node_answers_its_own_question_and_does_not_find_itself) {
  Site site;
  auto& node = site.start(1);
  site.pass(500ms);
  EXPECT_EQ(site.questions(), 1u);
  EXPECT_EQ(site.answers(), 1u);
  EXPECT_TRUE(node.found.empty());
}

TEST(Mdns, it_asks_at_start_and_then_less_and_less_often) {
  Site site;
  site.start(1);
  std::vector<std::int64_t> gaps;
  TimePoint last = site.clock.now();
  for (std::size_t seen = 0; seen < 12; site.pass(50ms, 50ms)) {
    if (site.questions() == seen) continue;
    ++seen;
    gaps.push_back(std::chrono::round<std::chrono::seconds>(site.clock.now() - last).count());
    last = site.clock.now();
  }
  EXPECT_EQ(gaps, (std::vector<std::int64_t>{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}));
}

TEST(Mdns, it_asks_at_once_on_all_links_when_they_change) {
  Site site;
  auto& node = site.start(1);
  site.pass(60s, 100ms);
  site.cable.said.clear();
  const auto ip = asio::ip::make_address("192.168.0.1");
  node.lan.change({{{1, false}, {ip}}, {{1, true}, {ip}}, {{2, false}, {ip}}});
  site.run();
  ASSERT_EQ(site.questions(), 3u);
  EXPECT_EQ(site.said(false)[2].link, (LinkId{2, false}));
  site.pass(1100ms);
  EXPECT_EQ(site.questions(), 6u) << "the pauses begin anew";
}

TEST(Mdns, a_machine_that_loses_all_its_links_waits_for_new_ones) {
  Site site;
  auto& node = site.start(1);
  site.pass(60s, 100ms);
  site.say(write_mdns_query());
  node.lan.change({});
  site.cable.said.clear();
  site.pass(60s, 100ms);
  site.say(write_mdns_query());
  site.pass(10s, 100ms);
  EXPECT_TRUE(site.cable.said.empty());
  node.lan.change({{kWire, {}}});
  site.pass(1s);
  EXPECT_EQ(site.questions(), 1u);
  EXPECT_EQ(site.answers(), 1u);
}

TEST(Mdns, a_flood_of_questions_gets_one_answer_a_second) {
  Site site;
  site.start(1);
  site.pass(10s);
  const std::size_t before = site.answers();
  for (int i = 0; i < 1000; ++i) {
    site.say(write_mdns_query());
    site.pass(10ms);
  }
  EXPECT_GE(site.answers() - before, 9u);
  EXPECT_LE(site.answers() - before, 11u);
}

TEST(Mdns, questions_at_once_get_one_answer) {
  Site site;
  site.start(1);
  site.pass(10s);
  const std::size_t before = site.answers();
  for (int i = 0; i < 20; ++i) site.say(write_mdns_query());
  EXPECT_EQ(site.answers(), before) << "an answer waits a moment";
  site.pass(kMdnsMostDelay);
  EXPECT_EQ(site.answers(), before + 1);
}

TEST(Mdns, links_have_an_answer_a_second_each) {
  Site site;
  auto& node = site.start(1);
  node.lan.change({{{1, false}, {}}, {{1, true}, {}}});
  site.pass(10s);
  site.cable.said.clear();
  site.cable.say({1, false}, kSomebody, write_mdns_query());
  site.cable.say({1, true}, kSomebody, write_mdns_query());
  site.pass(500ms);
  ASSERT_EQ(site.answers(), 2u);
  EXPECT_NE(site.said(true)[0].link, site.said(true)[1].link);
}

TEST(Mdns, the_name_of_an_instance_is_random_and_says_nothing) {
  std::set<std::string> names;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Site site;
    auto& node = site.start(seed);
    site.pass(500ms);
    const std::string name = site.last_answer().pointers.at(0).target.value();
    ASSERT_TRUE(is_mdns_instance(DnsName(name)));
    const std::string label = name.substr(1, static_cast<Byte>(name.front()));
    EXPECT_GE(label.size(), 32u);
    EXPECT_LE(label.size(), 63u);
    EXPECT_EQ(label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789"), label.npos);
    EXPECT_EQ(to_hex(site.said(true)[0].bytes).find(to_hex(node.self.bytes())), std::string::npos);
    names.insert(label);
  }
  EXPECT_EQ(names.size(), 20u);
}

TEST(Mdns, addresses_that_fit_a_lan_are_told_those_of_the_link_first) {
  Site site;
  auto& node = site.add(1);
  node.addresses.clear();
  const std::string own = "/ip4/192.168.0.1/tcp/1985";
  const std::string relay = "/ip4/10.9.9.9/tcp/1/p2p/" + peer(9).to_string() + "/p2p-circuit";
  for (const std::string& each :
       {std::string("/ip4/127.0.0.1/tcp/1985"), std::string("/ip6/::1/tcp/1985"),
        std::string("/ip4/172.17.0.1/tcp/1985"), own, relay, std::string("/ip6/fe80::1/tcp/1985"),
        std::string("/dns4/node.example/tcp/1985"), std::string("/ip4/169.254.3.4/tcp/1985"),
        std::string("/ip6/2001:db8::1/tcp/1985")}) {
    node.addresses.push_back(address(each));
  }
  node.mdns.start();
  site.pass(500ms);
  EXPECT_EQ(
      site.last_answer().texts.at(0).strings,
      (std::vector{text(own, 1), text("/ip4/172.17.0.1/tcp/1985", 1),
                   text("/ip4/169.254.3.4/tcp/1985", 1), text("/ip6/2001:db8::1/tcp/1985", 1)}));
}

TEST(Mdns, a_machine_with_many_addresses_tells_what_fits_one_packet) {
  Site site;
  auto& node = site.add(1);
  for (int i = 0; i < 200; ++i)
    node.addresses.push_back(address("/ip4/10.0.0." + std::to_string(i) + "/tcp/1985"));
  node.mdns.start();
  site.pass(500ms);
  EXPECT_LE(site.said(true)[0].bytes.size(), kMaxMdnsWritten);
  EXPECT_EQ(site.last_answer().texts.at(0).strings[0], text("/ip4/192.168.0.1/tcp/1985", 1));
}

TEST(Mdns, who_has_no_address_for_a_lan_asks_and_does_not_answer) {
  Site site;
  auto& node = site.add(1);
  node.addresses = {address("/ip4/127.0.0.1/tcp/1985")};
  node.mdns.start();
  site.pass(5s);
  EXPECT_EQ(site.answers(), 0u);
  EXPECT_GE(site.questions(), 3u);
}

TEST(Mdns, what_go_says_is_understood) {
  const auto go = test::load_json("libp2p/mdns.json");
  Site site;
  auto& node = site.start(1);
  for (const char* which : {"response", "announcement"}) {
    node.found.clear();
    site.say(test::hex_of(go, which));
    ASSERT_EQ(node.found.size(), 1u) << which;
    EXPECT_EQ(node.found[0].peer.to_string(), test::text_of(go, "peer"));
    std::set<std::string> where;
    for (const auto& each : node.found[0].addresses) where.insert(each.to_string());
    EXPECT_EQ(where, (std::set<std::string>{"/ip4/10.0.1.12/tcp/4001", "/ip6/fd00::c/tcp/4001"}))
        << "without those of loopback";
  }
  site.pass(10s);
  const std::size_t before = site.answers();
  site.say(test::hex_of(go, "query"));
  site.pass(2s);
  EXPECT_EQ(site.answers(), before + 1);
}

TEST(Mdns, addresses_of_somebody_else_are_passed_over) {
  Site site;
  auto& node = site.start(1);
  site.say(claim("x", {text("/ip4/192.168.0.5/tcp/1", 5), text("/ip4/192.168.0.6/tcp/1", 6),
                       "dnsaddr=/ip4/192.168.0.7/tcp/1", text("/ip4/192.168.0.8/tcp/1", 5)}));
  ASSERT_EQ(node.found.size(), 1u);
  EXPECT_EQ(node.found[0].peer, peer(5));
  EXPECT_EQ(node.found[0].addresses,
            (Addresses{address("/ip4/192.168.0.5/tcp/1"), address("/ip4/192.168.0.8/tcp/1")}));
}

TEST(Mdns, a_claim_without_an_address_for_a_lan_finds_nobody) {
  Site site;
  auto& node = site.start(1);
  const std::string circuit = "/ip4/10.9.9.9/tcp/1/p2p/" + peer(9).to_string() + "/p2p-circuit";
  for (const std::string& each :
       {text("/ip4/127.0.0.1/tcp/1", 5), text("/ip4/0.0.0.0/tcp/1", 5),
        text("/ip4/224.0.0.1/tcp/1", 5), text("/dns4/victim.example/tcp/1", 5),
        text("/dnsaddr/victim.example", 5), text(circuit, 5),
        text("/ip6zone/eth0/ip6/fe80::1/tcp/1", 5), std::string("dnsaddr="),
        std::string("dnsaddr=/"), "dnsaddr=/p2p/" + peer(5).to_string(),
        text("/ip4/192.168.0.5/tcp/1", 5).substr(8), std::string(255, 'x')}) {
    site.say(claim("x", {each}));
    EXPECT_TRUE(node.found.empty()) << each;
  }
}

TEST(Mdns, only_so_many_addresses_of_a_peer_are_taken) {
  Site site;
  auto& node = site.start(1);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 60; ++i)
    texts.push_back(text("/ip4/10.0.0." + std::to_string(i) + "/tcp/1", 5));
  Bytes message(12);
  put_be16(&message[2], 0x8400);
  put_be16(&message[6], 1);
  append(message, as_bytes(mdns_instance("x").value()));
  append(message, test::hex("0010 8001 00000078 0000"));
  const std::size_t begin = message.size();
  for (const std::string& each : texts) {
    message.push_back(static_cast<Byte>(each.size()));
    append(message, as_bytes(each));
  }
  put_be16(&message[begin - 2], static_cast<std::uint16_t>(message.size() - begin));
  site.say(message);
  ASSERT_EQ(node.found.size(), 1u);
  EXPECT_EQ(node.found[0].addresses.size(), kMaxMdnsAddresses);
}

TEST(Mdns, a_goodbye_finds_nobody) {
  Site site;
  auto& node = site.start(1);
  Bytes message = claim_of(5);
  const Bytes ttl = test::hex("00000168");
  for (auto at = message.begin(); at != message.end();) {
    at = std::search(at, message.end(), ttl.begin(), ttl.end());
    if (at != message.end()) std::fill_n(at, 4, Byte{0});
  }
  site.say(message);
  EXPECT_TRUE(node.found.empty());
}

TEST(Mdns, an_answer_from_another_port_is_not_believed) {
  Site site;
  auto& node = site.start(1);
  site.cable.say(kWire, {kSomebody.address(), 5354}, claim_of(5));
  EXPECT_TRUE(node.found.empty());
  site.say(claim_of(5));
  EXPECT_EQ(node.found.size(), 1u);
}

TEST(Mdns, a_flood_of_invented_peers_is_reported_at_a_bounded_rate) {
  Site site;
  auto& node = site.start(1);
  for (std::uint64_t i = 100; i < 1100; ++i) {
    site.say(claim_of(i));
    site.pass(10ms);
  }
  EXPECT_GE(node.found.size(), static_cast<std::size_t>(kMdnsFoundBurst));
  EXPECT_LE(node.found.size(), static_cast<std::size_t>(kMdnsFoundBurst) + 41);
}

TEST(Mdns, a_flood_of_messages_is_not_read_and_ends) {
  Site site;
  auto& node = site.start(1);
  for (int i = 0; i < kMdnsMessageBurst; ++i) site.say(as_bytes("noise"));
  site.say(claim_of(5));
  EXPECT_TRUE(node.found.empty()) << "it came in the flood";
  site.pass(100ms);
  site.say(claim_of(5));
  EXPECT_EQ(node.found.size(), 1u);
}

TEST(Mdns, who_knows_dns_only_is_answered_alone) {
  Site site;
  site.start(1);
  site.pass(10s);
  site.cable.said.clear();
  const net::UdpAddress asker(asio::ip::make_address("192.168.0.7"), 40000);
  Bytes query = write_mdns_query();
  put_be16(query.data(), 0x4321);
  site.cable.say(kWire, asker, query);
  site.run();
  ASSERT_EQ(site.answers(), 1u);
  EXPECT_EQ(site.said(true)[0].to, asker);
  const MdnsMessage answer = site.last_answer();
  EXPECT_EQ(answer.id, 0x4321);
  EXPECT_EQ(answer.questions.at(0).name, mdns_service());
  EXPECT_EQ(answer.texts.at(0).ttl, kLegacyTtl);
  for (int i = 0; i < 100; ++i) {
    site.cable.say(kWire, asker, query);
    site.pass(9ms, 1ms);
  }
  EXPECT_EQ(site.answers(), 1u) << "one answer a second, to whomever";
}

TEST(Mdns, who_floods_for_himself_does_not_keep_others_from_their_answer) {
  Site site;
  site.start(1);
  site.pass(10s);
  const net::UdpAddress asker(asio::ip::make_address("192.168.0.7"), 40000);
  site.cable.said.clear();
  site.cable.say(kWire, asker, write_mdns_query());
  site.say(write_mdns_query());
  for (int i = 0; i < 120; ++i) {
    site.cable.say(kWire, asker, write_mdns_query());
    site.pass(10ms);
  }
  const auto said = site.said(true);
  ASSERT_EQ(said.size(), 2u);
  EXPECT_TRUE(said[0].to);
  EXPECT_FALSE(said[1].to);
}

TEST(Mdns, who_knows_us_already_gets_no_answer) {
  Site site;
  site.start(1);
  site.pass(10s);
  Bytes known = site.said(true)[0].bytes;  // as a question: the answers in it are what is known
  put_be16(&known[2], 0);
  put_be16(&known[4], 1);
  Bytes asking(known.begin(), known.begin() + 12);
  append(asking, BytesView(write_mdns_query()).subspan(12));
  // The answers begin where ours do: behind a question that is as long as the name they repeat.
  append(asking, as_bytes(mdns_service().value()));
  append(asking, test::hex("000c 0001 00000168"));
  const std::string target = site.last_answer().pointers.at(0).target.value();
  Bytes size(2);
  put_be16(size.data(), static_cast<std::uint16_t>(target.size()));
  append(asking, size);
  append(asking, as_bytes(target));
  put_be16(&asking[6], 1);
  put_be16(&asking[10], 0);
  const std::size_t before = site.answers();
  site.say(asking);
  site.pass(2s);
  EXPECT_EQ(site.answers(), before);
}

TEST(Mdns, those_who_look_around_are_told_of_the_service) {
  Site site;
  site.start(1);
  site.pass(10s);
  Bytes query(12);
  put_be16(&query[4], 1);
  append(query, as_bytes(mdns_services().value()));
  append(query, test::hex("000c 0001"));
  site.say(query);
  site.pass(500ms);
  EXPECT_EQ(site.last_answer().pointers.at(0).name, mdns_services());
  EXPECT_EQ(site.last_answer().pointers.at(0).target, mdns_service());
  site.say(write_mdns_query());
  site.pass(2s);
  EXPECT_EQ(site.last_answer().pointers.at(0).name, mdns_service());
}

TEST(Mdns, questions_for_others_are_not_answered) {
  Site site;
  site.start(1);
  site.pass(10s);
  const std::size_t before = site.answers();
  for (const char* name : {"_ipp._tcp.local", "x._p2p._udp.local", "local"}) {
    Bytes query(12);
    put_be16(&query[4], 1);
    append(query, as_bytes(dns_name(name).value()));
    append(query, test::hex("00ff 0001"));
    site.say(query);
  }
  site.pass(2s);
  EXPECT_EQ(site.answers(), before);
}

TEST(Mdns, it_ends_at_any_moment) {
  for (const Duration after : {0ms, 10ms, 50ms, 130ms, 1000ms, 1100ms}) {
    Site site;
    auto& node = site.start(1);
    site.pass(after);
    site.cable.say(kWire, kSomebody, write_mdns_query());
    site.cable.say(kWire, {kSomebody.address(), 40000}, write_mdns_query());
    site.close(node);
    site.cable.said.clear();
    site.say(write_mdns_query());
    site.pass(10s);
    EXPECT_TRUE(site.cable.said.empty());
  }
}

}  // namespace
}  // namespace oc::p2p
