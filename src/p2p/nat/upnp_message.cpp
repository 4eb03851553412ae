#include "p2p/nat/upnp_message.hpp"

#include <charconv>

#include "net/http_head.hpp"
#include "p2p/nat/xml_reader.hpp"

namespace oc::p2p {
namespace {

bool maps_ports(std::string_view type) {
  for (const std::string_view known : {"urn:schemas-upnp-org:service:WANIPConnection:",
                                       "urn:schemas-upnp-org:service:WANPPPConnection:"}) {
    if (!type.starts_with(known)) continue;
    const std::string_view version = type.substr(known.size());
    return version == "1" || version == "2";
  }
  return false;
}

// `base` is the description's own place, or what the description gives as such.
Result<HttpPlace> control_place(std::string_view url, std::string_view base,
                                const HttpPlace& from) {
  if (url.empty()) return Errc::malformed;
  if (url.size() > kMaxUrl) return Errc::limit_exceeded;
  HttpPlace place = from;
  if (auto absolute = parse_http_url(url)) {
    place = *std::move(absolute);
  } else if (url.find("://") != std::string_view::npos) {
    return absolute.error();
  } else {
    if (!base.empty()) {
      TRY(place, parse_http_url(base));
    }
    place.path = url.front() == '/' ? std::string(url) : "/" + std::string(url);
  }
  if (place.host != from.host) return Errc::permission_denied;
  if (!net::is_origin_form(place.path)) return Errc::malformed;
  return place;
}

}  // namespace

std::vector<UpnpService> parse_upnp_description(std::string_view xml, const HttpPlace& from) {
  std::vector<UpnpService> found;
  if (xml.size() > kMaxUpnpBody) return found;
  std::string base, type, control;
  XmlReader reader(xml);
  for (auto step = reader.next(); step != XmlReader::Step::end; step = reader.next()) {
    const std::string_view name = reader.name();
    if (step == XmlReader::Step::open) {
      if (name == "service") type = control = "";
    } else if (name == "URLBase") {
      base = reader.text();
    } else if (name == "serviceType") {
      type = reader.text();
    } else if (name == "controlURL") {
      control = reader.text();
    } else if (name == "service" && maps_ports(type)) {
      auto place = control_place(control, base, from);
      if (place) found.push_back({*std::move(place), type});
      if (found.size() == kMaxUpnpServices) return found;
      type.clear();
    }
  }
  return found;
}

net::HttpRequest upnp_action(const UpnpService& service, std::string_view action,
                             const UpnpArguments& arguments) {
  const std::string name(action);
  std::string body =
      "<?xml version=\"1.0\"?>\r\n"
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
      "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body><u:" +
      name + " xmlns:u=\"" + service.type + "\">";
  for (const auto& [argument, value] : arguments) {
    const std::string tag(argument);
    body += "<" + tag + ">" + value + "</" + tag + ">";
  }
  body += "</u:" + name + "></s:Body></s:Envelope>\r\n";
  return {"POST",
          service.control.path,
          {{"Content-Type", "text/xml; charset=\"utf-8\""},
           {"SOAPAction", "\"" + service.type + "#" + name + "\""}},
          std::move(body)};
}

Result<UpnpAnswer> UpnpAnswer::parse(std::string_view xml) {
  if (xml.size() > kMaxUpnpBody) return Errc::limit_exceeded;
  UpnpAnswer answer;
  XmlReader reader(xml);
  for (auto step = reader.next(); step != XmlReader::Step::end; step = reader.next()) {
    if (step != XmlReader::Step::close) continue;
    std::string text = reader.text();
    if (text.empty() || text.size() > kMaxUpnpValue) continue;
    if (answer.values_.size() == kMaxUpnpValues) return Errc::limit_exceeded;
    answer.values_.emplace_back(reader.name(), std::move(text));
  }
  return answer;
}

std::string_view UpnpAnswer::value(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return {};
}

int UpnpAnswer::error() const {
  const std::string_view text = value("errorCode");
  int code = 0;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), code);
  return failed == std::errc() && stop == text.data() + text.size() ? code : 0;
}

}  // namespace oc::p2p
