// A peer built on this repository's libp2p, to hold other implementations against. Its command
// line, the protocols it serves and its cases are those of ../README.md. Its own keys are Ed25519
// only: asked for another kind it says so and exits with 3.
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/log.hpp"
#include "cases.hpp"
#include "command.hpp"
#include "p2p/upgrade/tls.hpp"
#include "relaying.hpp"
#include "service.hpp"

namespace oc::interop {
namespace {

constexpr Duration kCaseLimit = std::chrono::seconds(60);
constexpr int kFailed = 1;
constexpr int kNoSuchKey = 3;

int fail(const std::string& what) {
  fmt::print(stderr, "interop-peer: {}\n", what);
  return kFailed;
}

void print(const Json& object) {
  // What a peer says of itself need not be UTF-8.
  fmt::print("{}\n", object.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::fflush(stdout);
}

std::vector<std::string> security_ids(const std::string& choice) {
  if (choice == "noise") return {p2p::kNoiseId};
  if (choice == "tls") return {p2p::kTlsId};
  return {p2p::kTlsId, p2p::kNoiseId};
}

awaitable<void> end_of_input() {
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
  FixedBytes<256> ignored;
  for (;;) {
    auto [error, count] =
        co_await input.async_read_some(asio::buffer(ignored), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
  }
}

Json whereabouts(const Peer& peer, std::vector<std::string> addresses) {
  Json out;
  out["id"] = peer.swarm().self().to_string();
  out["addresses"] = std::move(addresses);
  return out;
}

awaitable<int> listen(Surroundings& around, std::string ip) {
  std::vector<std::unique_ptr<Peer>> peers;
  Peer& peer = *peers.emplace_back(std::make_unique<Peer>(around));
  const Service service(peer);
  if (auto listening = peer.listen(ip); !listening) co_return fail(listening.error().what);
  print(whereabouts(peer, peer.addresses()));
  co_await end_of_input();
  co_await close_all(peers);
  co_return 0;
}

// Prints where it is to be had, and each reservation.
awaitable<int> listen_through(Surroundings& around, Command command) {
  std::vector<std::unique_ptr<Peer>> peers;
  Peer& peer = *peers.emplace_back(std::make_unique<Peer>(around));
  const Service service(peer);
  if (auto listening = peer.listen(command.ip); !listening) co_return fail(listening.error().what);
  Reserved reserved(peer, around.clock);
  auto first = co_await reserved.start(command.relay);
  if (first) {
    Json out = whereabouts(peer, reserved.addresses());
    out["reservation"] = *std::move(first);
    print(out);
    reserved.on_renewal([](Json reservation) {
      Json renewed;
      renewed["reservation"] = std::move(reservation);
      print(renewed);
    });
    co_await end_of_input();
  }
  co_await reserved.close();
  co_await close_all(peers);
  co_return first ? 0 : fail(first.error().what);
}

awaitable<int> relay(Surroundings& around, Command command) {
  auto options = relay_options(command.options);
  if (!options) co_return fail(options.error().what);
  std::vector<std::unique_ptr<Peer>> peers;
  Peer& peer = *peers.emplace_back(std::make_unique<Peer>(around, *options));
  if (auto listening = peer.listen(command.ip); !listening) co_return fail(listening.error().what);
  if (!options->serve_strangers) trust_everybody(peer);
  peer.host().relay_service().serve(true);
  print(whereabouts(peer, peer.addresses()));
  co_await end_of_input();
  co_await close_all(peers);
  co_return 0;
}

// Waits until standard input ends; the connections must still be there then.
awaitable<Verdict<void>> hold(Dialer& dialer) {
  co_await end_of_input();
  for (const auto& peer : dialer.peers()) {
    if (peer->swarm().connection_to(dialer.target()) == nullptr)
      co_return Failure{"the connection of " + peer->swarm().self().to_string() + " was lost"};
  }
  co_return Verdict<void>();
}

awaitable<Verdict<void>> run(const Case& chosen, Dialer& dialer) {
  const TimerId limit = dialer.clock().call_after(kCaseLimit, [] {
    (void)fail("the case was not done within 60 s");
    std::_Exit(kFailed);
  });
  auto result = co_await chosen.run(dialer);
  dialer.clock().cancel(limit);
  if (!result) co_return result.error();
  print(*result);
  if (chosen.holds) CO_CHECK(co_await hold(dialer));
  co_return Verdict<void>();
}

awaitable<int> dial(Surroundings& around, Command command) {
  const auto chosen = all_cases().find(command.case_name);
  if (chosen == all_cases().end()) co_return fail("no case " + command.case_name);
  for (const auto& [name, amount] : chosen->second.options) command.options.emplace(name, amount);
  if (command.options.size() != chosen->second.options.size())
    co_return fail(command.case_name + " has no such option");
  auto dialer = Dialer::to(command.address, around);
  if (!dialer) co_return fail(dialer.error().what);
  dialer->set_options(std::move(command.options));
  const auto done = co_await run(chosen->second, *dialer);
  dialer->held_streams().clear();
  co_await close_all(dialer->peers());
  co_return done ? 0 : fail(done.error().what);
}

awaitable<int> follow(Surroundings& around, Command command) {
  switch (command.action) {
    case Action::dial: return dial(around, std::move(command));
    case Action::relay: return relay(around, std::move(command));
    case Action::listen: break;
  }
  if (command.relay.empty()) return listen(around, std::move(command.ip));
  return listen_through(around, std::move(command));
}

// `hold` takes a descriptor for each connection.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

int main_of(const std::vector<std::string>& words) {
  auto command = parse_command(words);
  if (!command) return fail(command.error().what);
  if (command->key != "ed25519") {
    (void)fail("this library's own keys are Ed25519 only: there is no --key " + command->key);
    return kNoSuchKey;
  }
  log::configure(log::Level::warn, log::Format::text);
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  SystemRandom random;
  asio::io_context io(1);
  SystemClock clock(io.get_executor());
  Surroundings around{io.get_executor(), clock, random, security_ids(command->security)};
  int status = kFailed;
  std::exception_ptr failure;
  asio::co_spawn(io, follow(around, *std::move(command)),
                 [&](std::exception_ptr error, int result) {
                   failure = error;
                   status = result;
                 });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return status;
}

}  // namespace
}  // namespace oc::interop

int main(int count, char** words) { return oc::interop::main_of({words + 1, words + count}); }
