// A DNS server on loopback, by UDP and TCP, that says what a test wants. And the messages it says.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "net/stream.hpp"
#include "net/tcp.hpp"

namespace oc::test {

enum class DnsType : std::uint16_t { a = 1, cname = 5, txt = 16, aaaa = 28 };

struct DnsQuestion {
  std::uint16_t id = 0;
  std::string name;
  DnsType type{};
  bool tcp = false;
  Bytes bytes;  // name, type and class as they came
};

struct DnsRecord {
  DnsType type;
  Bytes data;
};

inline Bytes dns_name(std::string_view name) {
  Bytes out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.push_back(static_cast<Byte>(label.size()));
    append(out, as_bytes(label));
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back(0);
  return out;
}
inline DnsRecord dns_address(const std::string& text) {
  const auto ip = asio::ip::make_address(text);
  if (ip.is_v4()) return {DnsType::a, to_bytes(ip.to_v4().to_bytes())};
  return {DnsType::aaaa, to_bytes(ip.to_v6().to_bytes())};
}
inline DnsRecord dns_text(std::initializer_list<std::string> strings) {
  Bytes data;
  for (const std::string& string : strings) {
    data.push_back(static_cast<Byte>(string.size()));
    append(data, as_bytes(string));
  }
  return {DnsType::txt, data};
}
inline DnsRecord dns_alias(std::string_view name) { return {DnsType::cname, dns_name(name)}; }

// Response codes, and the flag that sends the asker to TCP (RFC 1035, section 4.1.1).
inline constexpr std::uint16_t kDnsOk = 0, kDnsServerFailed = 2, kDnsNoSuchName = 3;
inline constexpr std::uint16_t kDnsTruncated = 0x0200;

inline Bytes dns_answer(const DnsQuestion& question, const std::vector<DnsRecord>& records,
                        std::uint16_t flags = kDnsOk) {
  Bytes out;
  const auto put16 = [&out](std::size_t value) {
    out.push_back(static_cast<Byte>(value >> 8));
    out.push_back(static_cast<Byte>(value));
  };
  constexpr std::uint16_t kAnswer = 0x8180;  // with recursion, as was desired
  for (const std::size_t field : {std::size_t{question.id}, std::size_t{kAnswer} | flags,
                                  std::size_t{1}, records.size(), std::size_t{0}, std::size_t{0}}) {
    put16(field);
  }
  append(out, question.bytes);
  for (const DnsRecord& record : records) {
    put16(0xc00c);  // the question's name
    put16(static_cast<std::uint16_t>(record.type));
    put16(1);  // class IN
    put16(0);
    put16(60);  // time to live
    put16(record.data.size());
    append(out, record.data);
  }
  return out;
}

// Thread: the executor's. Close it before destruction.
class FakeDnsServer {
 public:
  // The messages that answer a question, in order; none: silence.
  using Answers = std::function<std::vector<Bytes>(const DnsQuestion&)>;

  FakeDnsServer(Executor executor, Answers answers)
      : answers_(std::move(answers)), udp_(executor), tasks_(executor) {
    open(executor);
    tasks_.spawn("udp", serve_udp());
    tasks_.spawn("tcp", accept_tcp());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(tcp_->local().port()); }
  const std::vector<DnsQuestion>& asked() const { return asked_; }

  awaitable<void> close() {
    udp_.close();
    tcp_->close();
    co_await tasks_.close();
  }

 private:
  using Udp = asio::ip::udp;

  // Takes a port that is free for both.
  void open(const Executor& executor) {
    const auto loopback = asio::ip::address_v4::loopback();
    for (int tries = 0; tries < 32; ++tries) {
      udp_ = Udp::socket(executor, Udp::endpoint(loopback, 0));
      auto tcp = net::TcpListener::open(executor, {loopback, udp_.local_endpoint().port()});
      if (!tcp) continue;
      tcp_.emplace(*std::move(tcp));
      return;
    }
    throw std::runtime_error("no port is free for UDP and TCP");
  }

  std::vector<Bytes> answer(BytesView message, bool tcp) {
    DnsQuestion question;
    question.id = get_be16(message.data());
    question.tcp = tcp;
    BytesView rest = message.subspan(12);
    while (rest.front() != 0) {
      if (!question.name.empty()) question.name += '.';
      question.name += as_text(rest.subspan(1, rest.front()));
      rest = rest.subspan(rest.front() + std::size_t{1});
    }
    question.type = static_cast<DnsType>(get_be16(rest.data() + 1));
    question.bytes = to_bytes(message.subspan(12, message.size() - 12 - rest.size() + 5));
    asked_.push_back(question);
    return answers_(question);
  }

  awaitable<void> serve_udp() {
    FixedBytes<512> message;
    for (;;) {
      Udp::endpoint from;
      auto [error, size] = co_await udp_.async_receive_from(asio::buffer(message), from,
                                                            asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      for (const Bytes& reply : answer(BytesView(message).first(size), false)) {
        udp_.send_to(asio::buffer(reply), from);
      }
    }
  }

  awaitable<void> accept_tcp() {
    for (;;) {
      auto accepted = co_await tcp_->accept();
      if (!accepted) co_return;
      tasks_.spawn("tcp asker", serve_tcp(std::move(accepted->stream)));
    }
  }

  awaitable<void> serve_tcp(std::unique_ptr<net::Stream> stream) {
    for (;;) {
      FixedBytes<2> size;
      if (auto read = co_await net::read_exactly(*stream, size); !read) co_return;
      Bytes message(get_be16(size.data()));
      if (auto read = co_await net::read_exactly(*stream, message); !read) co_return;
      for (const Bytes& reply : answer(message, true)) {
        put_be16(size.data(), static_cast<std::uint16_t>(reply.size()));
        if (auto written = co_await stream->write(size); !written) co_return;
        if (auto written = co_await stream->write(reply); !written) co_return;
      }
    }
  }

  Answers answers_;
  Udp::socket udp_;
  std::optional<net::TcpListener> tcp_;
  std::vector<DnsQuestion> asked_;
  TaskScope tasks_;
};

}  // namespace oc::test
