// A resolver that knows what a test told it, and remembers what it was asked.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "net/resolver.hpp"

namespace oc::test {

class FakeResolver final : public net::Resolver {
 public:
  using Addresses = std::vector<asio::ip::address>;

  void add_host(const std::string& name, const std::vector<std::string>& addresses) {
    for (const std::string& address : addresses) {
      const auto ip = asio::ip::make_address(address);
      (ip.is_v6() ? v6_ : v4_)[name].push_back(ip);
    }
  }
  void add_text(const std::string& name, std::string text) {
    texts_[name].push_back(std::move(text));
  }
  // Look-ups of this name end only when they are cancelled.
  void silence(const std::string& name) { silent_.insert(name); }

  // The names, in the order of the look-ups.
  const std::vector<std::string>& asked() const { return asked_; }

  awaitable<Result<Addresses>> addresses_of(std::string name, net::AddressFamily family) override {
    error_code not_literal;
    (void)asio::ip::make_address(name, not_literal);
    if (!not_literal && !v4_.contains(name) && !v6_.contains(name)) add_host(name, {name});
    if (not_literal) CO_CHECK(co_await ask(name));
    const Addresses v6 = family == net::AddressFamily::v4 ? Addresses() : v6_[name];
    const Addresses v4 = family == net::AddressFamily::v6 ? Addresses() : v4_[name];
    Addresses all;
    for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
      if (i < v6.size()) all.push_back(v6[i]);
      if (i < v4.size()) all.push_back(v4[i]);
    }
    if (all.empty()) co_return Errc::not_found;
    co_return all;
  }

  awaitable<Result<std::vector<std::string>>> texts_of(std::string name) override {
    CO_CHECK(co_await ask(name));
    if (!texts_.contains(name)) co_return Errc::not_found;
    co_return texts_[name];
  }

 private:
  // Never at once: no answer of the network is.
  awaitable<Result<void>> ask(std::string name) {
    asked_.push_back(name);
    Event answered;
    if (!silent_.contains(name)) {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      answered.set();
    }
    co_return co_await answered.wait();
  }

  std::map<std::string, Addresses> v6_, v4_;
  std::map<std::string, std::vector<std::string>> texts_;
  std::set<std::string> silent_;
  std::vector<std::string> asked_;
};

}  // namespace oc::test
