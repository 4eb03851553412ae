// A peer that speaks correct Noise, TLS and yamux, and then does what no decent peer does.
//
//   hostile-peer ATTACK ADDRESS [--security noise|tls] [--from FIRST+COUNT] [--name value]...
//
// ADDRESS is the node's, as a multiaddr. Prints one line of JSON: what it did, and what it saw the
// node do. Every attack ends by itself, in bounded time. README.md lists what each is for.
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "attack.hpp"
#include "net/tcp.hpp"
#include "p2p/protocols/ping/ping.hpp"

namespace oc::hostile {

bool serves(Session& session) {
  const Bytes payload(p2p::kPingSize, 0x42);
  const std::uint32_t stream = session.open(p2p::kPingId, payload, kFin);
  return session.wait_data(stream, proposal(p2p::kPingId).size() + payload.size());
}

Json report_of(Session* session) {
  if (session == nullptr) return {{"refused", true}, {"cut", true}, {"served", false}};
  const bool served = session->alive() && serves(*session);
  Json out = session->report();
  out["refused"] = false;
  out["served"] = served;
  return out;
}

namespace {

// Past the longest time that an attack may be told to take.
constexpr unsigned kSecondsOfGrace = 120;
constexpr std::size_t kSoakSeconds = 3600;

const std::array kSections{&connection_attacks, &record_attacks,   &negotiation_attacks,
                           &handshake_attacks,  &tls_attacks,      &frame_attacks,
                           &flood_attacks,      &reflector_attacks};

const Attack* find(const std::string& name) {
  for (const auto section : kSections) {
    for (const Attack& attack : section()) {
      if (attack.name == name) return &attack;
    }
  }
  return nullptr;
}

int usage() {
  std::fputs("usage: hostile-peer ATTACK ADDRESS [--security noise|tls] [--from FIRST+COUNT] …\n",
             stderr);
  for (const auto section : kSections) {
    for (const Attack& attack : section()) {
      std::fprintf(stderr, "  %s %s\n", attack.name, attack.options);
    }
  }
  return 2;
}

int run(const std::vector<std::string>& words) {
  const Attack* attack = words.size() < 2 ? nullptr : find(words[0]);
  if (attack == nullptr) return usage();
  const Options options({words.begin() + 2, words.end()});
  std::signal(SIGPIPE, SIG_IGN);
  ::alarm(static_cast<unsigned>(options.number("seconds", 0, kSoakSeconds)) + kSecondsOfGrace);
  const auto address = codec::Multiaddr::parse(words[1]);
  const auto node =
      address ? net::to_tcp_address(*address) : Result<net::TcpAddress>(Errc::malformed);
  if (!node) throw std::invalid_argument("no TCP multiaddr: " + words[1]);
  const bool tls = options.text("security", "noise") == "tls";
  Visit visit(*node, tls ? Security::tls : Security::noise, options.sources());
  std::printf("%s\n", attack->run(visit, options).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace oc::hostile

int main(int argc, char** argv) {
  try {
    return oc::hostile::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hostile-peer: %s\n", error.what());
    return 1;
  }
}
