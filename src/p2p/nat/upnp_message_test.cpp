#include "p2p/nat/upnp_message.hpp"

#include <gtest/gtest.h>

namespace oc::p2p {
namespace {

const HttpPlace kFrom{boost::asio::ip::make_address_v4("192.168.1.1"), Port(5000), "/rootDesc.xml"};
constexpr const char* kIp1 = "urn:schemas-upnp-org:service:WANIPConnection:1";

std::string service(const std::string& type, const std::string& control) {
  return "<service><serviceType>" + type + "</serviceType><serviceId>x</serviceId><controlURL>" +
         control + "</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service>";
}
std::string description(const std::string& services, const std::string& base = "") {
  return "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">" +
         (base.empty() ? "" : "<URLBase>" + base + "</URLBase>") +
         "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>"
         "<deviceList><device><serviceList>" +
         services + "</serviceList></device></deviceList></device></root>";
}
std::vector<UpnpService> parse(const std::string& control, const std::string& base = "") {
  return parse_upnp_description(description(service(kIp1, control), base), kFrom);
}

TEST(UpnpDescription, names_the_service_and_where_to_control_it) {
  const auto found = parse("/ctl/IPConn");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0], (UpnpService{{kFrom.host, Port(5000), "/ctl/IPConn"}, kIp1}));
}

TEST(UpnpDescription, relative_absolute_and_based_urls_lead_to_the_same_host) {
  EXPECT_EQ(parse("ctl").at(0).control.path, "/ctl");
  EXPECT_EQ(parse("http://192.168.1.1:49000/ctl").at(0).control.port, Port(49000));
  const auto based = parse("/ctl", "http://192.168.1.1:49152/");
  EXPECT_EQ(based.at(0).control, (HttpPlace{kFrom.host, Port(49152), "/ctl"}));
}

TEST(UpnpDescription, a_service_of_another_host_is_left_out) {
  EXPECT_TRUE(parse("http://192.168.1.2/ctl").empty());
  EXPECT_TRUE(parse("http://127.0.0.1:1984/api/v1/user").empty());
  EXPECT_TRUE(parse("http://router.example/ctl").empty());
  EXPECT_TRUE(parse("/ctl", "http://192.168.1.2/").empty());
}

TEST(UpnpDescription, urls_that_are_too_long_or_broken_are_left_out) {
  EXPECT_TRUE(parse("").empty());
  EXPECT_TRUE(parse("/" + std::string(kMaxUrl, 'a')).empty());
  EXPECT_TRUE(parse("/a b").empty());
  EXPECT_TRUE(parse("/ctl", "http://192.168.1.1/" + std::string(kMaxUrl, 'a')).empty());
}

TEST(UpnpDescription, ppp_and_the_second_version_count_and_other_services_do_not) {
  const auto found = parse_upnp_description(
      description(service("urn:schemas-upnp-org:service:WANPPPConnection:1", "/ppp") +
                  service("urn:schemas-upnp-org:service:WANIPConnection:2", "/ip") +
                  service("urn:schemas-upnp-org:service:Layer3Forwarding:1", "/l3")),
      kFrom);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].control.path, "/ppp");
  EXPECT_EQ(found[1].control.path, "/ip");
  for (const char* type : {"urn:schemas-upnp-org:service:WANIPConnection:1\"><x>",
                           "urn:schemas-upnp-org:service:WANIPConnection:77", "x"}) {
    EXPECT_TRUE(parse_upnp_description(description(service(type, "/c")), kFrom).empty()) << type;
  }
}

TEST(UpnpDescription, a_description_cut_anywhere_does_no_harm) {
  const std::string whole = description(service(kIp1, "/ctl"));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_LE(parse_upnp_description(whole.substr(0, size), kFrom).size(), 1u);
  EXPECT_TRUE(parse_upnp_description(std::string(kMaxUpnpBody + 1, '<'), kFrom).empty());
}

TEST(UpnpAction, is_a_soap_call) {
  const UpnpService at{{kFrom.host, Port(5000), "/ctl"}, kIp1};
  const auto request =
      upnp_action(at, "DeletePortMapping", {{"NewRemoteHost", ""}, {"NewExternalPort", "1985"}});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/ctl");
  EXPECT_EQ(*net::find_header(request.headers, "SOAPAction"),
            "\"" + std::string(kIp1) + "#DeletePortMapping\"");
  EXPECT_NE(request.body.find("<s:Body><u:DeletePortMapping xmlns:u=\"" + std::string(kIp1) +
                              "\"><NewRemoteHost></NewRemoteHost><NewExternalPort>1985"
                              "</NewExternalPort></u:DeletePortMapping></s:Body>"),
            std::string::npos);
}

TEST(UpnpAnswer, has_values_and_errors) {
  const auto answer = UpnpAnswer::parse(
      "<s:Envelope><s:Body><u:GetExternalIPAddressResponse xmlns:u=\"x\"><NewExternalIPAddress>"
      "203.0.113.5</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value("NewExternalIPAddress"), "203.0.113.5");
  EXPECT_EQ(answer->value("NewInternalClient"), "");
  EXPECT_EQ(answer->error(), 0);
  const auto failed = UpnpAnswer::parse(
      "<s:Fault><detail><UPnPError><errorCode>718</errorCode></UPnPError></detail></s:Fault>");
  EXPECT_EQ(failed->error(), 718);
  EXPECT_EQ(UpnpAnswer::parse("<errorCode>718 or so</errorCode>")->error(), 0);
}

TEST(UpnpAnswer, is_bounded) {
  EXPECT_EQ(UpnpAnswer::parse(std::string(kMaxUpnpBody + 1, 'x')).error(), Errc::limit_exceeded);
  const auto answer = UpnpAnswer::parse("<a>" + std::string(kMaxUpnpValue + 1, 'x') + "</a>");
  EXPECT_EQ(answer->value("a"), "");
  std::string many;
  for (std::size_t i = 0; i <= kMaxUpnpValues; ++i) many += "<a>x</a>";
  EXPECT_EQ(UpnpAnswer::parse(many).error(), Errc::limit_exceeded);
  EXPECT_EQ(UpnpAnswer::parse("")->error(), 0);
}

}  // namespace
}  // namespace oc::p2p
