// Holds our codecs against go's, input by input.
//
//   differential GO_PROGRAM protocols|multiaddrs|sessions [COUNT [SEED]]
//
// Exits 1 when the two differ in what is not meant (the tables in multiaddr.cpp and sessions.cpp).
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "parts.hpp"

using namespace oc::differential;

namespace {

constexpr std::size_t kMultiaddrs = 40'000;
constexpr std::size_t kSessions = 4'000;

int run(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: differential GO_PROGRAM PART [COUNT [SEED]]\n", stderr);
    return 2;
  }
  GoSide go(argv[1]);
  const std::string_view part = argv[2];
  const std::size_t count = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  const std::uint64_t seed = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1;
  if (part == "protocols") return compare_protocols(go) ? 0 : 1;
  if (part == "multiaddrs") {
    return compare_multiaddrs(go, count != 0 ? count : kMultiaddrs, seed) ? 0 : 1;
  }
  if (part == "sessions") return compare_sessions(go, count != 0 ? count : kSessions, seed) ? 0 : 1;
  std::fputs("differential: the parts are protocols, multiaddrs and sessions\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "differential: %s\n", failure.what());
    return 2;
  }
}
