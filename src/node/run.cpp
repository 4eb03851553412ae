#include "node/run.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>

#include "node/node.hpp"
#include "node/version.hpp"

namespace oc::node {
namespace {

// Threads for password hashing and host figures, and jobs that may wait for them.
constexpr std::size_t kWorkers = 2;
constexpr std::size_t kWorkerQueue = 64;

// Each tunnel takes a descriptor: use all that the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int fail(const Fault& fault) {
  fmt::print(stderr, "open-chat: {}\n", fault.to_string());
  return 1;
}

void introduce(const Node& node, const std::string& user,
               const std::optional<std::string>& password) {
  const auto identity = node.identity();
  fmt::print("Open-Chat {}, node {} ({})\n", kVersion, identity.name, identity.peer_id);
  fmt::print("API:        http://{}\n", net::to_text(node.api_address()));
  fmt::print("Admin:      {}\n", user);
  if (password) fmt::print("Password:   {}   (generated; shown only this once)\n", *password);
  std::string networks;
  for (const std::string& name : identity.networks)
    networks += (networks.empty() ? "" : ", ") + name;
  fmt::print("Networks:   {}\n",
             networks.empty() ? "none (give --default-network-credentials)" : networks);
  for (const std::string& address : identity.addresses) fmt::print("Address:    {}\n", address);
  fmt::print("Bootstrap:  {}\n", identity.bootstrap_string);
  std::fflush(stdout);
}

// Everything that lives as long as the process's work.
struct Program {
  NodeConfig config;
  asio::io_context& io;
  SystemClock& clock;
  SystemRandom& random;
  store::Store& store;
  store::StartState state;
  WorkerPool& workers;
};

awaitable<int> live(Program& program) {
  auto executor = co_await asio::this_coro::executor;
  asio::signal_set signals(executor, SIGINT, SIGTERM);
  auto plan = co_await make_plan(std::move(program.config), program.store, std::move(program.state),
                                 program.workers, program.random, program.clock.wall_now());
  if (!plan) co_return fail(plan.error());
  const std::string user = plan->root_user;
  const auto password = plan->generated_password;
  Node node(executor, program.clock, program.random, program.store, program.workers,
            *std::move(plan));
  auto started = co_await node.start();
  if (!started) {
    // The password is in the store already, and nothing would ever show it again.
    if (password)
      fmt::print("Admin: {}   password: {}   (generated; shown only this once)\n", user, *password);
    std::fflush(stdout);
    co_await node.close();
    co_return fail(started.error());
  }
  introduce(node, user, password);
  log::info("ready");
  auto [error, signal] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  (void)error;
  log::info("ending on signal {}", signal);
  // Whatever hangs, the process ends in time; the store is safe at any moment.
  const TimerId limit = program.clock.call_after(std::chrono::seconds(kShutdownSeconds), [] {
    log::error("some task did not end in time");
    std::_Exit(1);
  });
  co_await node.close();
  program.clock.cancel(limit);
  co_return 0;
}

}  // namespace

int run_node(NodeConfig config) {
  log::configure(config.log_level, config.log_format);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  SystemRandom random;
  // The store's and the workers' threads post to the loop, so it outlives them.
  asio::io_context io(1);
  auto database = store::Database::open(config.db_path, std::chrono::system_clock::now());
  if (!database) return fail(database.error());
  store::Store store(*std::move(database));
  auto state = store.load();
  if (!state) return fail(state.error());

  WorkerPool workers(kWorkers, kWorkerQueue);
  SystemClock clock(io.get_executor());
  Program program{std::move(config), io, clock, random, store, *std::move(state), workers};
  int status = 1;
  std::exception_ptr failure;
  asio::co_spawn(io, live(program), [&](std::exception_ptr error, int result) {
    failure = error;
    status = result;
  });
  io.run();
  workers.close();
  if (failure) std::rethrow_exception(failure);
  return status;
}

}  // namespace oc::node
