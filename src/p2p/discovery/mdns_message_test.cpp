#include "p2p/discovery/mdns_message.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace oc::p2p {
namespace {

using test::hex;
using Texts = std::vector<std::string>;

const std::string kLabel(40, 'a');

const nlohmann::json& go() {
  static const auto loaded = test::load_json("libp2p/mdns.json");
  return loaded;
}

// A message of these counts, with `rest` behind its header.
Bytes message(std::uint16_t flags, std::vector<std::uint16_t> counts, BytesView rest) {
  Bytes out(12);
  put_be16(&out[2], flags);
  for (std::size_t i = 0; i < counts.size(); ++i) put_be16(&out[4 + 2 * i], counts[i]);
  append(out, rest);
  return out;
}
// A record of a name that is written already.
Bytes record(BytesView name, DnsType type, BytesView data, std::uint16_t of_class = 1) {
  Bytes out = to_bytes(name);
  Bytes head(10);
  put_be16(&head[0], static_cast<std::uint16_t>(type));
  put_be16(&head[2], of_class);
  put_be32(&head[4], 120);
  put_be16(&head[8], static_cast<std::uint16_t>(data.size()));
  append(out, head);
  append(out, data);
  return out;
}
Bytes instance_name() { return to_bytes(as_bytes(mdns_instance(kLabel).value())); }

Bytes texts(std::size_t count, const std::string& text) {
  Bytes data;
  for (std::size_t i = 0; i < count; ++i) {
    data.push_back(static_cast<Byte>(text.size()));
    append(data, as_bytes(text));
  }
  return data;
}

MdnsAnswer answer_of(Texts texts) {
  MdnsAnswer answer;
  answer.label = kLabel;
  answer.port = 1985;
  answer.texts = std::move(texts);
  return answer;
}

TEST(MdnsMessage, our_question_is_that_of_the_specification) {
  // RFC 1035, section 4.1: header; 5 "_p2p", 4 "_udp", 5 "local", PTR, IN.
  EXPECT_EQ(to_hex(write_mdns_query()),
            "000000000001000000000000"
            "045f703270045f756470056c6f63616c00"
            "000c0001");
}

TEST(MdnsMessage, our_answer_has_the_records_of_the_specification) {
  MdnsAnswer answer = answer_of({"dnsaddr=x"});
  answer.label = "me";
  answer.hosts = {asio::ip::make_address("fd00::1"), asio::ip::make_address("192.168.0.7"),
                  asio::ip::make_address("192.168.0.8")};
  EXPECT_EQ(to_hex(write_mdns_answer(answer)),
            "000084000000000100000004"
            "045f703270045f756470056c6f63616c00"
            "000c0001"
            "00000168"
            "0005"
            "026d65c00c"
            "c027"
            "00218001"
            "00000168"
            "000f"
            "00000000"
            "07c1"
            "026d6503703270c016"
            "c03e"
            "00018001"
            "00000168"
            "0004"
            "c0a80007"
            "c03e"
            "001c8001"
            "00000168"
            "0010"
            "fd000000000000000000000000000001"
            "c027"
            "00108001"
            "00000168"
            "000a"
            "09646e73616464723d78");
}

TEST(MdnsMessage, what_we_write_we_read) {
  MdnsAnswer answer = answer_of({"dnsaddr=/ip4/192.168.0.7/tcp/1985", "other=1"});
  answer.hosts = {asio::ip::make_address("192.168.0.7")};
  answer.names_service = true;
  const auto read = parse_mdns_message(write_mdns_answer(answer));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->response);
  EXPECT_TRUE(read->questions.empty());
  ASSERT_EQ(read->pointers.size(), 2u);
  EXPECT_EQ(read->pointers[0].name, mdns_services());
  EXPECT_EQ(read->pointers[0].target, mdns_service());
  EXPECT_EQ(read->pointers[1].name, mdns_service());
  EXPECT_EQ(read->pointers[1].target, mdns_instance(kLabel));
  EXPECT_EQ(read->pointers[1].ttl, kMdnsTtl);
  ASSERT_EQ(read->texts.size(), 1u);
  EXPECT_EQ(read->texts[0].name, mdns_instance(kLabel));
  EXPECT_EQ(read->texts[0].strings, answer.texts);

  const auto query = parse_mdns_message(write_mdns_query());
  ASSERT_TRUE(query);
  EXPECT_FALSE(query->response);
  ASSERT_EQ(query->questions.size(), 1u);
  EXPECT_EQ(query->questions[0].name, mdns_service());
  EXPECT_EQ(query->questions[0].type, DnsType::ptr);
}

TEST(MdnsMessage, the_question_of_go_is_read) {
  const auto read = parse_mdns_message(test::hex_of(go(), "query"));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->response);
  ASSERT_EQ(read->questions.size(), 1u);
  EXPECT_EQ(read->questions[0].name, mdns_service());
  EXPECT_EQ(read->questions[0].type, DnsType::ptr);
}

