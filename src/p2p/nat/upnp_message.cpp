#include "p2p/nat/upnp_message.hpp"

#include <miniupnpc/igd_desc_parse.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>

#include <charconv>

#include "net/http_head.hpp"

namespace oc::p2p {
namespace {

// miniupnpc cuts longer texts to this, without a word.
constexpr std::size_t kCut = MINIUPNPC_URL_MAXSIZE - 1;

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
  if (url.empty() || url.size() >= kCut || base.size() >= kCut) return Errc::malformed;
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
  IGDdatas data{};
  parserootdesc(xml.data(), static_cast<int>(xml.size()), &data);
  for (const IGDdatas_service* service : {&data.first, &data.second}) {
    if (!maps_ports(service->servicetype)) continue;
    auto control = control_place(service->controlurl, data.urlbase, from);
    if (control) found.push_back({*std::move(control), service->servicetype});
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
  NameValueParserData data{};
  ParseNameValue(xml.data(), static_cast<int>(xml.size()), &data);
  UpnpAnswer answer;
  for (const NameValue* each = data.l_head; each != nullptr; each = each->l_next)
    answer.values_.emplace_back(each->name, each->value);
  ClearNameValueList(&data);
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
