#include "cli/terminal_text.hpp"

#include <gtest/gtest.h>

namespace oc::cli {
namespace {

TEST(Printable, keeps_text_of_any_script) {
  EXPECT_EQ(printable("nas — Büro 東京 🦊"), "nas — Büro 東京 🦊");
}

TEST(Printable, lets_no_control_character_through) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\t\x7f"), "a?[31mb????");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a?31m")
      << "C1 controls steer terminals too";
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a?b")
      << "right-to-left override";
}

TEST(Printable, replaces_what_is_not_utf8) {
  EXPECT_EQ(printable("\xff\xc0\xaf"), "???") << "overlong";
  EXPECT_EQ(printable("a\xe2\x82"), "a??") << "truncated";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "above U+10FFFF";
}

TEST(DisplayWidth, counts_columns_not_bytes) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("Büro"), 4u);
  EXPECT_EQ(display_width("東京"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u) << "combining accent";
  EXPECT_EQ(display_width("🦊"), 2u);
}

TEST(ByteCount, has_units_of_1024) {
  EXPECT_EQ(byte_count(0), "0 B");
  EXPECT_EQ(byte_count(1023), "1023 B");
  EXPECT_EQ(byte_count(1024), "1.0 KiB");
  EXPECT_EQ(byte_count(1536), "1.5 KiB");
  EXPECT_EQ(byte_count(200.0 * 1024 * 1024), "200 MiB");
  EXPECT_EQ(byte_count(1023.9 * 1024), "1.0 MiB");
}

TEST(Table, aligns_columns_by_what_is_seen) {
  Table table({"NAME", "STATE", "PATH"});
  table.add({"Büro", "(online)", "direct"});
  table.add({"東京", "", "x"});
  table.add({"n", "(self)", ""});
  EXPECT_EQ(table.to_string(),
            "NAME  STATE     PATH\n"
            "Büro  (online)  direct\n"
            "東京            x\n"
            "n     (self)\n");
}

TEST(Table, makes_its_cells_printable) {
  Table table({"NAME"});
  table.add({"a\x1b]0;owned\x07\nb"});
  EXPECT_EQ(table.to_string(), "NAME\na?]0;owned??b\n");
}

}  // namespace
}  // namespace oc::cli
