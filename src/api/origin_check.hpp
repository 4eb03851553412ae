// Which Host and Origin a request may carry (OWASP: DNS rebinding, cross-site request forgery).
//
// A page on another site can make the visitor's browser send requests here. It cannot choose the
// Host: that is the name it was loaded from, even when the attacker's DNS points that name at this
// node. So names must be known. An IP literal is fine whichever it is: to have one in Host, the
// browser must have been pointed at this very address. The Origin, which the page cannot choose
// either, must be of the same authority.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.hpp"

namespace oc::api {

// `host_names`: those of the configuration, in lower case.
bool is_own_host(std::string_view host, const std::vector<std::string>& host_names);
// Host and Origin of a whole request. Without an Origin there is nothing to hold against it: no
// browser sends a cross-site request that changes state without one.
bool is_own_origin(const net::HttpHeaders& headers, const std::vector<std::string>& host_names);

}  // namespace oc::api