TEST(MdnsMessage, what_go_answers_and_announces_is_read) {
  for (const char* which : {"response", "announcement"}) {
    const auto read = parse_mdns_message(test::hex_of(go(), which));
    ASSERT_TRUE(read) << which;
    EXPECT_TRUE(read->response);
    ASSERT_EQ(read->texts.size(), 1u) << which;
    EXPECT_TRUE(is_mdns_instance(read->texts[0].name)) << which;
    Texts told = read->texts[0].strings;
    Texts expected;
    for (const std::string address : go().at("addresses"))
      expected.push_back("dnsaddr=" + address + "/p2p/" + test::text_of(go(), "peer"));
    std::ranges::sort(told);
    std::ranges::sort(expected);
    EXPECT_EQ(told, expected) << which;
  }
}

TEST(MdnsMessage, no_part_of_a_message_is_one) {
  for (const char* which : {"query", "response", "announcement"}) {
    const Bytes whole = test::hex_of(go(), which);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(parse_mdns_message(BytesView(whole).first(size))) << which << " " << size;
  }
}

TEST(MdnsMessage, names_do_not_know_case) {
  const Bytes asked = message(0, {1}, hex("045f503250 045f756470 054c4f43414c 00 000c 8001"));
  const auto read = parse_mdns_message(asked);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->questions.size(), 1u);
  EXPECT_EQ(read->questions[0].name, mdns_service());
}

TEST(MdnsMessage, an_instance_is_one_label_and_the_service) {
  EXPECT_TRUE(is_mdns_instance(mdns_instance("x")));
  EXPECT_FALSE(is_mdns_instance(mdns_service()));
  EXPECT_FALSE(is_mdns_instance(dns_name("a.b._p2p._udp.local")));
  EXPECT_FALSE(is_mdns_instance(dns_name("x._p2p._tcp.local")));
  EXPECT_FALSE(is_mdns_instance(DnsName()));
}

TEST(MdnsMessage, a_pointer_leads_only_to_the_front) {
  // To itself, forward, and in a circle of two.
  for (const char* name : {"c00c", "c0ff", "c00e c00c"}) {
    const auto read = parse_mdns_message(message(0, {1}, hex(std::string(name) + "000c 0001")));
    EXPECT_EQ(read.error(), Errc::malformed) << name;
  }
  // A label before a pointer to that label.
  EXPECT_EQ(parse_mdns_message(message(0, {1}, hex("0161 c00c 000c 0001"))).error(),
            Errc::malformed);
}

TEST(MdnsMessage, a_long_chain_of_pointers_is_not_followed) {
  // A name at offset 12, then pointers each to the one before, as names of records of no data.
  const auto chain = [](std::size_t length) {
    Bytes rest = record(hex("00"), DnsType::a, {});
    std::size_t last = 12;
    for (std::size_t i = 0; i < length; ++i) {
      Bytes pointer(2);
      put_be16(pointer.data(), static_cast<std::uint16_t>(0xc000 | last));
      last = 12 + rest.size();
      append(rest, record(pointer, DnsType::a, {}));
    }
    return message(0x8400, {0, static_cast<std::uint16_t>(1 + length)}, rest);
  };
  EXPECT_TRUE(parse_mdns_message(chain(kMaxDnsJumps)));
  EXPECT_EQ(parse_mdns_message(chain(kMaxDnsJumps + 1)).error(), Errc::malformed);
}

TEST(MdnsMessage, a_name_has_at_most_255_bytes) {
  const auto named = [](std::size_t last) {
    Bytes name;
    for (int i = 0; i < 3; ++i) {
      name.push_back(63);
      append(name, Bytes(63, 'a'));
    }
    name.push_back(static_cast<Byte>(last));
    append(name, Bytes(last, 'a'));
    name.push_back(0);
    append(name, hex("000c 0001"));
    return message(0, {1}, name);
  };
  EXPECT_TRUE(parse_mdns_message(named(61)));
  EXPECT_EQ(parse_mdns_message(named(62)).error(), Errc::malformed);
}

TEST(MdnsMessage, other_kinds_of_labels_are_refused) {
  for (const char* name : {"40", "80"}) {
    EXPECT_EQ(parse_mdns_message(message(0, {1}, hex(std::string(name) + "00 000c 0001"))).error(),
              Errc::malformed);
  }
}

TEST(MdnsMessage, other_operations_and_errors_are_not_read) {
  for (const std::uint16_t flags : {0x0800, 0x7800, 0x8403})
    EXPECT_EQ(parse_mdns_message(message(flags, {}, {})).error(), Errc::unsupported);
}

TEST(MdnsMessage, a_message_of_9000_bytes_is_read_and_no_longer_one) {
  Bytes data = texts(34, std::string(254, 'x'));
  Bytes rest = record(instance_name(), DnsType::txt, data);
  const std::size_t filler = kMaxMdnsMessage - 12 - rest.size() - 11;
  append(rest, record(hex("00"), DnsType::a, Bytes(filler)));
  const Bytes longest = message(0x8400, {0, 2}, rest);
  ASSERT_EQ(longest.size(), kMaxMdnsMessage);
  const auto read = parse_mdns_message(longest);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->texts[0].strings.size(), 34u);
  Bytes longer = longest;
  longer.push_back(0);
  EXPECT_EQ(parse_mdns_message(longer).error(), Errc::limit_exceeded);
}

