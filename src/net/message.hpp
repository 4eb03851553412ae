// Protobuf messages on a stream, each with its uvarint length in front (read_delimited).
#pragma once

#include <string>

#include "net/stream.hpp"

namespace oc::net {

// Writes one message in one piece.
template <class Message>
awaitable<Result<void>> send_message(Stream& stream, Message message) {
  const std::string bytes = message.SerializeAsString();
  co_return co_await write_delimited(stream, as_bytes(bytes));
}

// Reads one message of at most `limit` bytes. Errors of read_delimited, and Errc::malformed when it
// does not parse.
template <class Message>
awaitable<Result<Message>> receive_message(Stream& stream, std::size_t limit) {
  CO_TRY(const Bytes bytes, co_await read_delimited(stream, limit));
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    co_return Errc::malformed;
  co_return message;
}

}  // namespace oc::net
