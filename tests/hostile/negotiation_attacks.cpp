// Section 1.2: multistream-select.
#include <stdexcept>

#include "attack.hpp"
#include "identify.hpp"
#include "p2p/protocols/ping/ping.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostMilliseconds = 60'000;

// What a peer may send instead of a decent message, by name.
Bytes odd_bytes(const std::string& name) {
  const auto text = [](std::string_view what) { return to_bytes(as_bytes(what)); };
  const Bytes id = p2p::encode_multistream(p2p::kMultistreamId);
  if (name == "http") {
    return text(
        "GET /a/path/that/is/long/enough/to/be/a/whole/message HTTP/1.1\r\nHost: node\r\n\r\n");
  }
  if (name == "tls-record") {
    Bytes out{0x16, 0x03, 0x01, 0x00, 0x40, 0x01, 0x00, 0x00, 0x3c, 0x03, 0x03};
    out.resize(5 + 0x40);
    return out;
  }
  if (name == "other-version") return p2p::encode_multistream("/multistream/2.0.0");
  if (name == "protocol-first") return p2p::encode_multistream("/noise");
  if (name == "zero-length") return Bytes{0x00};
  if (name == "no-newline") return text("\x01x");
  if (name == "header-without-newline") return text("\x12/multistream/1.0.0");
  if (name == "too-long") {
    Bytes out{0x81, 0x08};  // 1025
    out.resize(2 + 1024, 'x');
    out.push_back('\n');
    return out;
  }
  if (name == "2^31") return Bytes{0x80, 0x80, 0x80, 0x80, 0x08};
  if (name == "2^63") return Bytes{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
  if (name == "ten-bytes") return Bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
  if (name == "not-minimal") {
    Bytes out{static_cast<Byte>(id.front() | 0x80), 0x00};
    append(out, BytesView(id).subspan(1));
    return out;
  }
  throw std::invalid_argument("no such bytes: " + name);
}

Json end_report(End end, TimePoint began) {
  const double after = std::chrono::duration<double, std::milli>(now() - began).count();
  return {{"cut", end != End::open}, {"end", name_of(end)}, {"after_ms", after}};
}

// Odd bytes as the first of a connection, or of a stream on a decent one.
Json first_message(Visit& visit, const Options& options) {
  const Bytes bytes = odd_bytes(options.text("case"));
  if (options.text("place", "connection") == "stream") {
    auto session = visit.session();
    if (session == nullptr) return report_of(nullptr);
    const std::uint32_t stream = session->next_stream();
    session->send(data_frame(kSyn, stream, bytes));
    session->watch(options.seconds(3), [&] { return session->seen().reset.contains(stream); });
    Json out = report_of(session.get());
    out["stream_reset"] = session->seen().reset.contains(stream);
    return out;
  }
  auto socket = visit.dial();
  if (!socket) return report_of(nullptr);
  PlainChannel channel(*std::move(socket));
  const TimePoint began = now();
  channel.send(bytes, in(kPatience));
  return end_report(drain(channel, in(options.seconds(3))), began);
}

// Weaker or unknown protocols: what the node answers to each.
Json downgrade(Visit& visit, const Options&) {
  Json answers = Json::object();
  for (const char* offer : {"/plaintext/2.0.0", "/secio/1.0.0", "/plaintext/1.0.0", "/tls/0.0.1",
                            "/noise/ix", "/yamux/1.0.0", "ls", ""}) {
    auto socket = visit.dial();
    if (!socket) continue;
    PlainChannel channel(*std::move(socket));
    const auto answer = propose(channel, offer, in(kPatience));
    answers[offer] = answer ? Json(*answer) : Json();
  }
  return {{"answers", answers}};
}

// One byte of a decent opening at a time.
Json drip(Visit& visit, const Options& options) {
  const auto pause = std::chrono::milliseconds(options.number("pause-ms", 1000, kMostMilliseconds));
  const TimePoint until = in(options.seconds(30));
  Bytes opening(1024, 'x');
  opening.front() = 0xfe;
  opening[1] = 0x07;  // a message of 1022 bytes
  const TimePoint began = now();
  if (options.text("place", "connection") == "stream") {
    auto session = visit.session();
    if (session == nullptr) return report_of(nullptr);
    session->mark();
    const std::uint32_t stream = session->next_stream();
    session->send(data_frame(kSyn, stream, BytesView(proposal("x")).first(20)));
    const auto over = [&] { return session->seen().reset.contains(stream) || !session->alive(); };
    for (std::size_t i = 0; i < opening.size() && now() < until && !over(); ++i) {
      session->send(data_frame(0, stream, BytesView(opening).subspan(i, 1)));
      session->watch(pause, over);
    }
    Json out = session->report();
    out["stream_reset"] = session->seen().reset.contains(stream);
    out["after_ms"] = end_report(End::open, began)["after_ms"];
    return out;
  }
  auto socket = visit.dial();
  if (!socket) return report_of(nullptr);
  PlainChannel channel(*std::move(socket));
  End end = End::open;
  for (std::size_t i = 0; i < opening.size() && now() < until && end == End::open; ++i) {
    channel.send(BytesView(opening).subspan(i, 1), in(kPatience));
    end = drain(channel, in(pause));
  }
  return end_report(end, began);
}

// Header, proposal, data and the end of the stream in one frame, in one segment.
Json one_segment(Visit& visit, const Options&) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  const Bytes payload(p2p::kPingSize, 0x5a);
  const std::uint32_t stream = session->open(p2p::kPingId, payload, kFin);
  session->watch(kPatience, [&] { return session->seen().finished.contains(stream); });
  Bytes expected = proposal(p2p::kPingId);
  append(expected, payload);
  const bool whole = equal(session->data(stream), expected);
  const bool finished = session->seen().finished.contains(stream);
  Json out = report_of(session.get());
  out["whole"] = whole;
  out["finished"] = finished;
  return out;
}

// The node asks to identify ourselves, and hears nothing.
Json never_answer(Visit& visit, const Options& options) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  session->mark();
  session->watch(options.seconds(8), [&] { return session->seen().resets != 0; });
  return report_of(session.get());
}

constexpr Attack kAttacks[] = {
    {"first-message", "--case BYTES --place connection|stream --seconds N", first_message},
    {"downgrade", "", downgrade},
    {"drip", "--pause-ms N --place connection|stream --seconds N", drip},
    {"one-segment", "", one_segment},
    {"never-answer", "--seconds N", never_answer},
};

}  // namespace

std::span<const Attack> negotiation_attacks() { return kAttacks; }

}  // namespace oc::hostile