TEST(MdnsMessage, of_ten_thousand_texts_the_first_are_kept) {
  EXPECT_EQ(parse_mdns_message(
                message(0x8400, {0, 1}, record(instance_name(), DnsType::txt, Bytes(10'000))))
                .error(),
            Errc::limit_exceeded);
  // As many as fit a message: strings of one byte, in one record and in many.
  const auto one = parse_mdns_message(
      message(0x8400, {0, 1}, record(instance_name(), DnsType::txt, texts(4400, "x"))));
  ASSERT_TRUE(one);
  ASSERT_EQ(one->texts.size(), 1u);
  EXPECT_EQ(one->texts[0].strings.size(), kMaxMdnsTexts);
  Bytes rest;
  for (int i = 0; i < 600; ++i) append(rest, record(hex("00"), DnsType::txt, texts(1, "x")));
  const auto many = parse_mdns_message(message(0x8400, {0, 600}, rest));
  ASSERT_TRUE(many);
  EXPECT_EQ(many->texts.size(), kMaxMdnsTexts);
  const auto empty = parse_mdns_message(
      message(0x8400, {0, 1}, record(instance_name(), DnsType::txt, Bytes(8000))));
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->texts.empty());
}

TEST(MdnsMessage, questions_and_records_beyond_the_bound_are_passed_over) {
  Bytes questions;
  for (std::size_t i = 0; i < 1000; ++i) append(questions, hex("00 000c 0001"));
  const auto asked = parse_mdns_message(message(0, {1000}, questions));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->questions.size(), kMaxMdnsRecords);
  Bytes records;
  for (std::size_t i = 0; i < 600; ++i) append(records, record(hex("00"), DnsType::ptr, hex("00")));
  const auto told = parse_mdns_message(message(0x8400, {0, 200, 200, 200}, records));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->pointers.size(), kMaxMdnsRecords);
}

TEST(MdnsMessage, counts_that_promise_more_than_there_is_cost_nothing) {
  EXPECT_EQ(parse_mdns_message(message(0, {0xffff, 0xffff, 0xffff, 0xffff}, {})).error(),
            Errc::truncated);
}

TEST(MdnsMessage, data_that_are_not_as_long_as_they_say_are_refused) {
  const auto read = [](BytesView of_record) {
    return parse_mdns_message(message(0x8400, {0, 1}, of_record));
  };
  EXPECT_EQ(read(record(hex("00"), DnsType::ptr, hex("0161 00 00"))).error(), Errc::malformed);
  EXPECT_EQ(read(record(hex("00"), DnsType::ptr, {})).error(), Errc::truncated);
  EXPECT_EQ(read(record(hex("00"), DnsType::txt, hex("0561"))).error(), Errc::malformed);
  Bytes cut = record(hex("00"), DnsType::a, hex("01020304"));
  cut.pop_back();
  EXPECT_EQ(read(cut).error(), Errc::truncated);
}

TEST(MdnsMessage, records_of_another_class_are_passed_over) {
  const auto read = parse_mdns_message(message(0x8400, {0, 2}, [] {
    Bytes both = record(hex("00"), DnsType::txt, hex("0161"), 3);
    append(both, record(hex("00"), DnsType::txt, hex("0162"), 0x8001));
    return both;
  }()));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->texts.size(), 1u);
  EXPECT_EQ(read->texts[0].strings, Texts{"b"});
}

TEST(MdnsMessage, texts_that_do_not_fit_one_packet_are_left_out) {
  Texts many;
  for (int i = 0; i < 40; ++i) many.push_back(std::string(97, 'x') + std::to_string(100 + i));
  const Bytes written = write_mdns_answer(answer_of(many));
  EXPECT_LE(written.size(), kMaxMdnsWritten);
  EXPECT_GT(written.size(), kMaxMdnsWritten - 101);
  const auto read = parse_mdns_message(written);
  ASSERT_TRUE(read);
  const Texts& told = read->texts.at(0).strings;
  EXPECT_GE(told.size(), 10u);
  EXPECT_TRUE(std::ranges::equal(told, std::span(many).first(told.size())));
}

TEST(MdnsMessage, an_answer_for_one_who_knows_dns_only_repeats_the_question) {
  MdnsMessage query;
  query.id = 0x1234;
  query.questions = {{mdns_service(), DnsType::ptr}};
  MdnsAnswer answer = answer_of({"dnsaddr=x"});
  answer.legacy_query = &query;
  const Bytes written = write_mdns_answer(answer);
  const auto read = parse_mdns_message(written);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, 0x1234);
  ASSERT_EQ(read->questions.size(), 1u);
  EXPECT_EQ(read->questions[0].name, mdns_service());
  EXPECT_EQ(read->pointers.at(0).ttl, kLegacyTtl);
  EXPECT_EQ(read->texts.at(0).ttl, kLegacyTtl);
  EXPECT_EQ(to_hex(written).find("8001"), std::string::npos) << "no class says more than IN";
}

}  // namespace
}  // namespace oc::p2p
