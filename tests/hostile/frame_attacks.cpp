// Section 1.3: single yamux frames that break the rules, or come near it.
#include <stdexcept>

#include "attack.hpp"
#include "identify.hpp"
#include "p2p/protocols/ping/ping.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

constexpr std::uint32_t kEverything = 0xffff'ffff;
constexpr std::size_t kFarTooMuch = 4 * 1024 * 1024;
// A node that does not like a frame says so within this time.
constexpr Duration kVerdict = std::chrono::seconds(2);

// Sends, and reports what the node made of it.
Json send_and_see(Visit& visit, BytesView frames) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  session->mark();
  session->send(frames);
  (void)session->wait_cut(kVerdict);
  return report_of(session.get());
}

Json big_syn(Visit& visit, const Options&) {
  return send_and_see(visit, data_frame(kSyn, 1, Bytes(kWindow + 1)));
}

// A window's worth of bytes in one frame, and one more.
Json exact_window(Visit& visit, const Options& options) {
  Bytes frames = data_frame(kSyn, 1, Bytes(kWindow));
  if (options.text("case") == "over") append(frames, data_frame(0, 1, Bytes(1)));
  return send_and_see(visit, frames);
}

Json odd_header(Visit& visit, const Options& options) {
  const std::string name = options.text("case");
  Bytes header = frame(FrameType::data, kSyn, 1, 0);
  if (name == "version-1") {
    header[0] = 1;
  } else if (name == "type-4") {
    header[1] = 4;
  } else if (name == "even-id") {
    header = frame(FrameType::data, kSyn, 2, 0);
  } else if (name == "id-zero") {
    header = frame(FrameType::data, kSyn, 0, 0);
  } else if (name == "second-syn") {
    append(header, header);
  } else {
    throw std::invalid_argument("no such header: " + name);
  }
  return send_and_see(visit, header);
}

// A stream that is in use, and credit for it until it overflows.
Json credit_overflow(Visit& visit, const Options&) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  const Bytes payload(p2p::kPingSize, 0x17);
  const std::size_t opening = proposal(p2p::kPingId).size();
  const std::uint32_t stream = session->open(p2p::kPingId, payload);
  const bool before = session->wait_data(stream, opening + payload.size());
  for (int i = 0; i < 2; ++i) {
    session->send(frame(FrameType::window_update, 0, stream, kEverything));
  }
  session->send(data_frame(0, stream, payload));
  const bool after = session->wait_data(stream, opening + 2 * payload.size(), kVerdict);
  Json out = report_of(session.get());
  out["echo_before"] = before;
  out["echo_after"] = after;
  return out;
}

// Data for a stream that is not there, with a length that nobody has.
Json dead_stream_data(Visit& visit, const Options& options) {
  const std::string name = options.text("case");
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  std::uint32_t stream = 4001;
  if (name == "reset") {
    stream = session->open(p2p::kPingId);
    session->send(frame(FrameType::window_update, kRst, stream, 0));
  } else if (name == "finished") {
    stream = session->open(p2p::kPingId, {}, kFin);
    session->watch(kVerdict, [&] { return session->seen().finished.contains(stream); });
  } else if (name == "of-the-node") {
    stream = 4002;
  } else if (name != "never-opened") {
    throw std::invalid_argument("no such stream: " + name);
  }
  session->mark();
  session->send(frame(FrameType::data, 0, stream, kEverything));
  const Bytes body(64 * 1024);
  std::size_t sent = 0;
  while (sent < kFarTooMuch && session->send(body, std::chrono::milliseconds(200))) {
    sent += body.size();
  }
  (void)session->wait_cut(kVerdict);
  Json out = report_of(session.get());
  out["sent"] = sent;
  return out;
}

// A stream with its end, and a writer of ours that comes too late, before and after the node ended
// it too.
Json late_data(Visit& visit, const Options&) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  const Bytes late(p2p::kPingSize, 0x17);
  const std::uint32_t stream = session->open(p2p::kPingId, late, kFin);
  session->send(data_frame(0, stream, late));
  const auto ended = [&] { return session->seen().finished.contains(stream); };
  const bool finished = session->watch(kVerdict, ended);
  session->mark();
  session->send(data_frame(0, stream, late));
  Json out = report_of(session.get());
  out["finished"] = finished;
  return out;
}

// Acknowledgements twice over, and for streams that nobody opened.
Json stray_acks(Visit& visit, const Options&) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  session->watch(kVerdict, [&] { return !session->seen().opened.empty(); });
  Bytes acks;
  for (const std::uint32_t stream : session->seen().opened) {
    for (int i = 0; i < 2; ++i) append(acks, frame(FrameType::window_update, kAck, stream, 0));
  }
  for (const std::uint32_t stream : {1u, 77u, 4000u, 4001u}) {
    append(acks, frame(FrameType::window_update, kAck, stream, 0));
  }
  const auto asked = session->seen().opened.size();
  session->send(acks);
  Json out = report_of(session.get());
  out["asked"] = asked;
  return out;
}

constexpr Attack kAttacks[] = {
    {"big-syn", "", big_syn},
    {"exact-window", "--case full|over", exact_window},
    {"odd-header", "--case version-1|type-4|even-id|id-zero|second-syn", odd_header},
    {"credit-overflow", "", credit_overflow},
    {"dead-stream-data", "--case never-opened|of-the-node|reset|finished", dead_stream_data},
    {"late-data", "", late_data},
    {"stray-acks", "", stray_acks},
};

}  // namespace

std::span<const Attack> frame_attacks() { return kAttacks; }

}  // namespace oc::hostile
