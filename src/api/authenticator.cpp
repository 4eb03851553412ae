#include "api/authenticator.hpp"

#include <algorithm>
#include <new>

#include "crypto/password_hash.hpp"
#include "crypto/sha.hpp"

namespace oc::api {
namespace {

constexpr std::string_view kCookie = "session_id=";

struct Verdict {
  bool root = false;
  bool network = false;
  bool out_of_memory = false;
};

// One more check under way, for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

std::string_view cookie_token(std::string_view cookies) {
  while (!cookies.empty()) {
    const auto end = cookies.find(';');
    std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(end == std::string_view::npos ? cookies.size() : end + 1);
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    if (cookie.starts_with(kCookie)) return cookie.substr(kCookie.size());
  }
  return {};
}

}  // namespace

PasswordChecks real_password_checks() {
  return {crypto::verify_password, crypto::derive_network_secret};
}

bool is_token_form(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string token_of(const net::HttpHeaders& headers) {
  std::string_view token;
  const auto bearer = net::find_header(headers, "authorization");
  if (bearer && bearer->size() > 7 && net::equal_ignoring_case(bearer->substr(0, 7), "bearer ")) {
    token = bearer->substr(7);
  } else if (const auto cookies = net::find_header(headers, "cookie")) {
    token = cookie_token(*cookies);
  }
  return is_token_form(token) ? std::string(token) : std::string();
}

// What the store knows of a name.
struct Authenticator::Candidates {
  std::optional<store::RootUserRow> root;
  std::optional<store::NetworkRow> network;
};

Authenticator::Authenticator(store::Store& store, Clock& clock, Random& random, WorkerPool& workers,
                             PasswordChecks checks)
    : store_(store),
      clock_(clock),
      random_(random),
      workers_(workers),
      checks_(std::move(checks)) {}

awaitable<Outcome<Authenticator::Candidates>> Authenticator::candidates(std::string name) {
  Candidates known;
  auto root = co_await store_.users.root();
  if (!root) co_return root.error();
  auto network = co_await store_.networks.get(std::move(name));
  if (!network) co_return network.error();
  known.root = *std::move(root);
  known.network = *std::move(network);
  co_return known;
}

// Always one check against the root user's hash and one derivation, so that neither what is known
// nor what is right shows in the time it takes.
awaitable<Outcome<Role>> Authenticator::check(Call& call, std::string name, std::string password) {
  if (checking_ >= kMaxChecks) {
    call.retry_after = std::chrono::seconds(1);
    co_return Fault(FaultCode::too_many_logins, "too many logins are under way");
  }
  const Counted counted(checking_);
  auto known = co_await candidates(name);
  if (!known) co_return known.error();
  const bool is_root = known->root && known->root->name == name;
  const bool is_network = known->network.has_value();
  auto job = [checks = checks_, name, password = std::move(password), known = *std::move(known)] {
    Verdict verdict;
    try {
      if (known.root) verdict.root = checks.verify(password, known.root->password_hash);
      const FixedBytes<32> derived = checks.derive(password, name);
      const crypto::Secret<32> secret =
          known.network ? known.network->secret : crypto::Secret<32>();
      verdict.network = crypto::constant_time_equal(derived, secret.view());
    } catch (const std::bad_alloc&) {
      verdict.out_of_memory = true;
    }
    return verdict;
  };
  auto verdict = co_await workers_.run(job);
  if (!verdict || verdict->out_of_memory)
    co_return Fault(FaultCode::internal, "the password could not be checked");
  if (is_root && verdict->root) co_return Role::admin;
  if (is_network && verdict->network) co_return Role::reader;
  co_return Fault(FaultCode::wrong_credentials, "the user name or the password is wrong");
}

awaitable<Outcome<Login>> Authenticator::login(Call& call, std::string name, std::string password) {
  const std::string address = call.caller.address();
  if (const auto wait = limiter_.begin(address, name, clock_.now())) {
    call.retry_after = *wait;
    call.audited = false;  // or a flood of attempts would push everything else out of the log
    co_return Fault(FaultCode::too_many_logins, "too many failed logins from " + address);
  }
  auto role = co_await check(call, name, std::move(password));
  if (!role) co_return role.error();
  limiter_.succeeded(address, name);

  Login login;
  FixedBytes<32> token;
  random_.fill(token);
  login.token = to_hex(token);
  login.session.token_hash = crypto::sha256({as_bytes(login.token)});
  login.session.role = to_string(*role);
  login.session.user = std::move(name);
  login.session.created = clock_.wall_now();
  login.session.expires = login.session.created + kSessionLife;
  login.session.address = address;
  auto opened = co_await store_.sessions.open(login.session);
  if (!opened) co_return opened.error();
  co_return login;
}

awaitable<Outcome<std::optional<store::SessionRow>>> Authenticator::find(std::string token) {
  const FixedBytes<32> hash = crypto::sha256({as_bytes(token)});
  co_return co_await store_.sessions.find(hash, clock_.wall_now());
}

}  // namespace oc::api
