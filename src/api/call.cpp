#include "api/call.hpp"

#include <charconv>

namespace oc::api {

std::string to_string(Role role) {
  switch (role) {
    case Role::anyone: return "anyone";
    case Role::reader: return "reader";
    case Role::admin: return "admin";
  }
  return "anyone";
}

Role role_of(const std::string& name) {
  if (name == "admin") return Role::admin;
  return name == "reader" ? Role::reader : Role::anyone;
}

net::HttpResponse json_response(const Json& value, int status) {
  net::HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  // A peer's text may be no UTF-8; it must not break the answer.
  response.body = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

Json to_json(const Fault& fault) {
  return {{"code", "OC-" + std::to_string(static_cast<int>(fault.code))},
          {"message", fault.message},
          {"hint", fault.hint}};
}

net::HttpResponse error_response(const Fault& fault, int status) {
  return json_response({{"error", to_json(fault)}}, status);
}

net::HttpResponse error_response(const Fault& fault) {
  return error_response(fault, fault.http_status());
}

Outcome<std::size_t> number_of(const Call& call, const std::string& name, std::size_t otherwise,
                               std::size_t least, std::size_t most) {
  const auto found = call.query.find(name);
  if (found == call.query.end()) return otherwise;
  const std::string& text = found->second;
  std::size_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return Fault(FaultCode::bad_request,
                 fmt::format("'{}' must be a number from {} to {}", name, least, most));
  }
  return value;
}

Outcome<Paging> paging_of(const Call& call) {
  Paging paging;
  TRY(paging.page, number_of(call, "page", paging.page, 1, Paging::kMaxPage));
  TRY(paging.limit, number_of(call, "limit", paging.limit, 1, Paging::kMaxLimit));
  return paging;
}

net::HttpResponse page_response(const Paging& paging, std::size_t total, Json rows) {
  const Json page = {{"page", paging.page},
                     {"limit", paging.limit},
                     {"total_rows", total},
                     {"total_pages", (total + paging.limit - 1) / paging.limit},
                     {"rows", std::move(rows)}};
  return json_response(page);
}

net::HttpResponse page_response(const Paging& paging, const Json& rows) {
  Json slice = Json::array();
  for (std::size_t i = paging.skip(); i < rows.size() && slice.size() < paging.limit; ++i) {
    slice.push_back(rows[i]);
  }
  return page_response(paging, rows.size(), std::move(slice));
}

}  // namespace oc::api
