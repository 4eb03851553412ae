// An API server with a fake node, a real store and quick passwords. For tests.
#pragma once

#include "api/api_server.hpp"
#include "api/fake_node.hpp"
#include "support/store_fixture.hpp"

namespace oc::api::test {

// The fields of a request that matter to a test.
struct Ask {
  std::string method = "GET";
  std::string target;
  std::string body = "";
  std::string token = "";    // as Bearer
  std::string peer_id = "";  // through the overlay
  std::string address = "192.0.2.9";
  net::HttpHeaders headers = {};  // beside those that follow from the above
};

class ApiTest : public store::test::StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    store = open_store();
    PasswordChecks checks;
    checks.verify = [this](std::string_view password, std::string_view hash) {
      ++verified;
      return hash == "hash of " + std::string(password);
    };
    checks.derive = [this](std::string_view password, std::string_view network) {
      ++derived;
      return secret_of(password, network);
    };
    ApiOptions options;
    options.host_names = {"node.example"};
    options.password_checks = checks;
    server = std::make_unique<ApiServer>(node, *store, clock, random, workers, options);
    run([this]() -> awaitable<void> {
      const store::RootUserRow root{"root", "hash of secret"};
      auto put = co_await store->users.put_root(root);
      EXPECT_TRUE(put);
      store::NetworkRow network;
      network.name = "home";
      network.secret = crypto::Secret<32>(secret_of("sesame", "home"));
      auto joined = co_await store->networks.put(network);
      EXPECT_TRUE(joined);
    });
  }
  void TearDown() override {
    server.reset();
    store.reset();
    StoreTest::TearDown();
  }

  static FixedBytes<32> secret_of(std::string_view password, std::string_view network) {
    FixedBytes<32> secret{};
    const std::string text = std::string(network) + ":" + std::string(password);
    for (std::size_t i = 0; i < text.size(); ++i)
      secret[i % 32] ^= static_cast<Byte>(text[i] + static_cast<char>(i));
    return secret;
  }

  net::HttpResponse ask(const Ask& what) {
    net::HttpRequest request;
    request.method = what.method;
    request.target = what.target;
    request.body = what.body;
    request.headers = what.headers;
    const auto add = [&request](const char* name, const std::string& value) {
      if (!net::find_header(request.headers, name)) request.headers.emplace_back(name, value);
    };
    add("Host", "localhost:1984");
    if (!what.body.empty()) add("Content-Type", "application/json");
    if (!what.token.empty()) add("Authorization", "Bearer " + what.token);
    net::RequestOrigin origin;
    if (what.peer_id.empty()) origin.address = what.address;
    origin.peer_id = what.peer_id;
    net::HttpResponse response;
    run([&]() -> awaitable<void> { response = co_await server->answer(request, origin); });
    return response;
  }
  static Json json(const net::HttpResponse& response) {
    return Json::parse(response.body, nullptr, false);
  }
  // "OC-4001" of an error, "" of anything else.
  static std::string code(const net::HttpResponse& response) {
    const Json body = json(response);
    return body.is_object() && body.contains("error") ? body["error"]["code"].get<std::string>()
                                                      : "";
  }

  net::HttpResponse try_login(const std::string& name, const std::string& password,
                              const std::string& address = "192.0.2.9") {
    const Json body = {{"email", name}, {"password", password}};
    return ask({.method = "POST",
                .target = "/api/v1/user/login",
                .body = body.dump(),
                .address = address});
  }
  std::string login(const std::string& name, const std::string& password) {
    const auto response = try_login(name, password);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.status == 200 ? json(response)["session_id"].get<std::string>() : "";
  }
  std::string admin() { return login("root", "secret"); }
  std::string reader() { return login("home", "sesame"); }

  FakeNode node;
  FakeClock clock;
  FakeRandom random{7};
  WorkerPool workers{1, 64};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<ApiServer> server;
  std::atomic<int> verified = 0, derived = 0;
};

}  // namespace oc::api::test
