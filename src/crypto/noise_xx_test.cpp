#include "crypto/noise_xx.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/given_random.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::GivenRandom;
using test::hex_of;

X25519KeyPair static_of(const nlohmann::json& vector, const char* member) {
  Secret<32> scalar;
  const Bytes bytes = hex_of(vector, member);
  std::copy(bytes.begin(), bytes.end(), scalar.data());
  return X25519KeyPair::from_private(scalar);
}

struct Pair {
  NoiseXX initiator;
  NoiseXX responder;
};

Pair pair_of(const nlohmann::json& vector) {
  GivenRandom initiator_random(hex_of(vector, "init_ephemeral"));
  GivenRandom responder_random(hex_of(vector, "resp_ephemeral"));
  return {NoiseXX(NoiseRole::initiator, static_of(vector, "init_static"), initiator_random,
                  hex_of(vector, "init_prologue")),
          NoiseXX(NoiseRole::responder, static_of(vector, "resp_static"), responder_random,
                  hex_of(vector, "resp_prologue"))};
}

Pair fresh_pair(BytesView initiator_prologue = {}, BytesView responder_prologue = {}) {
  FakeRandom random(11);
  X25519KeyPair initiator = X25519KeyPair::generate(random);
  X25519KeyPair responder = X25519KeyPair::generate(random);
  return {NoiseXX(NoiseRole::initiator, std::move(initiator), random, initiator_prologue),
          NoiseXX(NoiseRole::responder, std::move(responder), random, responder_prologue)};
}

// Seals a transport message the way the framework does: ciphertext and tag in one piece.
Bytes seal(CipherState& cipher, BytesView plain) {
  Bytes frame = to_bytes(plain);
  frame.resize(plain.size() + kNoiseTagSize);
  EXPECT_TRUE(
      cipher.seal_in_place({}, frame.data(), plain.size(), &frame[plain.size()]).has_value());
  return frame;
}

Result<Bytes> open(CipherState& cipher, Bytes frame) {
  const std::size_t size = frame.size() - kNoiseTagSize;
  CHECK(cipher.open_in_place({}, frame.data(), size, &frame[size]));
  frame.resize(size);
  return frame;
}

// Runs the first n messages of a handshake.
void advance(Pair& pair, int n) {
  for (int i = 0; i < n; ++i) {
    NoiseXX& writer = i % 2 == 0 ? pair.initiator : pair.responder;
    NoiseXX& reader = i % 2 == 0 ? pair.responder : pair.initiator;
    ASSERT_TRUE(reader.read_message(*writer.write_message({})).has_value());
  }
}

TEST(NoiseXX, writes_and_reads_the_published_messages) {
  const nlohmann::json file = test::load_json("noise/xx_25519_chachapoly_sha256.json");
  ASSERT_EQ(file["vectors"].size(), 2u);
  for (const auto& vector : file["vectors"]) {
    Pair pair = pair_of(vector);
    const auto& messages = vector["messages"];
    for (std::size_t i = 0; i < 3; ++i) {
      NoiseXX& writer = i % 2 == 0 ? pair.initiator : pair.responder;
      NoiseXX& reader = i % 2 == 0 ? pair.responder : pair.initiator;
      const Bytes payload = hex_of(messages[i], "payload");
      const Result<Bytes> written = writer.write_message(payload);
      ASSERT_TRUE(written.has_value());
      EXPECT_EQ(to_hex(*written), test::text_of(messages[i], "ciphertext"));
      EXPECT_EQ(*reader.read_message(*written), payload);
    }
    ASSERT_TRUE(pair.initiator.done() && pair.responder.done());
    if (vector.contains("handshake_hash")) {
      EXPECT_EQ(to_hex(pair.initiator.handshake_hash()), test::text_of(vector, "handshake_hash"));
    }
    EXPECT_EQ(pair.initiator.handshake_hash(), pair.responder.handshake_hash());
    NoiseChannel initiator = pair.initiator.split();
    NoiseChannel responder = pair.responder.split();
    for (std::size_t i = 3; i < messages.size(); ++i) {
      NoiseChannel& writer = i % 2 == 0 ? initiator : responder;
      NoiseChannel& reader = i % 2 == 0 ? responder : initiator;
      const Bytes frame = seal(writer.send, hex_of(messages[i], "payload"));
      EXPECT_EQ(to_hex(frame), test::text_of(messages[i], "ciphertext"));
      EXPECT_EQ(to_hex(*open(reader.receive, frame)), test::text_of(messages[i], "payload"));
    }
  }
}

TEST(NoiseXX, each_side_learns_the_others_static_key) {
  Pair pair = fresh_pair();
  EXPECT_FALSE(pair.initiator.remote_static().has_value());
  advance(pair, 2);
  EXPECT_TRUE(pair.initiator.remote_static().has_value());
  EXPECT_FALSE(pair.responder.remote_static().has_value());
}

