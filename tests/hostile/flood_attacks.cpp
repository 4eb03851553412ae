// Section 1.3: more of something than anybody needs.
#include <stdexcept>
#include <thread>

#include "attack.hpp"
#include "identify.hpp"
#include "membership.hpp"
#include "p2p/protocols/ping/ping.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostStreams = 1'000'000;
constexpr int kLittle = 4096;
constexpr std::size_t kBatch = 1000;
// Streams that are open at once while many are opened and closed.
constexpr std::size_t kOpenAtOnce = 64;
constexpr std::size_t kTinyTotal = 1024 * 1024;
constexpr std::size_t kTinyBatch = 16 * 1024;

// A node that answers does so within this time.
constexpr Duration kAnswerTime = std::chrono::milliseconds(100);
// Answers of identify, of half a kilobyte each, that fill the node's queue and the kernels'
// buffers, and how they are asked for: so that each is given before the next are.
constexpr std::size_t kAnswersThatBlock = 1700;
constexpr std::size_t kMostAnswers = 100'000;
constexpr std::size_t kQuestions = 10;
constexpr Duration kQuestionTime = std::chrono::milliseconds(2);

double milliseconds_since(TimePoint began) {
  return std::chrono::duration<double, std::milli>(now() - began).count();
}

// A stranger's session, or a member's when --network is given.
std::unique_ptr<Session> session_for(Visit& visit, const Options& options,
                                     const crypto::PrivateKey& key) {
  if (options.text("network").empty()) return visit.session(identity_of(key));
  return join(visit, key, network_of(options.text("network"), options.text("password")));
}

Bytes flood_frames(const std::string& name, std::uint32_t first) {
  Bytes out;
  for (std::uint32_t i = 0; i < kBatch; ++i) {
    const std::uint32_t stream = first + 2 * i;
    if (name == "ping") {
      append(out, frame(FrameType::ping, kSyn, 0, stream));
    } else if (name == "syn") {
      append(out, frame(FrameType::window_update, kSyn, stream, 0));
    } else if (name == "syn-reset") {
      append(out, frame(FrameType::window_update, kSyn, stream, 0));
      append(out, frame(FrameType::window_update, kRst, stream, 0));
    } else if (name == "colliding") {
      const std::uint32_t chosen = ((stream >> 1) << 16) | 1;
      append(out, frame(FrameType::window_update, kSyn, chosen, 0));
      append(out, frame(FrameType::window_update, kRst, chosen, 0));
    } else if (name == "window-update") {
      append(out, frame(FrameType::window_update, 0, 4001, 1));
    } else if (name == "empty-data") {
      append(out, frame(FrameType::data, i == 0 ? kSyn : 0, first, 0));
    } else {
      throw std::invalid_argument("no such flood: " + name);
    }
  }
  return out;
}

// Frames of one sort at line rate. Reads nothing, unless --read yes.
Json flood(Visit& visit, const Options& options) {
  const std::size_t most = options.number("count", kMostStreams, kMostStreams * 100);
  const bool reads = options.text("read") == "yes";
  const std::string kind = options.text("frame");
  const bool answers = kind != "window-update" && kind != "empty-data";
  if (!reads) visit.receive_little(kLittle);
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  session->mark();
  const TimePoint began = now();
  const TimePoint until = in(options.seconds(5));
  std::size_t sent = 0;
  bool taken = true;
  while (taken && sent < most && now() < until && session->alive()) {
    const auto first = static_cast<std::uint32_t>(1 + 2 * sent);
    taken = session->send(flood_frames(kind, first), until - now());
    sent += kBatch;
    // One who reads lets the node's answers catch up, as long as there are any.
    const auto answered = [&] {
      return session->seen().acks + session->seen().resets + session->seen().pongs + kBatch > sent;
    };
    if (reads) session->watch(answers ? kAnswerTime : Duration::zero(), answered);
  }
  const double flooded = milliseconds_since(began);
  (void)session->wait_cut(std::chrono::seconds(1));
  Json out = session->report();
  out["sent"] = sent;
  out["taken"] = taken;
  out["flooded_ms"] = flooded;
  return out;
}

// Asks the node for more than it can send to one who does not read: its queue and the kernels'
// buffers are full then, and what it would have to answer before it reads on stays unread. False
// when it does not let itself be brought there.
bool block(Session& session, std::size_t answers) {
  const Bytes question = proposal(kIdentify);
  for (std::size_t i = 0; i < answers; i += kQuestions) {
    Bytes frames;
    for (std::size_t n = 0; n < kQuestions; ++n) {
      append(frames, data_frame(kSyn | kFin, session.next_stream(), question));
    }
    if (!session.send(frames, std::chrono::seconds(2))) return false;
    std::this_thread::sleep_for(kQuestionTime);
  }
  return true;
}

