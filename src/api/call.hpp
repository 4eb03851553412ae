// Call: one request on its way through the API, and who makes it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "api/schema.hpp"
#include "net/http.hpp"
#include "store/sessions.hpp"

namespace oc::api {

// What a route asks of its caller; each includes the ones before it.
enum class Role { anyone, reader, admin };

// "anyone", "reader", "admin"; anyone for another text.
std::string to_string(Role role);
Role role_of(const std::string& name);

struct Caller {
  net::RequestOrigin origin;
  Role role = Role::anyone;
  std::string name;  // the user's, or a member's peer id
  std::optional<store::SessionRow> session;

  // Where from, as shown and as logins are limited by.
  const std::string& address() const {
    return origin.through_overlay() ? origin.peer_id : origin.address;
  }
};

// Lives while its request is answered.
struct Call {
  net::HttpRequest request;
  Caller caller;
  std::map<std::string, std::string> parameters;  // of the path, decoded
  std::map<std::string, std::string> query;       // decoded; the first of each name
  Json body;                                      // checked against the route's fields

  // For the handler to set:
  std::string audit_detail;  // what the path does not say; never a secret
  bool audited = false;      // set by the route; a handler may say otherwise
  std::optional<std::chrono::seconds> retry_after{};  // goes with a fault
};

// Answers.
net::HttpResponse json_response(const Json& value, int status = 200);
net::HttpResponse error_response(const Fault& fault);
net::HttpResponse error_response(const Fault& fault, int status);
Json to_json(const Fault& fault);

// A slice of a list, from the query's page and limit.
struct Paging {
  std::size_t page = 1;
  std::size_t limit = 100;
  static constexpr std::size_t kMaxLimit = 1000;
  static constexpr std::size_t kMaxPage = 1'000'000'000;

  std::size_t skip() const { return (page - 1) * limit; }
};
Outcome<Paging> paging_of(const Call& call);
// A whole number of the query within bounds, or the default when it is not there.
Outcome<std::size_t> number_of(const Call& call, const std::string& name, std::size_t otherwise,
                               std::size_t least, std::size_t most);
net::HttpResponse page_response(const Paging& paging, std::size_t total, Json rows);
// The page of `rows` that paging asks for.
net::HttpResponse page_response(const Paging& paging, const Json& rows);

}  // namespace oc::api
