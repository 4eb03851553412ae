#include "net/udp.hpp"

#include <gtest/gtest.h>
#include <net/if.h>

#include "net/interfaces.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::net {
namespace {

const asio::ip::address kLoopback4 = asio::ip::address_v4::loopback();
const asio::ip::address kLoopback6 = asio::ip::address_v6::loopback();

awaitable<void> a_datagram_arrives_whole_with_its_sender() {
  auto executor = co_await asio::this_coro::executor;
  for (const auto& ip : {kLoopback4, kLoopback6}) {
    auto a = UdpSocket::open(executor, {ip, 0});
    auto b = UdpSocket::open(executor, {ip, 0});
    EXPECT_TRUE(a && b) << ip;
    if (!a || !b) co_return;
    auto sent = co_await a->send(as_bytes("hello"), b->local());
    EXPECT_TRUE(sent);
    FixedBytes<16> into;
    auto received = co_await b->receive(into);
    EXPECT_TRUE(received);
    if (!received) co_return;
    EXPECT_EQ(as_text(BytesView(into).first(received->size)), "hello");
    EXPECT_EQ(received->from, a->local());
  }
}
TEST(Udp, a_datagram_arrives_whole_with_its_sender) {
  test::run_async(a_datagram_arrives_whole_with_its_sender);
}

awaitable<void> a_datagram_that_does_not_fit_is_dropped() {
  auto executor = co_await asio::this_coro::executor;
  auto a = UdpSocket::open(executor, {kLoopback4, 0});
  auto b = UdpSocket::open(executor, {kLoopback4, 0});
  (void)co_await a->send(as_bytes("too long for it"), b->local());
  (void)co_await a->send(as_bytes("fits"), b->local());
  FixedBytes<4> into;
  auto received = co_await b->receive(into);
  EXPECT_TRUE(received);
  EXPECT_EQ(as_text(into), "fits");
}
TEST(Udp, a_datagram_that_does_not_fit_is_dropped) {
  test::run_async(a_datagram_that_does_not_fit_is_dropped);
}

awaitable<void> a_port_is_taken_once() {
  auto executor = co_await asio::this_coro::executor;
  auto a = UdpSocket::open(executor, {kLoopback4, 0});
  auto b = UdpSocket::open(executor, a->local());
  EXPECT_EQ(b.error(), boost::system::errc::address_in_use);
  a->close();
  auto c = UdpSocket::open(executor, {kLoopback4, 0});
  EXPECT_TRUE(c);
}
TEST(Udp, a_port_is_taken_once) { test::run_async(a_port_is_taken_once); }

awaitable<void> a_cancelled_wait_loses_no_datagram() {
  auto executor = co_await asio::this_coro::executor;
  auto a = UdpSocket::open(executor, {kLoopback4, 0});
  auto b = UdpSocket::open(executor, {kLoopback4, 0});
  FixedBytes<16> into;
  {
    test::Operation<UdpSocket::Received> waiting(executor, b->receive(into));
    co_await test::settle();
    waiting.cancel();
    auto result = co_await waiting.result();
    EXPECT_EQ(result.error(), Errc::cancelled);
  }
  (void)co_await a->send(as_bytes("later"), b->local());
  auto received = co_await b->receive(into);
  EXPECT_TRUE(received);
}
TEST(Udp, a_cancelled_wait_loses_no_datagram) {
  test::run_async(a_cancelled_wait_loses_no_datagram);
}

awaitable<void> closing_ends_a_wait() {
  auto executor = co_await asio::this_coro::executor;
  auto socket = UdpSocket::open(executor, {kLoopback4, 0});
  FixedBytes<16> into;
  test::Operation<UdpSocket::Received> waiting(executor, socket->receive(into));
  co_await test::settle();
  socket->close();
  auto result = co_await waiting.result();
  EXPECT_EQ(result.error(), Errc::closed);
  auto sent = co_await socket->send(as_bytes("x"), {kLoopback4, 1});
  EXPECT_EQ(sent.error(), Errc::closed);
}
TEST(Udp, closing_ends_a_wait) { test::run_async(closing_ends_a_wait); }

// On loopback, which no packet leaves, with any free port.
awaitable<void> members_of_a_group_share_its_port() {
  auto executor = co_await asio::this_coro::executor;
  for (const char* group : {"239.255.77.77", "ff02::7777"}) {
    const auto ip = asio::ip::make_address(group);
    auto first = UdpSocket::join(executor, {ip, 0}, ::if_nametoindex("lo"));
    EXPECT_TRUE(first) << group << ": " << first.error().message();
    if (!first) co_return;
    const UdpAddress at(ip, first->local().port());
    auto second = UdpSocket::join(executor, at, ::if_nametoindex("lo"));
    EXPECT_TRUE(second) << group << ": " << second.error().message();
  }
}
TEST(Udp, members_of_a_group_share_its_port) { test::run_async(members_of_a_group_share_its_port); }

// Not by IPv6, for which loopback mostly has no route to groups.
awaitable<void> members_of_a_group_hear_each_other_and_themselves() {
  auto executor = co_await asio::this_coro::executor;
  const unsigned loopback = ::if_nametoindex("lo");
  const auto group = asio::ip::make_address("239.255.77.77");
  auto first = UdpSocket::join(executor, {group, 0}, loopback);
  const UdpAddress at(group, first->local().port());
  auto second = UdpSocket::join(executor, at, loopback);
  auto sent = co_await first->send(as_bytes("all"), at);
  EXPECT_TRUE(sent) << sent.error().message();
  if (!sent) co_return;
  for (UdpSocket* each : {&*first, &*second}) {
    FixedBytes<16> into;
    auto received = co_await each->receive(into);
    EXPECT_TRUE(received);
    if (!received) co_return;
    EXPECT_EQ(as_text(BytesView(into).first(received->size)), "all");
    EXPECT_EQ(received->from.port(), at.port());
  }
}
TEST(Udp, members_of_a_group_hear_each_other_and_themselves) {
  test::run_async(members_of_a_group_hear_each_other_and_themselves);
}

awaitable<void> no_interface_no_member() {
  auto executor = co_await asio::this_coro::executor;
  for (const char* group : {"239.255.77.77", "ff02::7777"}) {
    auto member = UdpSocket::join(executor, {asio::ip::make_address(group), 0}, 0x7ffffff0);
    EXPECT_FALSE(member) << group;
  }
}
TEST(Udp, no_interface_no_member) { test::run_async(no_interface_no_member); }

TEST(Interfaces, those_that_carry_multicast_have_an_address_and_are_no_loopback) {
  for (const Interface& interface : multicast_interfaces()) {
    EXPECT_NE(interface.index, ::if_nametoindex("lo"));
    EXPECT_FALSE(interface.addresses.empty());
  }
}

awaitable<void> a_cancelled_watch_ends() {
  auto executor = co_await asio::this_coro::executor;
  auto watch = InterfaceWatch::open(executor);
  EXPECT_TRUE(watch);
  if (!watch) co_return;
  test::Operation<void> waiting(executor, watch->changed());
  waiting.cancel();
  auto result = co_await waiting.result();
  EXPECT_TRUE(result || result.error() == Errc::cancelled);
}
TEST(Interfaces, a_cancelled_watch_ends) { test::run_async(a_cancelled_watch_ends); }

}  // namespace
}  // namespace oc::net
