#include "tunnel/tunnel_protocol.hpp"

#include "net/fake_stream.hpp"
#include "support/run_async.hpp"
#include "support/wire_page.hpp"
#include "tunnel/tunnel.pb.h"

namespace oc::tunnel {
namespace {

// What a sender writes to the wire.
template <class Send>
Bytes written_by(Send send) {
  Bytes out;
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [from, to] = net::make_fake_stream_pair();
    EXPECT_TRUE(co_await send(*from));
    EXPECT_TRUE(co_await from->close_write());
    for (;;) {
      FixedBytes<2048> bytes;
      const auto n = co_await to->read_some(bytes);
      if (!n) break;
      append(out, BytesView(bytes).first(*n));
    }
  };
  test::run_async(io, [&body] { return body(); });
  return out;
}

// What a receiver makes of bytes on the wire, delivered one by one.
template <class T, class Receive>
Result<T> read_by(BytesView bytes, Receive receive) {
  Result<T> result = Errc::cancelled;
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [from, to] = net::make_fake_stream_pair({.largest_read = 1});
    EXPECT_TRUE(co_await from->write(bytes));
    EXPECT_TRUE(co_await from->close_write());
    result = co_await receive(*to);
  };
  test::run_async(io, [&body] { return body(); });
  return result;
}

Result<TunnelHeader> header_in(BytesView bytes) {
  return read_by<TunnelHeader>(bytes, [](net::Stream& stream) { return receive_header(stream); });
}
Result<std::optional<Fault>> answer_in(BytesView bytes) {
  return read_by<std::optional<Fault>>(bytes,
                                       [](net::Stream& stream) { return receive_answer(stream); });
}
Bytes bytes_of(const TunnelHeader& header) {
  return written_by([&header](net::Stream& stream) { return send_header(stream, header); });
}
Bytes bytes_of(const std::optional<Fault>& refusal) {
  return written_by([&refusal](net::Stream& stream) { return send_answer(stream, refusal); });
}

template <class Message>
Bytes delimited(const Message& message) {
  const std::string text = message.SerializeAsString();
  return written_by(
      [&text](net::Stream& stream) { return net::write_delimited(stream, as_bytes(text)); });
}

TunnelHeader page_header() {
  TunnelHeader header;
  header.network = overlay::network_id(overlay::NetworkName("home"));
  header.target_port = Port(8080);
  header.origin_port = Port(443);
  header.source_address = "192.0.2.1:50000";
  return header;
}

pb::TunnelHeader good_message() {
  pb::TunnelHeader message;
  message.set_network_id(std::string(32, 'n'));
  message.set_target_port(8080);
  return message;
}

TEST(TunnelHeader, is_read_back_as_it_was_sent) {
  TunnelHeader header = page_header();
  header.probe = true;
  const auto read = header_in(bytes_of(header));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->network, header.network);
  EXPECT_EQ(read->target_port, header.target_port);
  EXPECT_EQ(read->origin_port, header.origin_port);
  EXPECT_EQ(read->source_address, header.source_address);
  EXPECT_TRUE(read->probe);
}

TEST(TunnelHeader, has_the_bytes_of_the_documentation) {
  const Fault refusal(FaultCode::target_refused, "nobody listens on 127.0.0.1:8080");
  for (const Bytes& bytes : {bytes_of(page_header()), bytes_of(std::nullopt), bytes_of(refusal)}) {
    EXPECT_TRUE(test::page_shows("tunnel.md", bytes)) << to_hex(bytes);
  }
}

TEST(TunnelHeader, of_wrong_sizes_is_malformed) {
  const auto error_of = [](auto change) {
    pb::TunnelHeader message = good_message();
    change(message);
    const auto read = header_in(delimited(message));
    return read ? error_code() : read.error();
  };
  EXPECT_FALSE(error_of([](auto&) {}));
  EXPECT_EQ(error_of([](auto& m) { m.set_network_id("short"); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_network_id(std::string(33, 'n')); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_target_port(0); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_target_port(65536); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_target_port(0xffffffff); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_origin_port(65536); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_source_address(std::string(65, '1')); }), Errc::malformed);
  EXPECT_EQ(error_of([](auto& m) { m.set_source_address(std::string(500, '1')); }),
            Errc::limit_exceeded);
}

