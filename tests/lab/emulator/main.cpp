// A link between two TAP devices that it is given as open file descriptors.
//
//   link-emulator FIRST SECOND [--delay-ns N] [--jitter-ns N] [--loss SHARE]
//                              [--rate BITS_PER_SECOND] [--queue BYTES] [--mtu BYTES] [--seed N]
//
// Both directions are alike, each with dice of its own. Reads commands of one byte from its
// standard input, and answers each with the same byte once it is done: "-" cuts the link, which
// loses all that is on the way and all that comes; "+" restores it. Ends when its standard input
// does, so that no link outlives the test that made it.
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <thread>

#include "direction.hpp"

namespace oc::lab {
namespace {

void carry(int source, int sink, const Line& line, const std::atomic<bool>& cut) {
  // Linux rounds sleeps up by 50 µs otherwise.
  ::prctl(PR_SET_TIMERSLACK, 1);
  try {
    Direction(source, sink, line, cut).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "link-emulator: %s\n", error.what());
    std::_Exit(1);
  }
}

void obey(std::atomic<bool>& cut) {
  char command = 0;
  while (::read(STDIN_FILENO, &command, 1) > 0) {
    cut = command == '-';
    if (::write(STDOUT_FILENO, &command, 1) != 1) return;
  }
}

int run(int argc, char** argv) {
  CLI::App app("A link with delay, loss and a rate between two TAP devices.");
  int first = 0, second = 0;
  std::int64_t delay = 0, jitter = 0;
  Line line;
  app.add_option("first", first, "a TAP device, as an open file descriptor")->required();
  app.add_option("second", second, "the other one")->required();
  app.add_option("--delay-ns", delay)->check(CLI::NonNegativeNumber);
  app.add_option("--jitter-ns", jitter)->check(CLI::NonNegativeNumber);
  app.add_option("--loss", line.loss)->check(CLI::Range(0.0, 1.0));
  app.add_option("--rate", line.bits_per_second)->check(CLI::NonNegativeNumber);
  app.add_option("--queue", line.queue_bytes);
  app.add_option("--mtu", line.mtu);
  app.add_option("--seed", line.seed);
  CLI11_PARSE(app, argc, argv);
  line.delay = std::chrono::nanoseconds(delay);
  line.jitter = std::chrono::nanoseconds(jitter);

  std::atomic<bool> cut = false;
  std::thread(carry, first, second, line, std::cref(cut)).detach();
  ++line.seed;
  std::thread(carry, second, first, line, std::cref(cut)).detach();
  obey(cut);
  // The two know no end; what they hold is lost, as on a cable that is cut.
  std::_Exit(0);
}

}  // namespace
}  // namespace oc::lab

int main(int argc, char** argv) { return oc::lab::run(argc, argv); }
