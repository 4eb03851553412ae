#include "p2p/nat/ssdp.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

using boost::asio::ip::make_address_v4;

Result<HttpPlace> answer(const std::string& location, const char* sender = "192.168.1.1") {
  return parse_ssdp_answer(
      "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\n"
      "LOCATION: " +
          location + "\r\nEXT:\r\n\r\n",
      make_address_v4(sender));
}

TEST(Ssdp, the_question_is_that_of_the_architecture) {
  EXPECT_EQ(ssdp_search("upnp:rootdevice"),
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
            "MX: 1\r\nST: upnp:rootdevice\r\n\r\n");
}

TEST(Ssdp, an_answer_names_the_description_of_its_sender) {
  const auto place = answer("http://192.168.1.1:5000/rootDesc.xml");
  ASSERT_TRUE(place);
  EXPECT_EQ(*place, (HttpPlace{make_address_v4("192.168.1.1"), Port(5000), "/rootDesc.xml"}));
}

TEST(Ssdp, header_names_have_no_case_and_lines_may_end_in_a_bare_line_feed) {
  EXPECT_TRUE(parse_ssdp_answer("HTTP/1.0 200 OK\nlocation :\thttp://10.0.0.1/d\n\n",
                                make_address_v4("10.0.0.1")));
}

// The hosts of the places, in their order, when these senders answer one after the other; each
// answer names another path.
std::vector<std::string> asked(const std::vector<std::string>& senders, const char* router) {
  std::optional<boost::asio::ip::address_v4> known;
  if (router != nullptr) known = make_address_v4(router);
  SsdpPlaces places(known);
  for (std::size_t i = 0; i < senders.size(); ++i) {
    places.take("HTTP/1.1 200 OK\r\nLOCATION: http://" + senders[i] + ":80/" + std::to_string(i) +
                    "\r\n\r\n",
                make_address_v4(senders[i]));
  }
  std::vector<std::string> hosts;
  for (const HttpPlace& place : places.ordered()) hosts.push_back(place.host.to_string());
  return hosts;
}

TEST(Ssdp, the_default_router_is_asked_first_whoever_answers_before_it) {
  const std::vector<std::string> answers{"192.168.1.66", "192.168.1.1", "192.168.1.67",
                                         "192.168.1.1"};
  EXPECT_EQ(
      asked(answers, "192.168.1.1"),
      (std::vector<std::string>{"192.168.1.1", "192.168.1.1", "192.168.1.66", "192.168.1.67"}));
  EXPECT_EQ(asked(answers, nullptr), answers) << "without one it goes by who came first";
}

TEST(Ssdp, a_device_that_answers_often_takes_nobodys_turn) {
  std::vector<std::string> answers(20, "192.168.1.66");
  answers.push_back("192.168.1.2");
  EXPECT_EQ(asked(answers, nullptr),
            (std::vector<std::string>{"192.168.1.66", "192.168.1.66", "192.168.1.2"}));
}

TEST(Ssdp, many_devices_leave_the_default_router_its_turn) {
  std::vector<std::string> answers;
  for (int i = 0; i < 50; ++i) answers.push_back("192.168.2." + std::to_string(i));
  answers.push_back("192.168.1.1");
  const auto hosts = asked(answers, "192.168.1.1");
  EXPECT_EQ(hosts.size(), kMaxUpnpDevices + 1);
  EXPECT_EQ(hosts.front(), "192.168.1.1");
}

TEST(Ssdp, nobody_can_send_us_to_somebody_else) {
  for (const char* elsewhere : {"http://192.168.1.2:80/", "http://127.0.0.1:1984/api", "http://0/",
                                "http://169.254.169.254/latest/meta-data"}) {
    EXPECT_FALSE(answer(elsewhere)) << elsewhere;
  }
}

TEST(Ssdp, a_router_is_on_the_local_link) {
  for (const char* far : {"203.0.113.7", "8.8.8.8", "100.64.0.1", "0.0.0.0", "255.255.255.255"}) {
    const auto place = answer("http://" + std::string(far) + "/", far);
    EXPECT_TRUE(!place && place.error() == Errc::permission_denied) << far;
  }
  for (const char* near : {"10.1.2.3", "172.16.0.1", "192.168.0.254", "169.254.7.7"}) {
    EXPECT_TRUE(answer("http://" + std::string(near) + "/", near)) << near;
  }
}

TEST(Ssdp, what_is_no_answer_is_refused) {
  const auto sender = make_address_v4("192.168.1.1");
  for (const char* text : {"", "\r\n", "HTTP/1.\r\n", "HTTP/1.1 20\r\n",
                           "NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n\r\n",
                           "HTTP/1.1 404 Not Found\r\nLOCATION: http://192.168.1.1/\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n",
                           "HTTP/1.1 200 OK\r\n\r\nLOCATION: http://192.168.1.1/\r\n"}) {
    const auto place = parse_ssdp_answer(text, sender);
    EXPECT_TRUE(!place && place.error() == Errc::malformed) << text;
  }
  const std::string padded = "HTTP/1.1 200 OK\r\nX: " + std::string(kMaxSsdpAnswer, 'x') +
                             "\r\nLOCATION: http://192.168.1.1/\r\n\r\n";
  EXPECT_EQ(parse_ssdp_answer(padded, sender).error(), Errc::limit_exceeded);
}

TEST(HttpUrl, port_and_path_may_be_left_out) {
  const auto place = parse_http_url("HTTP://192.168.1.1");
  ASSERT_TRUE(place);
  EXPECT_EQ(*place, (HttpPlace{make_address_v4("192.168.1.1"), Port(80), "/"}));
}

TEST(HttpUrl, a_host_is_a_plain_address) {
  for (const char* url :
       {"http://router.lan/", "http://localhost/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://2130706433/", "http://192.168.1.1.evil.example/", "http://user@192.168.1.1/",
        "http://[::1]/", "https://192.168.1.1/", "ftp://192.168.1.1/", "//192.168.1.1/", ""}) {
    const auto place = parse_http_url(url);
    EXPECT_TRUE(!place && place.error() == Errc::unsupported) << url;
  }
}

TEST(HttpUrl, ports_and_paths_are_held_to_their_grammar) {
  for (const char* url :
       {"http://192.168.1.1:0/", "http://192.168.1.1:65536/", "http://192.168.1.1:/",
        "http://192.168.1.1:80x/", "http://192.168.1.1/a b", "http://192.168.1.1/a\r\nHost: b"}) {
    const auto place = parse_http_url(url);
    EXPECT_TRUE(!place && place.error() == Errc::malformed) << url;
  }
  EXPECT_EQ(parse_http_url("http://192.168.1.1/" + std::string(kMaxUrl, 'a')).error(),
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace oc::p2p
