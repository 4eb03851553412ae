#include "api/openapi.hpp"

#include "api/views.hpp"
#include "base/assert.hpp"

namespace oc::api {
namespace {

Json content_of(const Json& schema) { return {{"application/json", {{"schema", schema}}}}; }

Json reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

Json page_schema(const std::string& row) {
  Json schema = object_schema({{"page", "integer"},
                               {"limit", "integer"},
                               {"total_rows", "integer"},
                               {"total_pages", "integer"}});
  schema["properties"]["rows"] = {{"type", "array"}, {"items", reference(row)}};
  schema["required"].push_back("rows");
  return schema;
}

Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (auto at = route.path.find('{'); at != std::string::npos; at = route.path.find('{', at + 1)) {
    const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters.push_back(
        {{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  Fields query = route.query;
  if (route.paged) {
    query.push_back({"page", FieldType::integer, false, "from 1", Paging::kMaxPage});
    query.push_back(
        {"limit", FieldType::integer, false, "rows of a page, from 1", Paging::kMaxLimit});
  }
  for (const Field& field : query) {
    parameters.push_back({{"name", field.name},
                          {"in", "query"},
                          {"required", field.required},
                          {"description", field.description},
                          {"schema", schema_of(field)}});
  }
  return parameters;
}

Json answers_of(const Route& route) {
  Json good = {{"description", "done"}};
  if (!route.answer.empty()) {
    good["content"] = content_of(route.paged ? page_schema(route.answer) : reference(route.answer));
  }
  return {{"2XX", good},
          {"default", {{"description", "an error"}, {"content", content_of(reference("Error"))}}}};
}

Json operation_of(const Route& route) {
  Json operation = {{"summary", route.summary},
                    {"x-role", to_string(route.role)},
                    {"responses", answers_of(route)}};
  if (Json parameters = parameters_of(route); !parameters.empty())
    operation["parameters"] = parameters;
  if (!route.body.empty()) {
    operation["requestBody"] = {{"required", true}, {"content", content_of(schema_of(route.body))}};
  }
  operation["security"] = Json::array();
  if (route.role != Role::anyone) {
    operation["security"] = {{{"bearer", Json::array()}}, {{"cookie", Json::array()}}};
  }
  return operation;
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

}  // namespace

Json openapi_document(const Router& router, const std::string& version) {
  Json document = {{"openapi", "3.0.3"}, {"info", {{"title", "Open-Chat"}, {"version", version}}}};
  document["components"]["schemas"] = answer_schemas();
  document["components"]["securitySchemes"] = {
      {"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
      {"cookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "session_id"}}}};
  for (const Route& route : router.routes()) {
    ASSERT(route.answer.empty() || document["components"]["schemas"].contains(route.answer));
    document["paths"][route.path][lower_case(route.method)] = operation_of(route);
  }
  return document;
}

}  // namespace oc::api
