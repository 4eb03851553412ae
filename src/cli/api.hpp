// The node's API (docs/api.md), as the client calls it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/fault.hpp"
#include "cli/server_address.hpp"
#include "cli/surroundings.hpp"
#include "net/http.hpp"

namespace oc::cli {

// A request must have ended by then, connecting included.
inline constexpr std::chrono::seconds kRequestTime{30};
// Rows of a list are fetched in pages of this many, and no more than so many of them.
inline constexpr unsigned kPageSize = 1000;
inline constexpr unsigned kMaxPages = 100;
inline constexpr std::size_t kMaxAnswer = 16 * 1024 * 1024;

// Whose API is called, and as whom. Session ids may be empty.
struct Target {
  ServerAddress server;
  std::string session_id;
  std::string node;  // a member behind the server, by id, prefix or name; "" = the server
  std::string node_session_id;  // a session of that member
};

// Calls block until the answer is there; each uses a connection of its own. Faults are the node's
// own (as it worded them), FaultCode::api_unreachable, or ::unexpected_answer.
class Api {
 public:
  Api(const Connect& connect, Target target) : connect_(connect), target_(std::move(target)) {}

  // The JSON object of a successful answer. `path` is below /api/v1/: "federation/identity".
  Outcome<nlohmann::json> get(const std::string& path);
  Outcome<nlohmann::json> post(const std::string& path, const nlohmann::json& body);
  Outcome<nlohmann::json> call(const std::string& method, const std::string& path);

  // The rows of a list, page by page, at most `limit` of them (0 = all), as a JSON array.
  Outcome<nlohmann::json> list(const std::string& path, std::size_t limit = 0);

  // An answer as it came, whatever its status. `target` starts with '/'; a body is sent as JSON.
  Outcome<net::HttpResponse> exchange(const std::string& method, const std::string& target,
                                      const std::optional<std::string>& body);

  const Target& target() const { return target_; }
  // From now on, calls carry this session of the one called.
  void use_session(std::string id);

 private:
  Outcome<net::HttpResponse> send(net::HttpRequest request);
  Outcome<net::HttpResponse> send_through(const std::string& method, const std::string& target,
                                          const std::optional<std::string>& body);

  const Connect& connect_;
  Target target_;
};

// The fault that an answer with an error status tells of.
Fault fault_of(const net::HttpResponse& response, const Target& target);

// A path segment or query value, percent-encoded (RFC 3986): only unreserved characters stay.
std::string percent_encoded(const std::string& text);

}  // namespace oc::cli
