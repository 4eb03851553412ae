#include "net/listening.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

namespace oc::net {
namespace {

asio::ip::address ip(const char* text) { return asio::ip::make_address(text); }

class Listening : public testing::Test {
 protected:
  TcpListener listen(const char* address) {
    auto listener = TcpListener::open(io_.get_executor(), {ip(address), 0});
    EXPECT_TRUE(listener) << address;
    return *std::move(listener);
  }

  asio::io_context io_;
};

TEST_F(Listening, a_listener_is_seen_on_its_own_address_only) {
  const TcpListener v4 = listen("127.0.0.1");
  const std::uint16_t port = v4.local().port();
  EXPECT_EQ(is_listening({ip("127.0.0.1"), port}), true);
  EXPECT_EQ(is_listening({ip("127.0.0.2"), port}), false);
  EXPECT_EQ(is_listening({ip("::1"), port}), false);
  const TcpListener v6 = listen("::1");
  EXPECT_EQ(is_listening({ip("::1"), v6.local().port()}), true);
  EXPECT_EQ(is_listening({ip("127.0.0.1"), v6.local().port()}), false);
}

TEST_F(Listening, a_closed_listener_is_gone) {
  TcpListener listener = listen("127.0.0.1");
  listener.close();
  EXPECT_EQ(is_listening(listener.local()), false);
}

TEST_F(Listening, a_wildcard_takes_every_address_of_its_family) {
  const TcpListener v4 = listen("0.0.0.0");
  EXPECT_EQ(is_listening({ip("127.0.0.1"), v4.local().port()}), true);
  EXPECT_EQ(is_listening({ip("127.1.2.3"), v4.local().port()}), true);
  EXPECT_EQ(is_listening({ip("::1"), v4.local().port()}), false);
  const TcpListener v6 = listen("::");
  EXPECT_EQ(is_listening({ip("::1"), v6.local().port()}), true);
  EXPECT_EQ(is_listening({ip("127.0.0.1"), v6.local().port()}), false) << "ours are IPv6 only";
}

TEST_F(Listening, a_dual_stack_wildcard_takes_both_families) {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int off = 0;
  ASSERT_EQ(::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  socklen_t size = sizeof any;
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size), 0);
  const std::uint16_t port = ntohs(any.sin6_port);
  EXPECT_EQ(is_listening({ip("127.0.0.1"), port}), true);
  EXPECT_EQ(is_listening({ip("::1"), port}), true);
  ::close(fd);
}

}  // namespace
}  // namespace oc::net
