#include "crew.hpp"

#include <algorithm>
#include <optional>

namespace oc::interop {
namespace {

struct Crew {
  std::size_t count = 0;
  std::function<awaitable<Verdict<void>>(std::size_t)> job;
  std::size_t next = 0;
  std::size_t working = 0;
  std::optional<Failure> failure;
  Event ended;  // the last of them, or one with a failure
};

awaitable<void> work(Crew& crew) {
  while (crew.next < crew.count && !crew.failure) {
    auto done = co_await crew.job(crew.next++);
    if (!done && !crew.failure) crew.failure = done.error();
  }
  if (--crew.working == 0 || crew.failure) crew.ended.set();
}

}  // namespace

awaitable<Verdict<void>> run_all(std::size_t count, std::size_t at_once,
                                 std::function<awaitable<Verdict<void>>(std::size_t)> job) {
  if (count == 0) co_return Verdict<void>();
  Crew crew;
  crew.count = count;
  crew.job = std::move(job);
  crew.working = std::min(count, at_once);
  TaskScope tasks(co_await asio::this_coro::executor);
  // A caller that was cancelled still has to see them end.
  co_await asio::this_coro::throw_if_cancelled(false);
  for (std::size_t i = crew.working; i != 0; --i) tasks.spawn("job", work(crew));
  auto ended = co_await crew.ended.wait();
  co_await tasks.close();
  if (crew.failure) co_return *crew.failure;
  co_return explain("waiting", ended);
}

}  // namespace oc::interop
