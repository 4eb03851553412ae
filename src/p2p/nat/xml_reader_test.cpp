#include "p2p/nat/xml_reader.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

// "<a>" for each tag that opens, "text</a>" for each that closes.
std::string read(std::string_view xml) {
  XmlReader reader(xml);
  std::string out;
  for (auto step = reader.next(); step != XmlReader::Step::end; step = reader.next()) {
    const std::string name(reader.name());
    out += step == XmlReader::Step::open ? "<" + name + ">" : reader.text() + "</" + name + ">";
  }
  return out;
}

TEST(XmlReader, gives_elements_with_their_text) {
  EXPECT_EQ(read("<?xml version=\"1.0\"?>\r\n<a>\r\n <b>one</b>\n <c> two three </c></a>\n"),
            "<a><b>one</b><c>two three</c></a>");
  EXPECT_EQ(read("<a/><b x='1' /><c></c>"), "<a></a><b></b><c></c>");
}

TEST(XmlReader, leaves_prefixes_and_attributes_out) {
  EXPECT_EQ(read("<s:a xmlns:s=\"x:y\" b='>' c=\"'>'\">t</s:a>"), "<a>t</a>");
}

TEST(XmlReader, comments_instructions_and_document_types_are_nothing) {
  EXPECT_EQ(read("<!DOCTYPE a><a>one<!-- <b>no</b> -->two<?php >?></a>"), "<a>onetwo</a>");
}

TEST(XmlReader, characters_may_be_escaped_or_quoted) {
  EXPECT_EQ(read("<a>&lt;&amp;amp;&gt;&quot;&apos;</a>"), "<a><&amp;>\"'</a>");
  EXPECT_EQ(read("<a>x<![CDATA[<b>&amp;</b>]]>y</a>"), "<a>x<b>&amp;</b>y</a>");
  EXPECT_EQ(read("<a>&unknown; &</a>"), "<a>&unknown; &</a>") << "and cannot be defined";
}

TEST(XmlReader, what_is_broken_ends_with_the_text) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("no tags & none"), "");
  EXPECT_EQ(read("<"), "<>");
  EXPECT_EQ(read("</"), "</>");
  EXPECT_EQ(read("<a b='>"), "<a>");
  EXPECT_EQ(read("<a><!-- never ended <b>"), "<a>");
  EXPECT_EQ(read("<a><![CDATA[never ended"), "<a>");
  EXPECT_EQ(read("</c>x</b>"), "</c>x</b>");
}

}  // namespace
}  // namespace oc::p2p
