#include "p2p/protocols/autonat/request_log.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;

const codec::PeerId kOne =
    *codec::PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
const codec::PeerId kTwo = *codec::PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
const TimePoint kStart{1h};

TEST(RequestLog, takes_so_many_of_a_peer_within_any_minute) {
  RequestLog log(10, 2);
  EXPECT_TRUE(log.take(kOne, kStart));
  EXPECT_TRUE(log.take(kOne, kStart + 30s));
  EXPECT_FALSE(log.take(kOne, kStart + 59s));
  EXPECT_TRUE(log.take(kTwo, kStart + 59s)) << "another peer has its own";
  EXPECT_TRUE(log.take(kOne, kStart + 60s)) << "the first is a minute old";
  EXPECT_FALSE(log.take(kOne, kStart + 61s));
}

TEST(RequestLog, takes_so_many_of_all_together) {
  RequestLog log(2, 2);
  EXPECT_TRUE(log.take(kOne, kStart));
  EXPECT_TRUE(log.take(kOne, kStart));
  EXPECT_FALSE(log.take(kTwo, kStart));
  EXPECT_TRUE(log.take(kTwo, kStart + 1min));
}

TEST(RequestLog, what_was_refused_does_not_count) {
  RequestLog log(1, 1);
  EXPECT_TRUE(log.take(kOne, kStart));
  for (int i = 1; i < 60; ++i) EXPECT_FALSE(log.take(kOne, kStart + i * 1s));
  EXPECT_TRUE(log.take(kOne, kStart + 60s));
}

}  // namespace
}  // namespace oc::p2p
