// The numbers that multiformats/multicodec gives to what this layer reads and writes.
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "codec/multiaddr_protocols.hpp"
#include "codec/multibase.hpp"
#include "codec/multihash.hpp"
#include "codec/peer_id.hpp"
#include "support/vectors.hpp"

namespace oc::codec {
namespace {

struct Row {
  std::string tag;
  std::uint64_t code = 0;
};

// By name.
std::map<std::string, Row> table() {
  std::map<std::string, Row> rows;
  const auto lines = test::load_lines("multiformats/multicodec.csv");
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    std::istringstream in(*line);
    std::string name, code;
    Row row;
    std::getline(in, name, ',');
    std::getline(in, row.tag, ',');
    std::getline(in, code, ',');
    row.code = std::stoull(code, nullptr, 16);
    rows.emplace(name, row);
  }
  return rows;
}

TEST(Multicodec, every_protocol_of_an_address_has_the_number_of_the_table) {
  const auto rows = table();
  for (const ProtocolEntry& protocol : protocol_table()) {
    // In addresses it goes by the name of go and js.
    const bool memory = protocol.name == "memory";
    const auto row = rows.find(memory ? "memorytransport" : std::string(protocol.name));
    ASSERT_NE(row, rows.end()) << protocol.name;
    EXPECT_EQ(row->second.code, static_cast<std::uint64_t>(protocol.code)) << protocol.name;
    EXPECT_EQ(row->second.tag, memory ? "libp2p" : "multiaddr") << protocol.name;
  }
}

TEST(Multicodec, every_hash_has_the_number_of_the_table) {
  const auto rows = table();
  const std::pair<const char*, HashCode> hashes[] = {{"identity", HashCode::identity},
                                                     {"sha2-256", HashCode::sha2_256},
                                                     {"sha2-512", HashCode::sha2_512}};
  for (const auto& [name, code] : hashes) {
    EXPECT_EQ(rows.at(name).code, static_cast<std::uint64_t>(code)) << name;
  }
}

TEST(Multicodec, a_peer_id_as_cid_begins_with_the_numbers_of_the_table) {
  const auto rows = table();
  const auto id = PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
  const Bytes cid = *multibase_decode(id->to_cid());
  EXPECT_EQ(cid[0], rows.at("cidv1").code);
  EXPECT_EQ(cid[1], rows.at("libp2p-key").code);
}

}  // namespace
}  // namespace oc::codec
