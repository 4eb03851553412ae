// What a router says by UPnP: answers to a search, its description, answers to actions. A place
// that is taken is on the host that spoke.
#include "p2p/nat/upnp_message.hpp"

#include "fuzzing.hpp"
#include "p2p/nat/xml_reader.hpp"

using namespace oc;

namespace {

// Tags come to an end: each takes at least one byte, or closes an empty element.
void read_xml(std::string_view text) {
  p2p::XmlReader reader(text);
  std::size_t tags = 0;
  while (reader.next() != p2p::XmlReader::Step::end) {
    fuzz::require(reader.text().size() <= text.size());
    fuzz::require(reader.name().size() <= text.size());
    fuzz::require(++tags <= 2 * text.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(BytesView(data, size));
  const auto sender = boost::asio::ip::address_v4({192, 168, 1, 1});
  if (const auto place = p2p::parse_ssdp_answer(text, sender)) fuzz::require(place->host == sender);
  const p2p::HttpPlace from{sender, Port(5000), "/rootDesc.xml"};
  for (const p2p::UpnpService& service : p2p::parse_upnp_description(text, from)) {
    fuzz::require(service.control.host == sender && service.control.path.starts_with('/'));
    (void)p2p::upnp_action(service, "GetExternalIPAddress", {});
  }
  if (const auto answer = p2p::UpnpAnswer::parse(text)) {
    fuzz::require(answer->value("NewExternalIPAddress").size() <= p2p::kMaxUpnpValue);
    (void)answer->error();
  }
  read_xml(text);
  return 0;
}
