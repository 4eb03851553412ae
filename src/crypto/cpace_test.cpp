#include "crypto/cpace.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/given_random.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex_fixed;
using test::hex_of;

nlohmann::json vectors() { return test::load_json("cpace/ristretto255_sha512.json"); }

// Owns the inputs of one published exchange.
struct Published {
  explicit Published(const nlohmann::json& exchange)
      : password(hex_of(exchange, "PRS")),
        channel_identifier(hex_of(exchange, "CI")),
        session_id(hex_of(exchange, "sid")) {}
  CPaceInputs inputs() const { return {password, channel_identifier, session_id}; }

  Bytes password;
  Bytes channel_identifier;
  Bytes session_id;
};

struct Ends {
  CPace initiator;
  CPace responder;
};

// Two parties with their own view of the inputs.
Ends ends(const CPaceInputs& a, const CPaceInputs& b, std::uint64_t seed = 1) {
  FakeRandom random(seed);
  CPace initiator(CPaceRole::initiator, a, as_bytes("alice"), random);
  return {std::move(initiator), CPace(CPaceRole::responder, b, as_bytes("bob"), random)};
}

TEST(CPace, gives_the_published_generator_shares_and_keys) {
  const nlohmann::json file = vectors();
  ASSERT_EQ(file["exchanges"].size(), 2u);
  for (const auto& exchange : file["exchanges"]) {
    const Published published(exchange);
    EXPECT_EQ(to_hex(cpace_generator(published.inputs())), test::text_of(exchange, "generator"));
    test::GivenRandom initiator_random(hex_of(exchange, "ya"));
    test::GivenRandom responder_random(hex_of(exchange, "yb"));
    CPace initiator(CPaceRole::initiator, published.inputs(), hex_of(exchange, "ADa"),
                    initiator_random);
    CPace responder(CPaceRole::responder, published.inputs(), hex_of(exchange, "ADb"),
                    responder_random);
    EXPECT_EQ(to_hex(initiator.share()), test::text_of(exchange, "Ya"));
    EXPECT_EQ(to_hex(responder.share()), test::text_of(exchange, "Yb"));
    const auto a = initiator.finish(responder.share(), hex_of(exchange, "ADb"));
    const auto b = responder.finish(initiator.share(), hex_of(exchange, "ADa"));
    ASSERT_TRUE(a.has_value() && b.has_value());
    EXPECT_EQ(to_hex(a->key().view()), test::text_of(exchange, "ISK"));
    EXPECT_EQ(to_hex(b->key().view()), test::text_of(exchange, "ISK"));
    EXPECT_EQ(to_hex(a->own_tag()), test::text_of(exchange, "Ta"));
    EXPECT_EQ(to_hex(b->own_tag()), test::text_of(exchange, "Tb"));
    EXPECT_TRUE(a->confirms(b->own_tag()) && b->confirms(a->own_tag()));
  }
}

TEST(CPace, multiplies_as_published) {
  const nlohmann::json scalar_mult = vectors()["scalar_mult"];
  const Secret<32> s(hex_fixed<32>(test::text_of(scalar_mult, "s")));
  EXPECT_EQ(to_hex(*cpace_scalar_mult(s, hex_of(scalar_mult, "X"))),
            test::text_of(scalar_mult, "result"));
  EXPECT_EQ(cpace_scalar_mult(s, hex_of(scalar_mult, "invalid")).error(), Errc::malformed);
  EXPECT_EQ(cpace_scalar_mult(s, Bytes(32)).error(), CryptoErrc::weak_point);
}

TEST(CPace, refuses_shares_that_are_no_elements) {
  const CPaceInputs inputs{as_bytes("password"), {}, {}};
  const nlohmann::json scalar_mult = vectors()["scalar_mult"];
  const Bytes hostile[] = {
      {}, Bytes(31, 1), Bytes(33, 1), Bytes(32, 0xff), hex_of(scalar_mult, "invalid")};
  for (const Bytes& share : hostile) {
    EXPECT_EQ(ends(inputs, inputs).initiator.finish(share, as_bytes("bob")).error(),
              Errc::malformed);
  }
  EXPECT_EQ(ends(inputs, inputs).responder.finish(Bytes(32), as_bytes("alice")).error(),
            CryptoErrc::weak_point);
}

