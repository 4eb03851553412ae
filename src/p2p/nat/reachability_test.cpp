#include "p2p/nat/reachability.hpp"

#include <gtest/gtest.h>

#include "crypto/keys.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using codec::Multiaddr;
using State = ReachabilityState;

Multiaddr multiaddr(const std::string& text) { return *Multiaddr::parse(text); }

const Multiaddr kPublic = multiaddr("/ip4/203.0.113.1/tcp/1985");
const Multiaddr kPublic6 = multiaddr("/ip6/2001:db8::1/tcp/1985");
const Multiaddr kLocal = multiaddr("/ip4/10.0.0.2/tcp/1985");

ReachabilityServer server(std::uint64_t number, bool trusted = false,
                          codec::AddressScope scope = codec::AddressScope::public_internet) {
  FakeRandom random(number);
  return {crypto::PrivateKey::generate(random).peer_id(), "place " + std::to_string(number), scope,
          trusted};
}

class ReachabilityTest : public testing::Test {
 protected:
  ReachabilityTest() {
    reachability_.on_change = [this] { ++changes_; };
  }

  void own(const std::vector<Multiaddr>& addresses) {
    std::vector<OwnAddress> all;
    for (const Multiaddr& address : addresses) all.push_back({address, AddressSource::observed});
    reachability_.set_addresses(std::move(all), now());
  }
  TimePoint now() const { return clock_.now(); }
  std::optional<ReachabilityProbe> next() { return reachability_.next(servers_, now()); }
  // Asks and hears one server; gives which one, by its place in servers_; -1 when none is asked.
  int ask(ProbeOutcome outcome) {
    const auto probe = next();
    if (!probe) return -1;
    reachability_.answered(*probe, outcome, now());
    return place_of(probe->server);
  }
  int place_of(const codec::PeerId& peer) const {
    const auto found = std::ranges::find(servers_, peer, &ReachabilityServer::peer);
    return static_cast<int>(found - servers_.begin());
  }
  State state() const { return reachability_.state_of(kPublic); }
  void settle(ProbeOutcome outcome) {
    for (int i = 0; i < 100 && ask(outcome) != -1; ++i) clock_.advance(kServerInterval);
  }

  FakeClock clock_;
  FakeRandom random_{1};
  Reachability reachability_{random_};
  std::vector<ReachabilityServer> servers_{server(1), server(2), server(3)};
  int changes_ = 0;
};

TEST_F(ReachabilityTest, is_unknown_until_three_servers_agree) {
  own({kPublic});
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 1);
  EXPECT_EQ(state(), State::unknown);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 2);
  EXPECT_EQ(state(), State::reachable);
  EXPECT_TRUE(reachability_.publicly_reachable());
  EXPECT_EQ(reachability_.addresses()[0].servers, 3u);
  EXPECT_EQ(reachability_.addresses()[0].checked, now());
}

TEST_F(ReachabilityTest, of_trusted_servers_two_suffice_and_they_are_asked_first) {
  servers_ = {server(1), server(2, true), server(3, true)};
  own({kPublic});
  EXPECT_EQ(ask(ProbeOutcome::unreachable), 1);
  EXPECT_EQ(state(), State::unknown);
  EXPECT_EQ(ask(ProbeOutcome::unreachable), 2);
  EXPECT_EQ(state(), State::unreachable);
  EXPECT_FALSE(reachability_.publicly_reachable());
}

TEST_F(ReachabilityTest, three_servers_are_asked_at_once_and_no_more) {
  servers_.push_back(server(4));
  own({kPublic});
  EXPECT_TRUE(next());
  EXPECT_TRUE(next());
  EXPECT_TRUE(next());
  EXPECT_FALSE(next());
}

TEST_F(ReachabilityTest, a_single_server_is_asked_again_but_not_at_once) {
  servers_.resize(1);
  own({kPublic});
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0);
  EXPECT_EQ(ask(ProbeOutcome::reachable), -1);
  clock_.advance(kServerInterval);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0);
  clock_.advance(kServerInterval);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0);
  EXPECT_EQ(state(), State::reachable);
}

TEST_F(ReachabilityTest, no_server_is_asked_twice_while_another_was_not_asked) {
  servers_.resize(2);
  own({kPublic, kPublic6});
  const auto first = next();
  const auto second = next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(place_of(first->server), 0);
  EXPECT_EQ(place_of(second->server), 1);
  reachability_.answered(*first, ProbeOutcome::reachable, now());
  clock_.advance(kServerInterval);
  const auto third = next();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->address, kPublic6) << "the second server has yet to answer for the first";
}

