// Authenticator: who somebody is: passwords at login, then the session's token.
#pragma once

#include <functional>

#include "api/call.hpp"
#include "api/login_limiter.hpp"
#include "base/random.hpp"
#include "base/worker_pool.hpp"
#include "store/store.hpp"

namespace oc::api {

// What checks passwords; both block and run on a worker thread. Tests replace them.
struct PasswordChecks {
  // Whether the password is that of the hash.
  std::function<bool(std::string_view password, std::string_view hash)> verify;
  // The secret of a network by its password and name.
  std::function<FixedBytes<32>(std::string_view password, std::string_view network)> derive;
};
// Those of crypto/password_hash.hpp.
PasswordChecks real_password_checks();

struct Login {
  std::string token;  // 64 hexadecimal digits; known to nobody else, stored only as its hash
  store::SessionRow session;
};

// Lifetime: what it refers to must outlive it, and it every call.
class Authenticator {
 public:
  static constexpr std::chrono::hours kSessionLife{7 * 24};
  // Passwords checked at the same time or waiting for it, each 64 MiB while it runs.
  static constexpr std::size_t kMaxChecks = 16;

  Authenticator(store::Store& store, Clock& clock, Random& random, WorkerPool& workers,
                PasswordChecks checks);

  // Logs in the root user (admin) or, by name and password of a network, a reader. Takes the same
  // work whether the name is known or not. Faults: wrong_credentials; too_many_logins with
  // call.retry_after set; those of the store.
  awaitable<Outcome<Login>> login(Call& call, std::string name, std::string password);

  // The session of a token that was given; nothing when there is none such (any more).
  awaitable<Outcome<std::optional<store::SessionRow>>> find(std::string token);

 private:
  struct Candidates;
  awaitable<Outcome<Role>> check(Call& call, std::string name, std::string password);
  awaitable<Outcome<Candidates>> candidates(std::string name);

  store::Store& store_;
  Clock& clock_;
  Random& random_;
  WorkerPool& workers_;
  PasswordChecks checks_;
  LoginLimiter limiter_;
  std::size_t checking_ = 0;
};

// The token that a request carries, as "Authorization: Bearer …" or as the cookie session_id: ""
// when there is none, or one that cannot be.
std::string token_of(const net::HttpHeaders& headers);
bool is_token_form(std::string_view text);

}  // namespace oc::api
