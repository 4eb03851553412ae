#include "api/schema.hpp"

#include <set>

#include "codec/utf8.hpp"

namespace oc::api {
namespace {

Fault bad_body(std::string message) { return Fault(FaultCode::bad_request, std::move(message)); }

// Watches the parser for names that stand twice and for depth.
class Watch {
 public:
  bool operator()(int, Json::parse_event_t event, Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        names_.emplace_back();
        too_deep |= names_.size() > kMaxJsonDepth;
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        if (!names_.empty()) names_.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!names_.empty()) twice |= !names_.back().insert(value.get<std::string>()).second;
        break;
      case Json::parse_event_t::value: break;
    }
    return !too_deep;  // what is too deep is not even built
  }
  bool too_deep = false;
  bool twice = false;

 private:
  std::vector<std::set<std::string>> names_;
};

bool is_short_line(const Json& value, std::uint64_t max) {
  return value.is_string() && value.get_ref<const std::string&>().size() <= max &&
         codec::is_printable_utf8(value.get_ref<const std::string&>());
}

bool fits(const Json& value, const Field& field) {
  switch (field.type) {
    case FieldType::line: return is_short_line(value, field.max);
    case FieldType::text:
      return value.is_string() && value.get_ref<const std::string&>().size() <= field.max;
    case FieldType::integer:
      return value.is_number_unsigned() && value.get<std::uint64_t>() <= field.max;
    case FieldType::boolean: return value.is_boolean();
    case FieldType::lines:
      if (!value.is_array() || value.size() > kMaxListItems) return false;
      for (const Json& item : value) {
        if (!is_short_line(item, field.max)) return false;
      }
      return true;
    case FieldType::any: return true;
  }
  return false;
}

std::string expectation(const Field& field) {
  const std::string max = std::to_string(field.max);
  switch (field.type) {
    case FieldType::line: return "one line of text of at most " + max + " bytes";
    case FieldType::text: return "a text of at most " + max + " bytes";
    case FieldType::integer: return "a whole number from 0 to " + max;
    case FieldType::boolean: return "true or false";
    case FieldType::lines: return "a list of at most 100 lines of text";
    case FieldType::any: break;
  }
  return "a value";
}

Json schema_of_type(std::string type) {
  const bool nullable = type.ends_with('?');
  if (nullable) type.pop_back();
  Json schema = Json::object();
  if (type.starts_with('[')) {
    schema["type"] = "array";
    schema["items"] = schema_of_type(type.substr(1, type.size() - 2));
  } else if (type.starts_with('#')) {
    const Json reference = {{"$ref", "#/components/schemas/" + type.substr(1)}};
    // OpenAPI 3.0 ignores what stands beside a $ref.
    schema = nullable ? Json{{"allOf", Json::array({reference})}} : reference;
  } else {
    schema["type"] = type;
  }
  if (nullable) schema["nullable"] = true;
  return schema;
}

}  // namespace

Outcome<Json> parse_json(const std::string& text) {
  Watch watch;
  Json value = Json::parse(text, std::ref(watch), false);
  if (watch.too_deep) return bad_body("the body is nested too deeply");
  if (value.is_discarded()) return bad_body("the body is not JSON");
  if (watch.twice) return bad_body("the body has a field twice");
  return value;
}

Outcome<Json> check_fields(Json body, const Fields& fields) {
  if (!body.is_object()) return bad_body("the body must be a JSON object");
  Json checked = Json::object();
  for (const Field& field : fields) {
    const auto found = body.find(field.name);
    if (found == body.end() || (found->is_null() && !field.required)) {
      if (field.required) return bad_body("the field '" + field.name + "' is missing");
      if (found != body.end()) body.erase(found);
      continue;
    }
    if (!fits(*found, field))
      return bad_body("the field '" + field.name + "' must be " + expectation(field));
    checked[field.name] = std::move(*found);
    body.erase(found);
  }
  if (!body.empty()) return bad_body("there is no field '" + body.begin().key() + "' here");
  return checked;
}

Json schema_of(const Field& field) {
  switch (field.type) {
    case FieldType::line:
    case FieldType::text: return {{"type", "string"}, {"maxLength", field.max}};
    case FieldType::integer: return {{"type", "integer"}, {"minimum", 0}, {"maximum", field.max}};
    case FieldType::boolean: return {{"type", "boolean"}};
    case FieldType::lines:
      return {{"type", "array"},
              {"maxItems", kMaxListItems},
              {"items", {{"type", "string"}, {"maxLength", field.max}}}};
    case FieldType::any: break;
  }
  return Json::object();
}

Json schema_of(const Fields& fields) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Field& field : fields) {
    properties[field.name] = schema_of(field);
    properties[field.name]["description"] = field.description;
    if (field.required) required.push_back(field.name);
  }
  Json schema = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = required;
  return schema;
}

Json object_schema(std::initializer_list<std::pair<const char*, const char*>> properties) {
  Json schema = {{"type", "object"}, {"properties", Json::object()}, {"required", Json::array()}};
  for (const auto& [name, type] : properties) {
    schema["properties"][name] = schema_of_type(type);
    schema["required"].push_back(name);
  }
  return schema;
}

}  // namespace oc::api
