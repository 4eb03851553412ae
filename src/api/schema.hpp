// What a request's body and query, and an answer, look like: declared once with each route, checked
// when a request comes, and written into the OpenAPI description.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.hpp"

namespace oc::api {

using Json = nlohmann::json;

enum class FieldType {
  line,     // printable UTF-8, no control characters
  text,     // any string
  integer,  // a whole number from 0
  boolean,
  lines,  // an array of lines
  any     // any JSON value
};

struct Field {
  std::string name;
  FieldType type;
  bool required = false;
  std::string description;
  // Of a string (and of each of `lines`): bytes; of an integer: its value.
  std::uint64_t max = 1024;
};
using Fields = std::vector<Field>;

// Bounds of a body: both are far above what any route needs.
inline constexpr std::size_t kMaxBodyBytes = 256 * 1024;
inline constexpr std::size_t kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxListItems = 100;

// JSON text, with no name twice in one object and no deeper than kMaxJsonDepth. Takes time and
// stack that do not depend on the nesting. Fault bad_request.
Outcome<Json> parse_json(const std::string& text);

// The body with each field of its type, the required ones there and no other: fault bad_request
// names the field. A field that may be left out may also be null; it is then not in the result.
Outcome<Json> check_fields(Json body, const Fields& fields);

// The OpenAPI schema of a body, and of one field's value.
Json schema_of(const Fields& fields);
Json schema_of(const Field& field);
// The OpenAPI schema of an answer from pairs of name and type: "string", "integer", "number",
// "boolean", "object", "#Name" for another schema, "[…]" for an array of it; a trailing '?' allows
// null. Every property is required.
Json object_schema(std::initializer_list<std::pair<const char*, const char*>> properties);

}  // namespace oc::api
