// Bodies and queries of the API: what passes has the route's fields and no other.
#include "api/router.hpp"
#include "codec/utf8.hpp"
#include "fuzzing.hpp"

using namespace oc;

namespace {

std::size_t depth_of(const api::Json& value) {
  if (!value.is_structured()) return 0;
  std::size_t deepest = 0;
  for (const api::Json& item : value) deepest = std::max(deepest, depth_of(item));
  return deepest + 1;
}

const api::Fields& fields() {
  using api::FieldType;
  static const api::Fields all{
      {"line", FieldType::line, false, "", 8},      {"text", FieldType::text, false, "", 16},
      {"number", FieldType::integer, true, "", 99}, {"flag", FieldType::boolean, false, ""},
      {"lines", FieldType::lines, false, "", 8},    {"any", FieldType::any, false, ""}};
  return all;
}

void check_body(const std::string& text) {
  const auto body = api::parse_json(text);
  if (!body) return;
  fuzz::require(depth_of(*body) <= api::kMaxJsonDepth);
  const auto checked = api::check_fields(*body, fields());
  if (!checked) return;
  fuzz::require(checked->at("number") <= 99);
  for (const auto& [name, value] : checked->items()) {
    const bool known =
        std::ranges::any_of(fields(), [&](const auto& field) { return field.name == name; });
    fuzz::require(known && (!value.is_null() || name == "any"));
  }
}

void check_query(const std::string& text) {
  const auto query = api::parse_query(text);
  if (!query) return;
  for (const auto& [name, value] : *query) {
    fuzz::require(codec::is_printable_utf8(name) && codec::is_printable_utf8(value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text({data, std::min(size, api::kMaxBodyBytes)}));
  check_body(text);
  check_query(text);
  return 0;
}
