#include "api/openapi.hpp"

#include <fstream>
#include <regex>
#include <sstream>

#include "api/api_fixture.hpp"
#include "api/views.hpp"

namespace oc::api {
namespace {

using OpenApiTest = test::ApiTest;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// What is wrong with the value, "" if it follows the schema.
std::string violation(const Json& value, const Json& schema, const Json& document) {
  if (schema.contains("$ref")) {
    const std::string name =
        schema["$ref"].get<std::string>().substr(std::string("#/components/schemas/").size());
    return violation(value, document["components"]["schemas"][name], document);
  }
  if (schema.value("nullable", false) && value.is_null()) return "";
  if (schema.contains("allOf")) return violation(value, schema["allOf"][0], document);
  const std::string type = schema.value("type", "");
  if ((type == "object" && !value.is_object()) || (type == "array" && !value.is_array()) ||
      (type == "string" && !value.is_string()) || (type == "boolean" && !value.is_boolean()) ||
      (type == "integer" && !value.is_number_integer()) ||
      (type == "number" && !value.is_number())) {
    return value.dump() + " is no " + type;
  }
  for (const Json& name : schema.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) return "there is no " + name.dump();
  }
  if (value.is_object() && schema.contains("properties")) {
    for (const auto& [name, property] : value.items()) {
      if (!schema["properties"].contains(name)) return name + " is not described";
      if (auto wrong = violation(property, schema["properties"][name], document); !wrong.empty())
        return name + ": " + wrong;
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (const Json& item : value) {
      if (auto wrong = violation(item, schema["items"], document); !wrong.empty()) return wrong;
    }
  }
  return "";
}

TEST_F(OpenApiTest, describes_every_route_and_no_other) {
  const Json document = json(ask({.target = "/api/openapi.json"}));
  EXPECT_EQ(document["info"]["version"], "0.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, server->router().routes().size());
  for (const Route& route : server->router().routes()) {
    const Json& operation = document["paths"][route.path][lower(route.method)];
    ASSERT_TRUE(operation.is_object()) << route.method << " " << route.path;
    EXPECT_EQ(operation["x-role"], to_string(route.role));
    EXPECT_EQ(operation.contains("requestBody"), !route.body.empty());
    EXPECT_EQ(operation["security"].empty(), route.role == Role::anyone);
    const auto described = operation.value("parameters", Json::array());
    const auto braces = std::count(route.path.begin(), route.path.end(), '{');
    const auto in_path = std::count_if(described.begin(), described.end(),
                                       [](const Json& p) { return p["in"] == "path"; });
    EXPECT_EQ(in_path, braces) << route.path;
  }
}

TEST_F(OpenApiTest, answers_are_as_described) {
  const std::string token = admin();
  const std::vector<test::Ask> calls = {
      {.method = "POST",
       .target = "/api/v1/user/login",
       .body = R"({"email":"root","password":"secret"})"},
      {.target = "/api/v1/user/self"},
      {.target = "/api/v1/user/sessions/list"},
      {.target = "/api/v1/federation/identity"},
      {.target = "/api/v1/federation/nodes/list"},
      {.target = "/api/v1/federation/networks/list"},
      {.method = "POST",
       .target = "/api/v1/federation/nodes/register",
       .body = R"({"bootstrap_string":"good"})"},
      {.target = "/api/v1/federation/nodes/nas/ping"},
      {.target = "/api/v1/federation/nodes/nas/path"},
      {.method = "POST",
       .target = "/api/v1/federation/nodes/nas/request",
       .body = R"({"method":"GET","path":"/health"})"},
      {.method = "POST",
       .target = "/api/v1/federation/nodes/proxy",
       .body = R"({"direction":"egress","kind":"tcp"})"},
      {.method = "POST", .target = "/api/v1/federation/proxies/rule1/disable"},
      {.target = "/api/v1/federation/proxies/list"},
      {.method = "DELETE", .target = "/api/v1/federation/proxies/rule1"},
      {.target = "/api/v1/audit/list"},
      {.target = "/api/v1/metrics"},
      {.target = "/api/v1/netcheck"},
      {.target = "/health"},
      {.method = "POST", .target = "/api/v1/user/logout"},
  };
  const Json document = json(ask({.target = "/api/openapi.json"}));
  for (test::Ask call : calls) {
    call.token = token;
    const auto response = ask(call);
    ASSERT_LT(response.status, 300) << call.target << response.body;
    const auto path = call.target.substr(0, call.target.find('?'));
    const auto match = server->router().match(call.method, path);
    const Json schema = document["paths"][match.route->path][lower(call.method)]["responses"]["2XX"]
                                ["content"]["application/json"]["schema"];
    ASSERT_TRUE(schema.is_object()) << call.target;
    EXPECT_EQ(violation(json(response), schema, document), "")
        << call.target << " " << response.body;
  }
  const auto error = ask({.target = "/api/v1/user/self"});
  EXPECT_EQ(violation(json(error), document["components"]["schemas"]["Error"], document), "");
}

TEST_F(OpenApiTest, the_written_description_has_the_same_routes) {
  std::ifstream file(OC_TEST_DATA "/../../docs/api.md");
  ASSERT_TRUE(file);
  std::stringstream text;
  text << file.rdbuf();
  const std::string document = text.str();
  std::set<std::string> written;
  const std::regex pattern(
      R"(`(GET|POST|PUT|PATCH|DELETE) ([^`? ]+)[^`]*`[^\n]*?(?:— (anyone|reader|admin))?)");
  for (std::sregex_iterator at(document.begin(), document.end(), pattern), end; at != end; ++at) {
    std::string path = (*at)[2];
    if (!path.starts_with('/')) path = "/api/v1/" + path;
    written.insert((*at)[1].str() + " " + path);
  }
  std::set<std::string> routed;
  for (const Route& route : server->router().routes())
    routed.insert(route.method + " " + route.path);
  EXPECT_EQ(written, routed);
}

}  // namespace
}  // namespace oc::api