TEST(CPace, a_reflected_share_is_refused) {
  const CPaceInputs inputs{as_bytes("password"), {}, {}};
  Ends pair = ends(inputs, inputs);
  const CPaceShare own = pair.initiator.share();
  EXPECT_EQ(pair.initiator.finish(own, as_bytes("alice")).error(), Errc::protocol_violation);
}

// Runs an exchange and says whether each side takes the other's tag.
std::pair<bool, bool> confirmed(const CPaceInputs& a, const CPaceInputs& b,
                                std::string_view alice_as_seen = "alice") {
  Ends pair = ends(a, b);
  const auto at_a = pair.initiator.finish(pair.responder.share(), as_bytes("bob"));
  const auto at_b = pair.responder.finish(pair.initiator.share(), as_bytes(alice_as_seen));
  EXPECT_TRUE(at_a.has_value() && at_b.has_value());
  EXPECT_FALSE(at_a->confirms(at_a->own_tag()));
  return {at_a->confirms(at_b->own_tag()), at_b->confirms(at_a->own_tag())};
}

TEST(CPace, confirms_only_when_every_input_agrees) {
  const CPaceInputs inputs{as_bytes("password"), as_bytes("channel"), as_bytes("session")};
  const std::pair<bool, bool> both{true, true};
  const std::pair<bool, bool> neither{false, false};
  EXPECT_EQ(confirmed(inputs, inputs), both);
  EXPECT_EQ(confirmed(inputs, {as_bytes("Password"), as_bytes("channel"), as_bytes("session")}),
            neither);
  EXPECT_EQ(confirmed(inputs, {as_bytes("password"), as_bytes("other"), as_bytes("session")}),
            neither);
  EXPECT_EQ(confirmed(inputs, {as_bytes("password"), as_bytes("channel"), as_bytes("other")}),
            neither);
  EXPECT_EQ(confirmed(inputs, inputs, "mallory"), neither);
}

TEST(CPace, two_initiators_do_not_confirm) {
  const CPaceInputs inputs{as_bytes("password"), {}, {}};
  FakeRandom random(5);
  CPace one(CPaceRole::initiator, inputs, as_bytes("alice"), random);
  CPace two(CPaceRole::initiator, inputs, as_bytes("bob"), random);
  const auto at_one = one.finish(two.share(), as_bytes("bob"));
  const auto at_two = two.finish(one.share(), as_bytes("alice"));
  EXPECT_FALSE(at_one->confirms(at_two->own_tag()) || at_two->confirms(at_one->own_tag()));
}

TEST(CPace, a_truncated_or_bent_tag_confirms_nothing) {
  const CPaceInputs inputs{as_bytes("password"), {}, {}};
  Ends pair = ends(inputs, inputs);
  const auto at_a = pair.initiator.finish(pair.responder.share(), as_bytes("bob"));
  const auto at_b = pair.responder.finish(pair.initiator.share(), as_bytes("alice"));
  const CPaceTag tag = at_b->own_tag();
  ASSERT_TRUE(at_a->confirms(tag));
  for (std::size_t n = 0; n < tag.size(); ++n) {
    EXPECT_FALSE(at_a->confirms(BytesView(tag).first(n)));
    CPaceTag bent = tag;
    bent[n] ^= 0x80;
    EXPECT_FALSE(at_a->confirms(bent));
  }
}

TEST(CPace, every_run_draws_a_new_share) {
  const CPaceInputs inputs{as_bytes("password"), {}, {}};
  EXPECT_NE(ends(inputs, inputs, 1).initiator.share(), ends(inputs, inputs, 2).initiator.share());
}

}  // namespace
}  // namespace oc::crypto
