#include "conformance/resolver_conformance.hpp"

#include "net/dns_resolver.hpp"
#include "support/fake_dns_server.hpp"
#include "support/fake_resolver.hpp"

namespace oc::test {
namespace {

class FakeWorld final : public ResolverWorld {
 public:
  FakeWorld() {
    resolver_.add_host("both.example", {"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"});
    resolver_.add_host("v4.example", {"192.0.2.3"});
    resolver_.add_text("text.example", "first");
    resolver_.add_text("text.example", "second");
    resolver_.silence("silent.example");
  }
  net::Resolver& resolver() override { return resolver_; }

 private:
  FakeResolver resolver_;
};

std::vector<Bytes> answer(const DnsQuestion& question) {
  std::vector<DnsRecord> records;
  if (question.name == "silent.example") return {};
  if (question.name == "both.example" && question.type == DnsType::a) {
    records = {dns_address("192.0.2.1"), dns_address("192.0.2.2")};
  } else if (question.name == "both.example" && question.type == DnsType::aaaa) {
    records = {dns_address("2001:db8::1"), dns_address("2001:db8::2")};
  } else if (question.name == "v4.example" && question.type == DnsType::a) {
    records = {dns_address("192.0.2.3")};
  } else if (question.name == "text.example" && question.type == DnsType::txt) {
    records = {dns_text({"first"}), dns_text({"second"})};
  }
  return {
      dns_answer(question, records, question.name == "missing.example" ? kDnsNoSuchName : kDnsOk)};
}

class DnsWorld final : public ResolverWorld {
 public:
  explicit DnsWorld(Executor executor)
      : server_(executor, answer),
        resolver_(clock_, {server_.address(), std::chrono::hours(1), 1, std::chrono::hours(1)}) {}
  net::Resolver& resolver() override { return resolver_; }
  awaitable<void> close() override { return server_.close(); }

 private:
  FakeClock clock_;
  FakeDnsServer server_;
  net::DnsResolver resolver_;
};

std::unique_ptr<ResolverWorld> fake_world(const Executor&) { return std::make_unique<FakeWorld>(); }
std::unique_ptr<ResolverWorld> dns_world(const Executor& executor) {
  return std::make_unique<DnsWorld>(executor);
}

INSTANTIATE_TEST_SUITE_P(Net, ResolverConformance,
                         testing::Values(ResolverKind{"fake", fake_world},
                                         ResolverKind{"dns", dns_world}),
                         resolver_name);

}  // namespace
}  // namespace oc::test