TEST(TunnelHeader, of_a_kind_to_come_is_unsupported) {
  Bytes bytes = delimited(good_message());
  append(bytes, Bytes{0x10, 0x07});  // kind = 7
  bytes[0] = static_cast<Byte>(bytes[0] + 2);
  EXPECT_EQ(header_in(bytes).error(), Errc::unsupported);
}

TEST(TunnelHeader, brings_no_control_characters_in) {
  pb::TunnelHeader message = good_message();
  message.set_source_address("192.0.2.1\r\n\x1b[2J\xff:80");
  EXPECT_EQ(header_in(delimited(message))->source_address, "192.0.2.1[2J:80");
}

TEST(TunnelHeader, cut_off_anywhere_is_no_header) {
  const Bytes whole = bytes_of(page_header());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(header_in(BytesView(whole).first(size))) << size;
  }
  EXPECT_TRUE(header_in(whole));
}

TEST(TunnelHeader, leaves_what_follows_it_in_the_stream) {
  Bytes bytes = bytes_of(page_header());
  append(bytes, as_bytes("GET /"));
  std::string rest;
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [from, to] = net::make_fake_stream_pair();
    EXPECT_TRUE(co_await from->write(bytes));
    EXPECT_TRUE(co_await receive_header(*to));
    FixedBytes<5> read;
    EXPECT_TRUE(co_await net::read_exactly(*to, read));
    rest = as_text(read);
  };
  test::run_async(io, [&body] { return body(); });
  EXPECT_EQ(rest, "GET /");
}

TEST(TunnelAnswer, accepts_or_brings_the_fault_over) {
  const auto accepted = answer_in(bytes_of(std::nullopt));
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(*accepted);
  const auto refused = answer_in(bytes_of(Fault(FaultCode::no_ingress_rule, "there is no rule")));
  ASSERT_TRUE(refused && *refused);
  EXPECT_EQ((*refused)->code, FaultCode::no_ingress_rule);
  EXPECT_EQ((*refused)->message, "there is no rule");
  EXPECT_EQ((*refused)->hint, Fault(FaultCode::no_ingress_rule, "").hint);
}

TEST(TunnelAnswer, of_a_code_that_is_unknown_or_not_about_tunnels_is_a_refusal) {
  for (const std::uint32_t code : {0u, 3999u, 4001u, 6001u, 1099u, 0x7fffffffu, 0xffffffffu}) {
    pb::TunnelAnswer message;
    message.set_code(code);
    message.set_message("because");
    const auto answer = answer_in(delimited(message));
    ASSERT_TRUE(answer && *answer) << code;
    EXPECT_EQ((*answer)->code, FaultCode::target_refused) << code;
    EXPECT_EQ((*answer)->message, "because");
  }
}

TEST(TunnelAnswer, cannot_disturb_a_terminal_or_a_page) {
  pb::TunnelAnswer message;
  message.set_code(3104);
  message.set_message("\x1b[2J<b>\r\n\xc2\x9b\xff");
  const auto answer = answer_in(delimited(message));
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->message, "[2J<b>");
  message.set_message("ünïcode is fine");
  EXPECT_EQ((*answer_in(delimited(message)))->message, "ünïcode is fine");
  message.set_message(std::string(900, 'x'));
  EXPECT_EQ((*answer_in(delimited(message)))->message.size(), 400u);
}

TEST(TunnelAnswer, is_bounded_in_both_directions) {
  const Bytes longest = bytes_of(Fault(FaultCode::target_refused, std::string(100'000, 'x')));
  EXPECT_LE(longest.size(), kMaxTunnelAnswer);
  EXPECT_TRUE(answer_in(longest));
  pb::TunnelAnswer message;
  message.set_message(std::string(kMaxTunnelAnswer, 'x'));
  EXPECT_EQ(answer_in(delimited(message)).error(), Errc::limit_exceeded);
}

TEST(TunnelAnswer, cut_off_anywhere_is_no_answer) {
  const Bytes whole = bytes_of(Fault(FaultCode::target_refused, "nobody listens"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(answer_in(BytesView(whole).first(size))) << size;
  }
  EXPECT_EQ(answer_in({}).error(), Errc::eof);
  EXPECT_FALSE(answer_in(Bytes{2, 0xff, 0xff}));
}

}  // namespace
}  // namespace oc::tunnel
