// The routes, by subject. Each function adds some; what they refer to must outlive the router.
#pragma once

#include "api/authenticator.hpp"
#include "api/node_face.hpp"
#include "api/router.hpp"

namespace oc::api {

struct RouteContext {
  NodeFace& node;
  store::Store& store;
  Clock& clock;
  Authenticator& authenticator;
  const Router& router;
  bool secure_cookies;
};

// user/…: login, logout, sessions.
void add_user_routes(Router& router, const RouteContext& context);
// federation/…: identity, members, requests to them.
void add_federation_routes(Router& router, const RouteContext& context);
// federation/…: routing rules.
void add_rule_routes(Router& router, const RouteContext& context);
// Metrics, health, audit log, description, and the page at "/".
void add_node_routes(Router& router, const RouteContext& context);

}  // namespace oc::api
