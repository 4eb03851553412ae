#include "go_side.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace oc::differential {
namespace {

[[noreturn]] void fail(int code, const std::string& what) {
  throw std::system_error(code, std::generic_category(), what);
}

}  // namespace

GoSide::GoSide(const std::string& program) {
  std::signal(SIGPIPE, SIG_IGN);
  int down[2], up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) fail(errno, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, down[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, up[1], STDOUT_FILENO);
  char* const arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  const int failure =
      posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(down[0]);
  close(up[1]);
  to_ = down[1];
  from_ = up[0];
  if (failure != 0) fail(failure, program);
}

GoSide::~GoSide() {
  close(to_);
  close(from_);
  waitpid(process_, nullptr, 0);
}

Answer GoSide::ask(char request, BytesView payload) {
  Bytes head{static_cast<Byte>(request), 0, 0, 0, 0};
  put_be32(&head[1], static_cast<std::uint32_t>(payload.size()));
  write(head);
  write(payload);
  FixedBytes<4> size;
  read(size);
  Bytes value(get_be32(size.data()));
  read(value);
  if (value.empty()) fail(EPROTO, "an answer without a verdict");
  const auto verdict = static_cast<Answer::Verdict>(value.front());
  value.erase(value.begin());
  return {verdict, std::move(value)};
}

void GoSide::write(BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(to_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, "writing to the Go side");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void GoSide::read(MutableBytes into) {
  while (!into.empty()) {
    const ssize_t n = ::read(from_, into.data(), into.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(n == 0 ? EPIPE : errno, "reading from the Go side");
    into = into.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace oc::differential