TEST_F(ReachabilityTest, one_liar_among_many_changes_nothing) {
  servers_ = {server(1), server(2), server(3), server(4), server(5), server(6)};
  own({kPublic});
  for (int i = 0; i < 3; ++i) ask(ProbeOutcome::reachable);
  clock_.advance(2 * kRecheckInterval);
  ask(ProbeOutcome::unreachable);
  EXPECT_EQ(state(), State::reachable);
  ask(ProbeOutcome::reachable);
  EXPECT_EQ(state(), State::reachable);
  EXPECT_EQ(ask(ProbeOutcome::reachable), -1) << "it is settled again";
}

TEST_F(ReachabilityTest, to_change_takes_more_answers_than_to_begin) {
  servers_ = {server(1), server(2), server(3), server(4), server(5), server(6), server(7)};
  own({kPublic});
  for (int i = 0; i < 3; ++i) ask(ProbeOutcome::reachable);
  clock_.advance(2 * kRecheckInterval);
  int answers = 0;
  for (; state() == State::reachable && answers < 20; ++answers) {
    clock_.advance(kServerInterval);
    ASSERT_NE(ask(ProbeOutcome::unreachable), -1);
  }
  EXPECT_EQ(state(), State::unreachable);
  EXPECT_EQ(answers, 4);
}

TEST_F(ReachabilityTest, a_settled_state_is_looked_at_again_after_a_quarter_of_an_hour) {
  own({kPublic});
  settle(ProbeOutcome::reachable);
  const TimePoint settled = now();
  while (!next()) clock_.advance(1s);
  EXPECT_GE(now() - settled + kServerInterval, kRecheckInterval * 9 / 10);
  EXPECT_LE(now() - settled, kRecheckInterval * 11 / 10 + 1s);
  EXPECT_FALSE(next()) << "by one server";
}

TEST_F(ReachabilityTest, whoever_answered_last_is_not_asked_next) {
  own({kPublic});
  settle(ProbeOutcome::reachable);
  clock_.advance(2 * kRecheckInterval);
  const int first = ask(ProbeOutcome::reachable);
  clock_.advance(2 * kRecheckInterval);
  const int second = ask(ProbeOutcome::reachable);
  EXPECT_NE(first, -1);
  EXPECT_NE(second, -1);
  EXPECT_NE(first, second);
}

TEST_F(ReachabilityTest, servers_that_contradict_each_other_are_asked_less_often_in_the_end) {
  own({kPublic});
  int answers = 0;
  for (TimePoint start = now(); now() - start < 10min; clock_.advance(1s)) {
    const bool odd = answers % 2 != 0;
    if (ask(odd ? ProbeOutcome::reachable : ProbeOutcome::unreachable) != -1) ++answers;
  }
  EXPECT_EQ(state(), State::unknown);
  EXPECT_GE(answers, kEagerAnswers);
  EXPECT_LE(answers, kEagerAnswers + 7);
}

TEST_F(ReachabilityTest, a_new_network_is_asked_about_at_once) {
  own({kPublic});
  settle(ProbeOutcome::reachable);
  clock_.advance(kServerInterval);
  EXPECT_FALSE(next());
  reachability_.network_changed(now());
  EXPECT_EQ(state(), State::reachable) << "until the answers say otherwise";
  settle(ProbeOutcome::unreachable);
  EXPECT_EQ(state(), State::unreachable);
}

TEST_F(ReachabilityTest, a_new_address_is_asked_about_at_once_and_a_lost_one_is_forgotten) {
  own({kPublic});
  settle(ProbeOutcome::reachable);
  clock_.advance(kServerInterval);
  own({kPublic6});
  EXPECT_EQ(state(), State::unknown);
  EXPECT_FALSE(reachability_.publicly_reachable());
  const auto probe = next();
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->address, kPublic6);
}

TEST_F(ReachabilityTest, an_answer_about_an_address_that_is_gone_does_no_harm) {
  own({kPublic});
  const auto probe = next();
  ASSERT_TRUE(probe);
  own({});
  reachability_.answered(*probe, ProbeOutcome::reachable, now());
  EXPECT_TRUE(reachability_.addresses().empty());
  own({kPublic});
  EXPECT_EQ(state(), State::unknown);
}

TEST_F(ReachabilityTest, a_server_that_dials_not_such_addresses_is_passed_over_for_them_alone) {
  servers_.resize(1);
  own({kPublic6, kPublic});
  const auto refused = next();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->address, kPublic6);
  reachability_.answered(*refused, ProbeOutcome::refused, now());
  clock_.advance(kServerInterval);
  const auto taken = next();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->address, kPublic);
}

