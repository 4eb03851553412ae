#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cli/terminal.hpp"

namespace oc::cli {
namespace {

constexpr std::array kCaught = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

volatile sig_atomic_t caught_signal = 0;
void note_signal(int number) { caught_signal = number; }

// While it lives, signals interrupt a read instead of ending the process; its end acts on them.
class DeferredSignals {
 public:
  DeferredSignals() {
    caught_signal = 0;
    struct sigaction action{};
    action.sa_handler = note_signal;
    for (std::size_t i = 0; i < kCaught.size(); ++i) ::sigaction(kCaught[i], &action, &before_[i]);
  }
  DeferredSignals(const DeferredSignals&) = delete;
  DeferredSignals& operator=(const DeferredSignals&) = delete;
  ~DeferredSignals() {
    for (std::size_t i = 0; i < kCaught.size(); ++i) ::sigaction(kCaught[i], &before_[i], nullptr);
    if (caught_signal != 0) ::raise(caught_signal);
  }

 private:
  std::array<struct sigaction, kCaught.size()> before_{};
};

class Terminal {
 public:
  explicit Terminal(bool echo) : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {
    // A session without a controlling terminal may still have one as its standard input.
    if (fd_ < 0 && ::isatty(STDIN_FILENO) == 1) fd_ = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd_ < 0 || echo || ::tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (changed_) {
      write("\n");
      ::tcsetattr(fd_, TCSAFLUSH, &before_);
    }
    if (fd_ >= 0) ::close(fd_);
  }

  bool is_open() const { return fd_ >= 0; }
  void write(const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(fd_, text.data() + done, text.size() - done);
      if (n <= 0) return;
      done += static_cast<std::size_t>(n);
    }
  }
  std::optional<std::string> read_line() {
    std::string line;
    for (char c = 0;;) {
      const ssize_t n = ::read(fd_, &c, 1);
      if (n < 0 && errno == EINTR && caught_signal == 0) continue;
      if (n <= 0) return std::nullopt;
      if (c == '\n') return line;
      line += c;
    }
  }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace

std::optional<std::string> ask_on_terminal(const std::string& prompt, bool echo) {
  const DeferredSignals signals;
  Terminal terminal(echo);
  if (!terminal.is_open()) return std::nullopt;
  terminal.write(prompt);
  return terminal.read_line();
}

}  // namespace oc::cli
