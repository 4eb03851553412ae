#include "codec/multibase.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "support/vectors.hpp"

namespace oc::codec {
namespace {

const std::map<std::string, Multibase> kNames = {
    {"base16", Multibase::base16},
    {"base16upper", Multibase::base16upper},
    {"base32", Multibase::base32},
    {"base32upper", Multibase::base32upper},
    {"base32hex", Multibase::base32hex},
    {"base32hexupper", Multibase::base32hexupper},
    {"base32pad", Multibase::base32pad},
    {"base32padupper", Multibase::base32padupper},
    {"base32hexpad", Multibase::base32hexpad},
    {"base32hexpadupper", Multibase::base32hexpadupper},
    {"base32z", Multibase::base32z},
    {"base36", Multibase::base36},
    {"base36upper", Multibase::base36upper},
    {"base58flickr", Multibase::base58flickr},
    {"base58btc", Multibase::base58btc},
    {"base64", Multibase::base64},
    {"base64pad", Multibase::base64pad},
    {"base64url", Multibase::base64url},
    {"base64urlpad", Multibase::base64urlpad}};

// The lines of a published file: a name and a quoted text, with \x00 for a zero byte. The first
// line gives the plain text.
struct Line {
  std::string name;
  std::string text;
};

std::vector<Line> load(const std::string& file) {
  std::vector<Line> lines;
  for (const std::string& raw : test::load_lines("multiformats/" + file)) {
    const std::size_t open = raw.find('"');
    std::string text = raw.substr(open + 1, raw.rfind('"') - open - 1);
    for (std::size_t at; (at = text.find("\\x00")) != text.npos;) {
      text.replace(at, 4, std::string(1, '\0'));
    }
    lines.push_back({raw.substr(0, raw.find(',')), text});
  }
  return lines;
}

class PublishedMultibase : public testing::TestWithParam<const char*> {};

TEST_P(PublishedMultibase, encodes_and_decodes_as_published) {
  const std::vector<Line> lines = load(GetParam());
  const Bytes plain = to_bytes(as_bytes(lines[0].text));
  const bool canonical = lines[0].name == "encoding";
  std::size_t checked = 0;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    const auto base = kNames.find(line->name);
    if (base == kNames.end()) {
      EXPECT_EQ(multibase_decode(line->text).error(), Errc::unsupported) << line->name;
      continue;
    }
    ++checked;
    ASSERT_TRUE(multibase_decode(line->text).has_value()) << line->name;
    EXPECT_EQ(*multibase_decode(line->text), plain) << line->name;
    if (!canonical) continue;
    EXPECT_EQ(multibase_encode(base->second, plain), line->text);
  }
  EXPECT_GE(checked, 12u);
}

INSTANTIATE_TEST_SUITE_P(files, PublishedMultibase,
                         testing::Values("multibase_basic.csv", "multibase_case_insensitivity.csv",
                                         "multibase_leading_zero.csv",
                                         "multibase_two_leading_zeros.csv"),
                         [](const auto& info) {
                           const std::string file = info.param;
                           return file.substr(0, file.find('.'));
                         });

TEST(Multibase, an_empty_text_is_truncated_and_an_unknown_base_unsupported) {
  EXPECT_EQ(multibase_decode("").error(), Errc::truncated);
  EXPECT_EQ(multibase_decode("?abc").error(), Errc::unsupported);
}

TEST(Multibase, padding_belongs_to_padded_bases_only) {
  EXPECT_EQ(multibase_decode("bmy======").error(), Errc::malformed);
  EXPECT_TRUE(multibase_decode("cmy======").has_value());
  EXPECT_EQ(multibase_decode("cmy").error(), Errc::malformed);
  EXPECT_EQ(multibase_decode("cmy=====").error(), Errc::malformed);
}

TEST(Multibase, the_bases_with_one_letter_case_are_strict_where_case_is_a_digit) {
  EXPECT_NE(*multibase_decode("zab"), *multibase_decode("zAB"));
  EXPECT_EQ(*multibase_decode("kab"), *multibase_decode("kAB"));
}

}  // namespace
}  // namespace oc::codec