TEST_F(ReachabilityTest, strangers_in_one_place_have_one_voice) {
  own({kPublic});
  settle(ProbeOutcome::reachable);
  ASSERT_EQ(state(), State::reachable);
  clock_.advance(2 * kRecheckInterval);
  std::vector<ReachabilityServer> crowd;
  for (std::uint64_t number = 10; number < 30; ++number) {
    crowd.push_back(server(number));
    crowd.back().place = "of all of them";
  }
  servers_.insert(servers_.begin(), crowd.begin(), crowd.end());
  int asked = 0;
  for (int i = 0; i < 8; ++i, clock_.advance(kServerInterval)) {
    const auto probe = next();
    if (!probe) continue;
    const bool lies = place_of(probe->server) < std::ssize(crowd);
    asked += lies ? 1 : 0;
    reachability_.answered(*probe, lies ? ProbeOutcome::unreachable : ProbeOutcome::reachable,
                           now());
  }
  EXPECT_EQ(asked, 1) << "then the honest ones have their turn";
  EXPECT_EQ(state(), State::reachable);
}

TEST_F(ReachabilityTest, servers_that_refuse_under_ever_new_names_are_not_remembered_for_ever) {
  own({kPublic});
  for (std::uint64_t number = 0; number < 2 * kMaxNotWilling; ++number) {
    servers_ = {server(number)};
    EXPECT_EQ(ask(ProbeOutcome::refused), 0);
  }
  servers_ = {server(0), server(2 * kMaxNotWilling - 1)};
  EXPECT_EQ(ask(ProbeOutcome::reachable), -1) << "both were asked a moment ago";
  clock_.advance(kServerInterval);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0) << "its refusal is forgotten, the last one's is not";
  clock_.advance(kServerInterval);
  EXPECT_EQ(ask(ProbeOutcome::reachable), 0);
}

TEST_F(ReachabilityTest, a_server_that_gives_no_answer_rests_and_is_no_evidence) {
  servers_.resize(1);
  own({kPublic});
  EXPECT_EQ(ask(ProbeOutcome::failed), 0);
  EXPECT_FALSE(reachability_.addresses()[0].checked);
  clock_.advance(kServerRest - 1s);
  EXPECT_FALSE(next());
  clock_.advance(1s);
  EXPECT_TRUE(next());
}

TEST_F(ReachabilityTest, who_is_not_on_the_internet_does_not_judge_for_it) {
  servers_ = {server(1, true, codec::AddressScope::private_use),
              server(2, true, codec::AddressScope::loopback)};
  own({kPublic});
  EXPECT_FALSE(next());
}

TEST_F(ReachabilityTest, a_local_address_is_judged_by_trusted_peers_on_local_networks) {
  servers_ = {server(1, true), server(2, false, codec::AddressScope::private_use),
              server(3, true, codec::AddressScope::private_use)};
  own({kLocal});
  EXPECT_EQ(ask(ProbeOutcome::reachable), 2);
  EXPECT_EQ(reachability_.public_state(), State::unknown) << "it says nothing of the internet";
}

TEST_F(ReachabilityTest, names_and_loopback_are_not_asked_about) {
  own({multiaddr("/dns4/example.com/tcp/1985"), multiaddr("/ip4/127.0.0.1/tcp/1985")});
  EXPECT_FALSE(next());
  EXPECT_EQ(reachability_.addresses().size(), 2u);
}

TEST_F(ReachabilityTest, all_together_are_unreachable_only_when_each_is) {
  own({kPublic, kPublic6});
  while (reachability_.state_of(kPublic) == State::unknown) ask(ProbeOutcome::unreachable);
  EXPECT_EQ(reachability_.public_state(), State::unknown);
  clock_.advance(kServerInterval);
  settle(ProbeOutcome::unreachable);
  EXPECT_EQ(reachability_.public_state(), State::unreachable);
}

TEST_F(ReachabilityTest, changes_are_told_and_only_changes) {
  own({kPublic});
  EXPECT_EQ(changes_, 1);
  own({kPublic});
  EXPECT_EQ(changes_, 1);
  settle(ProbeOutcome::reachable);
  EXPECT_EQ(changes_, 2);
  clock_.advance(2 * kRecheckInterval);
  ask(ProbeOutcome::reachable);
  EXPECT_EQ(changes_, 2);
}

TEST_F(ReachabilityTest, more_addresses_than_the_bound_are_cut_off) {
  std::vector<Multiaddr> many;
  for (std::size_t i = 0; i <= kMaxOwnAddresses; ++i)
    many.push_back(multiaddr("/ip4/203.0.113.1/tcp/" + std::to_string(i + 1)));
  own(many);
  EXPECT_EQ(reachability_.addresses().size(), kMaxOwnAddresses);
}

}  // namespace
}  // namespace oc::p2p
