#include "cli/server_address.hpp"

#include <gtest/gtest.h>

namespace oc::cli {
namespace {

std::string normalised(std::string_view text) {
  const auto address = parse_server(text);
  return address ? address->url() : address.error().message;
}

TEST(ServerAddress, fills_in_scheme_and_port) {
  EXPECT_EQ(normalised("http://localhost:1984"), "http://localhost:1984");
  EXPECT_EQ(normalised("http://Nas.Example.com/"), "http://nas.example.com:1984");
  EXPECT_EQ(normalised("localhost"), "http://localhost:1984");
  EXPECT_EQ(normalised("192.0.2.1:80"), "http://192.0.2.1:80");
  EXPECT_EQ(normalised("http://[::1]:1985"), "http://[::1]:1985");
  EXPECT_EQ(normalised("[2001:DB8::1]"), "http://[2001:db8::1]:1984");
}

TEST(ServerAddress, says_what_is_wrong) {
  EXPECT_EQ(normalised("https://localhost"),
            "--host is 'https://localhost', but this version speaks http only");
  EXPECT_EQ(normalised(""), "--host is '', which names no host");
  EXPECT_EQ(normalised("http://:1984"), "--host is 'http://:1984', which names no host");
  EXPECT_EQ(normalised("ftp://x"),
            "--host is 'ftp://x', which has no port from 1 to 65535 behind the host");
  EXPECT_EQ(normalised("a b"), "--host is 'a b', not the URL of a node");
  EXPECT_EQ(normalised("http://x/api"), "--host is 'http://x/api', not the URL of a node");
  EXPECT_EQ(normalised("x\r\nCookie"), "--host is 'x??Cookie', not the URL of a node");
  EXPECT_EQ(normalised("[x]"), "--host is '[x]', which has no IPv6 address between the brackets");
  EXPECT_EQ(normalised("[::1"), "--host is '[::1', which has no ']'");
  for (const char* port : {"x:", "x:0", "x:65536", "x:1a", "[::1]1"}) {
    EXPECT_TRUE(normalised(port).ends_with("which has no port from 1 to 65535 behind the host"))
        << port << ": " << normalised(port);
  }
}

}  // namespace
}  // namespace oc::cli
