#include "codec/utf8.hpp"

#include <gtest/gtest.h>

namespace oc::codec {
namespace {

TEST(Utf8, takes_well_formed_text_of_every_length) {
  for (const char* text :
       {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe4\xbd\xa0\xe5\xa5\xbd"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, refuses_overlong_forms_surrogates_and_what_is_too_high) {
  for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
                           "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, refuses_truncated_and_stray_bytes) {
  for (const char* text : {"\x80", "a\xbf", "\xc2", "\xc2g", "\xe2\x82", "\xe2\x82z",
                           "\xf0\x9f\x98", "\xf0\x9f\x98z"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, printable_text_has_no_control_characters) {
  EXPECT_TRUE(is_printable_utf8("caf\xc3\xa9 \xf0\x9f\x98\x80"));
  for (const char* text : {"a\nb", "\x1b[31m", "\x7f", "\xc2\x85", "\t"}) {
    EXPECT_TRUE(is_utf8(text));
    EXPECT_FALSE(is_printable_utf8(text)) << testing::PrintToString(text);
  }
  EXPECT_FALSE(is_printable_utf8(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace oc::codec
