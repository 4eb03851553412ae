#include <algorithm>

#include "cases.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

// What each of the streams carries.
using Block = FixedBytes<1024>;

awaitable<Verdict<StreamPtr>> open_echo(p2p::ConnectionPtr connection, const Block& block) {
  CO_TRY(StreamPtr stream, explain("open", co_await connection->open_stream(served("echo"))));
  CO_CHECK(explain("write", co_await stream->write(block)));
  co_return stream;
}

awaitable<Verdict<void>> hear_echo(net::Stream& stream, const Block& block) {
  Block came;
  CO_CHECK(explain("read", co_await net::read_exactly(stream, came)));
  if (came != block) co_return Failure{"other bytes came back than were sent"};
  co_return Verdict<void>();
}

// Ends our half, upon which the echo has to end the other.
awaitable<Verdict<void>> end_echo(net::Stream& stream) {
  CO_CHECK(explain("end", co_await stream.close_write()));
  CO_CHECK(explain("the echo's end", co_await read_rest(stream, 0)));
  co_return Verdict<void>();
}

}  // namespace

CaseResult streams_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  Block block;
  Pattern pattern;
  const Buffer bytes = pattern.next(block.size());
  std::copy_n(bytes.data(), block.size(), block.begin());
  std::vector<StreamPtr> streams;
  while (streams.size() < dialer.count("count")) {
    CO_TRY(StreamPtr stream, co_await open_echo(connection, block));
    streams.push_back(std::move(stream));
  }
  for (const StreamPtr& stream : streams) CO_CHECK(co_await hear_echo(*stream, block));
  for (const StreamPtr& stream : streams) CO_CHECK(co_await end_echo(*stream));
  Json out;
  out["count"] = streams.size();
  co_return out;
}

}  // namespace oc::interop
