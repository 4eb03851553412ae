#include "p2p/upgrade/multistream.hpp"

#include "codec/varint.hpp"
#include "net/preamble_stream.hpp"

namespace oc::p2p {
namespace {

constexpr std::string_view kNotAvailable = "na";
constexpr std::string_view kList = "ls";

awaitable<Result<std::string>> read_message(net::Stream& stream) {
  auto raw = co_await net::read_delimited(stream, kMaxMultistreamMessage);
  if (!raw) {
    const bool format = raw.error() == Errc::limit_exceeded || raw.error() == Errc::malformed;
    co_return format ? error_code(Errc::protocol_violation) : raw.error();
  }
  if (raw->empty() || raw->back() != '\n') co_return Errc::protocol_violation;
  co_return std::string(as_text(*raw).substr(0, raw->size() - 1));
}

awaitable<Result<void>> expect_header(net::Stream& stream) {
  CO_TRY(const std::string header, co_await read_message(stream));
  if (header != kMultistreamId) co_return Errc::protocol_violation;
  co_return success();
}

awaitable<Result<void>> expect_answer(net::Stream& stream, std::string protocol) {
  CO_CHECK(co_await expect_header(stream));
  CO_TRY(const std::string answer, co_await read_message(stream));
  if (answer != protocol) co_return P2pErrc::negotiation_failed;
  co_return success();
}

}  // namespace

Bytes encode_multistream(std::string_view text) {
  Bytes out;
  codec::put_uvarint(out, text.size() + 1);
  append(out, as_bytes(text));
  out.push_back('\n');
  return out;
}

awaitable<Result<std::string>> select_as_dialer(net::Stream& stream,
                                                std::span<const std::string> offers) {
  if (offers.empty()) co_return P2pErrc::negotiation_failed;
  Bytes opening = encode_multistream(kMultistreamId);
  append(opening, encode_multistream(offers.front()));
  CO_CHECK(co_await stream.write(opening));
  CO_CHECK(co_await expect_header(stream));
  for (std::size_t i = 0;; ++i) {
    CO_TRY(const std::string answer, co_await read_message(stream));
    if (answer == offers[i]) co_return answer;
    if (answer != kNotAvailable) co_return Errc::protocol_violation;
    if (i + 1 == offers.size()) co_return P2pErrc::negotiation_failed;
    const Bytes proposal = encode_multistream(offers[i + 1]);
    CO_CHECK(co_await stream.write(proposal));
  }
}

awaitable<Result<std::string>> select_as_listener(net::Stream& stream,
                                                  std::function<bool(std::string_view)> supports) {
  const Bytes header = encode_multistream(kMultistreamId);
  CO_CHECK(co_await stream.write(header));
  CO_CHECK(co_await expect_header(stream));
  for (int i = 0; i < kMaxProposals; ++i) {
    CO_TRY(const std::string proposal, co_await read_message(stream));
    // `ls` is answered like an unknown protocol, as go does.
    const bool taken = proposal != kList && supports(proposal);
    const Bytes answer = encode_multistream(taken ? std::string_view(proposal) : kNotAvailable);
    CO_CHECK(co_await stream.write(answer));
    if (taken) co_return proposal;
  }
  co_return P2pErrc::negotiation_failed;
}

awaitable<Result<std::unique_ptr<net::Stream>>> select_lazily(std::unique_ptr<net::Stream> stream,
                                                              std::string protocol) {
  Bytes opening = encode_multistream(kMultistreamId);
  append(opening, encode_multistream(protocol));
  CO_CHECK(co_await stream->write(opening));
  co_return net::with_preamble(std::move(stream),
                               [protocol = std::move(protocol)](net::Stream& below) {
                                 return expect_answer(below, protocol);
                               });
}

}  // namespace oc::p2p
