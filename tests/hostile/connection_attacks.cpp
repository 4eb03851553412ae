// Section 1.1: many connections, strange keys, breaks at every byte, and visitors that waste time.
#include <deque>
#include <thread>

#include "attack.hpp"
#include "codec/varint.hpp"
#include "crypto/signed_envelope.hpp"
#include "identify.hpp"
#include "p2p/identify.pb.h"
#include "p2p/protocols/ping/ping.hpp"
#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/noise.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostConnections = 4096;
constexpr std::size_t kMostStreams = 1'000'000;
constexpr std::size_t kMostRounds = 1'000'000;
// Sockets that the soak holds at once; the oldest goes for the next.
constexpr std::size_t kHeld = 32;
constexpr std::size_t kGarbage = 4096;

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

// Many peers, each with many streams, of which nothing is ever read before the end.
Json sybil(Visit& visit, const Options& options) {
  const std::size_t connections = options.number("connections", 500, kMostConnections);
  const std::size_t streams = options.number("streams", 1000, kMostStreams);
  Bytes frames;
  for (std::uint32_t i = 0; i < streams; ++i) {
    append(frames, data_frame(kSyn, 2 * i + 1, Bytes{0x13}));
  }
  std::vector<std::unique_ptr<Session>> open;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < connections; ++i) {
    auto session = visit.session();
    if (session == nullptr || !session->send(frames)) {
      ++refused;
    } else {
      open.push_back(std::move(session));
    }
  }
  std::this_thread::sleep_for(options.seconds(3));
  Json out{{"opened", open.size()}, {"refused", refused}};
  std::uint64_t acks = 0, resets = 0;
  std::size_t cut = 0;
  for (auto& session : open) {
    (void)session->watch(std::chrono::milliseconds(20),
                         [&] { return session->seen().acks + session->seen().resets >= streams; });
    acks += session->seen().acks;
    resets += session->seen().resets;
    cut += session->alive() ? 0 : 1;
  }
  out["acks"] = acks;
  out["resets"] = resets;
  out["cut"] = cut;
  return out;
}

// One peer with many connections at once. How many of them the node serves.
Json one_peer(Visit& visit, const Options& options) {
  const std::size_t connections = options.number("connections", 64, kMostConnections);
  const Identity identity = fresh_identity(visit.random());
  std::vector<std::unique_ptr<Session>> open;
  std::size_t served = 0;
  for (std::size_t i = 0; i < connections; ++i) {
    open.push_back(visit.session(identity));
    served += open.back() != nullptr && serves(*open.back()) ? 1 : 0;
  }
  return {{"connections", connections}, {"served", served}};
}

// A peer whose key is RSA, shown where --place says.
Json rsa_key(Visit& visit, const Options& options) {
  const std::string place = options.text("place", "handshake");
  const Identity strange = rsa_identity(options.text("case"), visit.random());
  const std::size_t rounds = options.number("count", 1, kMostRounds);
  std::size_t served = 0;
  for (std::size_t i = 0; i < rounds; ++i) {
    auto session = visit.session(place == "handshake" ? strange : fresh_identity(visit.random()));
    if (session == nullptr) continue;
    p2p::pb::Identify message;
    if (place == "identify") {
      message.set_public_key(text_of(strange.public_key));
    } else if (place == "envelope") {
      // Fields 1, 2, 3 and 5 of an envelope, of which only the key is ever looked at.
      Bytes envelope{0x0a};
      codec::put_length_prefixed(envelope, strange.public_key);
      append(envelope, Bytes{0x12, 0x02, 0x03, 0x01, 0x1a, 0x01, 0x00, 0x2a});
      codec::put_length_prefixed(envelope, strange.sign({}));
      message.set_signed_peer_record(text_of(envelope));
    }
    if (place != "handshake") answer_identify(*session, {message.SerializeAsString()});
    served += serves(*session) ? 1 : 0;
  }
  return {{"rounds", rounds}, {"served", served}};
}