// Lets the node write until it cannot, and never reads again. How long until it gives up.
Json stop_reading(Visit& visit, const Options& options) {
  visit.receive_little(kLittle);
  const auto key = crypto::PrivateKey::generate(visit.random());
  auto session = session_for(visit, options, key);
  if (session == nullptr) return report_of(nullptr);
  const bool taken = block(*session, options.number("answers", kAnswersThatBlock, kMostAnswers));
  const TimePoint began = now();
  const bool cut = session->channel().socket().wait_broken(in(options.seconds(45)));
  return {{"taken", taken},
          {"cut", cut},
          {"after_ms", milliseconds_since(began)},
          {"peer_id", key.peer_id().to_string()}};
}

// Streams of a protocol opened and ended one behind the other, none of the node's acknowledged.
Json open_close(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 10'000, kMostStreams);
  const auto key = crypto::PrivateKey::generate(visit.random());
  auto session = session_for(visit, options, key);
  if (session == nullptr) return report_of(nullptr);
  const auto over = [&] { return session->seen().finished.size() + session->seen().resets; };
  std::size_t opened = 0;
  for (; opened < count && session->alive(); ++opened) {
    session->open(kIdentify, {}, kFin);
    session->watch(kPatience, [&] { return over() + kOpenAtOnce > opened; });
  }
  session->watch(kPatience, [&] { return over() >= opened; });
  const std::size_t answered = session->seen().finished.size();
  Json out = report_of(session.get());
  out["opened"] = opened;
  out["answered"] = answered;
  return out;
}

// Every stream filled to its window while the node has no room to answer, and so does not read.
Json fill_windows(Visit& visit, const Options& options) {
  const std::size_t streams = options.number("streams", 1000, kMostStreams);
  visit.receive_little(kLittle);
  const auto key = crypto::PrivateKey::generate(visit.random());
  auto session = session_for(visit, options, key);
  if (session == nullptr) return report_of(nullptr);
  bool taken = block(*session, options.number("answers", kAnswersThatBlock, kMostAnswers));
  Bytes filling = proposal(p2p::kPingId);
  filling.resize(kWindow);
  std::size_t filled = 0;
  const TimePoint until = in(options.seconds(5));
  for (; taken && filled < streams && now() < until; ++filled) {
    taken =
        session->send(data_frame(kSyn, session->next_stream(), filling), std::chrono::seconds(1));
  }
  std::this_thread::sleep_until(until);
  const bool alive = session->send(frame(FrameType::ping, kAck, 0, 0), std::chrono::seconds(1));
  return {{"filled", filled}, {"taken", taken}, {"alive", alive}};
}

// A megabyte, one byte a frame, through the node's ping and back.
Json tiny_frames(Visit& visit, const Options&) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  const std::uint32_t stream = session->open(p2p::kPingId);
  const std::size_t opening = proposal(p2p::kPingId).size();
  const TimePoint began = now();
  for (std::size_t sent = 0; sent < kTinyTotal && session->alive(); sent += kTinyBatch) {
    Bytes frames;
    for (std::size_t i = 0; i < kTinyBatch; ++i) {
      append(frames, data_frame(0, stream, Bytes{static_cast<Byte>(i)}));
    }
    session->send(frames);
    session->wait_data(stream, opening + sent);
  }
  session->wait_data(stream, std::min(opening + kTinyTotal, Seen::kMostKept));
  Json out = report_of(session.get());
  out["echoed"] = session->data(stream).size();
  out["took_ms"] = milliseconds_since(began);
  return out;
}

constexpr Attack kAttacks[] = {
    {"flood",
     "--frame ping|syn|syn-reset|colliding|window-update|empty-data --count N --seconds N "
     "--read yes",
     flood},
    {"stop-reading", "--seconds N --network NAME --password WORD", stop_reading},
    {"open-close", "--count N --network NAME --password WORD", open_close},
    {"fill-windows", "--streams N --seconds N --network NAME --password WORD", fill_windows},
    {"tiny-frames", "", tiny_frames},
};

}  // namespace

std::span<const Attack> flood_attacks() { return kAttacks; }

}  // namespace oc::hostile
