// Router: the API's routes, each with what it needs of its caller and what it takes and gives.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.hpp"
#include "base/async.hpp"

namespace oc::api {

// The call outlives the coroutine.
using Handler = std::function<awaitable<Outcome<net::HttpResponse>>(Call&)>;

struct Route {
  std::string method;  // "GET" also answers HEAD
  std::string path;    // "/api/v1/things/{id}": a {name} stands for one segment
  Role role = Role::admin;
  std::string summary;
  Fields query;  // beside page and limit of a paged list
  Fields body;
  std::string answer;  // the name of the answer's schema (openapi.hpp); "" when it is not JSON
  bool paged = false;  // the answer is a page of such rows
  Handler handler;

  bool changes_state() const { return method != "GET"; }
};

class Router {
 public:
  // Asserts that no other route has the same method and path.
  void add(Route route);
  const std::vector<Route>& routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;                   // null: there is none
    std::map<std::string, std::string> parameters;  // percent-decoded
    std::string allow;  // of a known path with another method: what it has
  };
  // `path` without query. The first route that fits, in order of add().
  Match match(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

// Percent-decoding; a malformed escape, or a result that is not printable UTF-8, gives nothing.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);
// The fields of "a=b&c=d"; nothing when one of them cannot be decoded.
std::optional<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace oc::api