TEST(NoiseXX, the_turns_alternate_and_end_after_three_messages) {
  Pair pair = fresh_pair();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pair.initiator.my_turn(), i % 2 == 0);
    EXPECT_EQ(pair.responder.my_turn(), i % 2 == 1);
    NoiseXX& writer = i % 2 == 0 ? pair.initiator : pair.responder;
    NoiseXX& reader = i % 2 == 0 ? pair.responder : pair.initiator;
    ASSERT_TRUE(reader.read_message(*writer.write_message({})).has_value());
  }
  EXPECT_FALSE(pair.initiator.my_turn() || pair.responder.my_turn());
  EXPECT_TRUE(pair.initiator.done() && pair.responder.done());
}

TEST(NoiseXX, different_prologues_do_not_connect) {
  Pair pair = fresh_pair(as_bytes("one"), as_bytes("two"));
  const Bytes first = *pair.initiator.write_message({});
  ASSERT_TRUE(pair.responder.read_message(first).has_value());
  EXPECT_EQ(pair.initiator.read_message(*pair.responder.write_message({})).error(),
            CryptoErrc::bad_tag);
}

TEST(NoiseXX, every_truncated_or_bent_message_is_refused) {
  for (int message = 0; message < 3; ++message) {
    Pair pattern = fresh_pair();
    advance(pattern, message);
    NoiseXX& writer = message % 2 == 0 ? pattern.initiator : pattern.responder;
    const Bytes whole = *writer.write_message(message == 0 ? BytesView() : as_bytes("payload"));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      Pair pair = fresh_pair();
      advance(pair, message);
      NoiseXX& reader = message % 2 == 0 ? pair.responder : pair.initiator;
      EXPECT_FALSE(reader.read_message(BytesView(whole).first(n)).has_value())
          << message << ' ' << n;
      if (message == 0) continue;  // bends show one message later
      Pair other = fresh_pair();
      advance(other, message);
      Bytes bent = whole;
      bent[n] ^= 0x04;
      NoiseXX& bent_reader = message % 2 == 0 ? other.responder : other.initiator;
      EXPECT_FALSE(bent_reader.read_message(bent).has_value()) << message << ' ' << n;
    }
  }
}

TEST(NoiseXX, a_worthless_ephemeral_key_is_refused_by_both_roles) {
  Pair pair = fresh_pair();
  ASSERT_TRUE(pair.responder.read_message(Bytes(32)).has_value());
  EXPECT_EQ(pair.responder.write_message({}).error(), CryptoErrc::weak_point);

  Pair other = fresh_pair();
  ASSERT_TRUE(other.initiator.write_message({}).has_value());
  EXPECT_EQ(other.initiator.read_message(Bytes(96)).error(), CryptoErrc::weak_point);
}

TEST(NoiseXX, messages_are_bounded) {
  Pair pair = fresh_pair();
  EXPECT_EQ(pair.responder.read_message(Bytes(kMaxNoiseMessage + 1)).error(), Errc::limit_exceeded);
  EXPECT_EQ(pair.initiator.write_message(Bytes(kMaxNoiseMessage)).error(), Errc::limit_exceeded);
  Pair largest = fresh_pair();
  const auto message = largest.initiator.write_message(Bytes(kMaxNoiseMessage - 32));
  EXPECT_TRUE(largest.responder.read_message(*message).has_value());
}

TEST(CipherState, the_last_nonce_but_one_passes_and_the_reserved_one_does_not) {
  CipherState sender{Secret<32>()};
  CipherState receiver{Secret<32>()};
  sender.set_nonce(CipherState::kReservedNonce - 1);
  receiver.set_nonce(CipherState::kReservedNonce - 1);
  const Bytes frame = seal(sender, as_bytes("last"));
  EXPECT_EQ(as_text(*open(receiver, frame)), "last");
  Bytes data(20);
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(sender.seal_in_place({}, data.data(), 4, &data[4]).error(),
              CryptoErrc::nonce_exhausted);
    EXPECT_EQ(open(receiver, frame).error(), CryptoErrc::nonce_exhausted);
  }
}

TEST(CipherState, a_bad_tag_does_not_advance_the_nonce) {
  CipherState sender{Secret<32>()};
  CipherState receiver{Secret<32>()};
  const Bytes frame = seal(sender, as_bytes("first"));
  EXPECT_EQ(open(receiver, Bytes(40)).error(), CryptoErrc::bad_tag);
  EXPECT_EQ(receiver.nonce(), 0u);
  EXPECT_EQ(as_text(*open(receiver, frame)), "first");
  EXPECT_EQ(receiver.nonce(), 1u);
}

TEST(SymmetricState, text_passes_unencrypted_before_the_first_key) {
  SymmetricState state("Noise_XX_25519_ChaChaPoly_SHA256");
  EXPECT_FALSE(state.has_key());
  EXPECT_EQ(as_text(*state.encrypt_and_hash(as_bytes("clear"))), "clear");
  state.mix_key(as_bytes("secret"));
  EXPECT_TRUE(state.has_key());
  EXPECT_EQ(state.encrypt_and_hash({})->size(), kNoiseTagSize);
  EXPECT_EQ(state.decrypt_and_hash(Bytes(kNoiseTagSize - 1)).error(), Errc::truncated);
}

}  // namespace
}  // namespace oc::crypto
