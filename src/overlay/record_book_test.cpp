#include "overlay/record_book.hpp"

#include <gtest/gtest.h>

namespace oc::overlay {
namespace {

using namespace std::chrono_literals;

codec::PeerId peer(int number) {
  return codec::PeerId::of_public_key(as_bytes("peer " + std::to_string(number)));
}

SealedRecord sealed(int number, std::uint64_t seq, const std::string& name = "") {
  SealedRecord out;
  out.record.peer = peer(number);
  out.record.seq = seq;
  out.record.name = name;
  out.record.issued = WallTime(std::chrono::hours(number));
  return out;
}

TEST(RecordBook, keeps_the_newest_record_of_each_peer) {
  RecordBook book;
  EXPECT_EQ(*book.put(sealed(1, 5, "first")), RecordBook::Put::added);
  EXPECT_EQ(*book.put(sealed(1, 4, "older")), RecordBook::Put::unchanged);
  EXPECT_EQ(*book.put(sealed(1, 5, "as old")), RecordBook::Put::unchanged);
  EXPECT_EQ(book.find(peer(1))->record.name, "first");
  EXPECT_EQ(*book.put(sealed(1, 6, "newer")), RecordBook::Put::updated);
  EXPECT_EQ(book.find(peer(1))->record.name, "newer");
  EXPECT_EQ(book.size(), 1u);
  EXPECT_EQ(book.find(peer(2)), nullptr);
}

TEST(RecordBook, refuses_further_peers_when_full_but_still_takes_news) {
  RecordBook book;
  for (int i = 0; i < static_cast<int>(kMaxRecords); ++i) ASSERT_TRUE(book.put(sealed(i, 1)));
  EXPECT_EQ(book.put(sealed(-1, 1)).error(), Errc::limit_exceeded);
  EXPECT_EQ(*book.put(sealed(3, 2)), RecordBook::Put::updated);
  EXPECT_EQ(book.size(), kMaxRecords);
}

TEST(RecordBook, has_the_same_fingerprint_exactly_when_it_has_the_same_versions) {
  RecordBook a;
  RecordBook b;
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  for (const int i : {1, 2, 3}) (void)a.put(sealed(i, 7));
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  for (const int i : {3, 1, 2}) (void)b.put(sealed(i, 7));
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  (void)b.put(sealed(2, 8));
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  (void)a.put(sealed(2, std::uint64_t{8} << 32));
  EXPECT_NE(a.fingerprint(), b.fingerprint());
}

TEST(RecordBook, compares_to_what_each_side_lacks) {
  RecordBook book;
  for (const int i : {1, 2, 3, 4}) (void)book.put(sealed(i, 10));
  // They have 1 as we do, 2 older, 3 newer, not 4, and 5 that we lack.
  const auto difference = book.compare({{peer(1), 10}, {peer(2), 9}, {peer(3), 11}, {peer(5), 1}});
  using Peers = std::set<codec::PeerId>;
  EXPECT_EQ(Peers(difference.to_send.begin(), difference.to_send.end()), (Peers{peer(2), peer(4)}));
  EXPECT_EQ(Peers(difference.to_ask.begin(), difference.to_ask.end()), (Peers{peer(3), peer(5)}));
}

TEST(RecordBook, compares_to_nothing_with_its_own_versions) {
  RecordBook book;
  for (const int i : {1, 2, 3}) (void)book.put(sealed(i, 10));
  const auto difference = book.compare(book.versions());
  EXPECT_TRUE(difference.to_send.empty());
  EXPECT_TRUE(difference.to_ask.empty());
}

TEST(RecordBook, asks_once_for_a_peer_that_is_named_many_times) {
  RecordBook book;
  const auto difference = book.compare({{peer(1), 1}, {peer(1), 2}, {peer(1), 1}});
  EXPECT_EQ(difference.to_ask, std::vector{peer(1)});
}

TEST(RecordBook, forgets_records_that_were_not_renewed) {
  RecordBook book;
  for (const int i : {1, 2, 3}) (void)book.put(sealed(i, 1));
  book.forget_issued_before(WallTime(2h));
  EXPECT_EQ(book.find(peer(1)), nullptr);
  EXPECT_NE(book.find(peer(2)), nullptr);
  EXPECT_EQ(book.size(), 2u);
}

}  // namespace
}  // namespace oc::overlay