// One whole visit, broken off with a reset once so many bytes of the node have arrived.
std::size_t break_off_at(Visit& visit, std::size_t offset) {
  auto socket = visit.dial();
  if (!socket) return 0;
  socket->abort_at(offset);
  auto channel = visit.secure_on(*std::move(socket), fresh_identity(visit.random()));
  if (channel == nullptr) return offset;
  Session session(std::move(channel));
  const Bytes payload(64 * p2p::kPingSize);
  session.open(p2p::kPingId, payload);
  session.open(kIdentify);
  (void)session.watch(std::chrono::seconds(1));
  return session.channel().socket().received();
}

Json reset_mid_frame(Visit& visit, const Options& options) {
  const std::size_t first = options.number("first", 0, kMostRounds);
  const std::size_t last = options.number("last", 1000, kMostRounds);
  const std::size_t step = std::max<std::size_t>(1, options.number("step", 1, kMostRounds));
  std::size_t rounds = 0, largest = 0;
  for (std::size_t offset = first; offset < last; offset += step, ++rounds) {
    largest = std::max(largest, break_off_at(visit, offset));
  }
  return {{"rounds", rounds}, {"largest", largest}};
}

// The visits of the soak; each leaves a socket to be held for a while, or none.
using Waste = std::unique_ptr<Channel> (*)(Visit& visit);

Bytes garbage(Visit& visit, std::size_t size) {
  Bytes out(size);
  visit.random().fill(out);
  return out;
}

std::unique_ptr<Channel> plain(Visit& visit) {
  auto socket = visit.dial();
  return socket ? std::make_unique<PlainChannel>(*std::move(socket)) : nullptr;
}

std::unique_ptr<Channel> plain_with(Visit& visit, BytesView bytes) {
  auto channel = plain(visit);
  if (channel != nullptr) channel->send(bytes, in(kPatience));
  return channel;
}

std::unique_ptr<Channel> stop_after_first_noise_message(Visit& visit) {
  Bytes sent = proposal(p2p::kNoiseId);
  append(sent, Bytes{0, 32});
  append(sent, garbage(visit, 32));
  return plain_with(visit, sent);
}

std::unique_ptr<Channel> stop_before_last_noise_message(Visit& visit) {
  auto channel = stop_after_first_noise_message(visit);
  if (channel != nullptr) (void)channel->receive(in(std::chrono::milliseconds(50)), 4096);
  return channel;
}

std::unique_ptr<Channel> garbage_inside(Visit& visit) {
  auto channel = visit.secure(fresh_identity(visit.random()));
  if (channel != nullptr) channel->send(garbage(visit, kGarbage), in(kPatience));
  return channel;
}

constexpr Waste kWastes[] = {
    plain,
    [](Visit& visit) { return plain_with(visit, garbage(visit, kGarbage)); },
    [](Visit& visit) { return plain_with(visit, p2p::encode_multistream(p2p::kMultistreamId)); },
    [](Visit& visit) {
      Bytes sent = proposal(visit.security_id());
      append(sent, garbage(visit, kGarbage));
      return plain_with(visit, sent);
    },
    stop_after_first_noise_message,
    stop_before_last_noise_message,
    garbage_inside,
    [](Visit& visit) { return visit.secure(fresh_identity(visit.random())); },
};

Json soak(Visit& visit, const Options& options) {
  const TimePoint until = in(options.seconds(5));
  std::deque<std::unique_ptr<Channel>> held;
  std::size_t visits = 0, refused = 0;
  while (now() < until) {
    auto channel = kWastes[visits++ % std::size(kWastes)](visit);
    if (channel == nullptr) {
      ++refused;
      continue;
    }
    held.push_back(std::move(channel));
    if (held.size() > kHeld) held.pop_front();
  }
  return {{"visits", visits}, {"refused", refused}};
}

constexpr Attack kAttacks[] = {
    {"sybil", "--connections N --streams N --seconds N", sybil},
    {"one-peer", "--connections N", one_peer},
    {"rsa-key", "--case FAULT --place handshake|identify|envelope --count N", rsa_key},
    {"reset-mid-frame", "--first N --last N --step N", reset_mid_frame},
    {"soak", "--seconds N", soak},
};

}  // namespace

std::span<const Attack> connection_attacks() { return kAttacks; }

}  // namespace oc::hostile
