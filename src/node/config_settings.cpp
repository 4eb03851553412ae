#include "node/config_settings.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "crypto/password_hash.hpp"

namespace oc::node {
namespace {

constexpr std::string_view kHashedPrefix = "hashed_";

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

struct Pair {
  std::string_view name;
  std::string_view secret;
};

// NAME:PASSWORD, split at the first colon. The complaints say which half is wrong, not how it
// reads.
Complaint split(std::string_view value, std::string_view first, Pair& out) {
  const std::string name(first);
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos) return "has no ':' between " + name + " and password";
  out = {value.substr(0, colon), value.substr(colon + 1)};
  if (out.name.empty()) return "has no " + name + " before the ':'";
  if (out.name.size() > kMaxNameSize) {
    return "has a " + name + " of more than " + std::to_string(kMaxNameSize) + " bytes";
  }
  if (has_control(out.name)) return "has a control character in its " + name;
  if (out.secret.empty()) return "has no password behind the ':'";
  if (out.secret.size() > crypto::kMaxPasswordSize) {
    return "has a password of more than " + std::to_string(crypto::kMaxPasswordSize) + " bytes";
  }
  return std::nullopt;
}

Complaint set_network(NodeConfig& config, const std::string& value) {
  Pair pair;
  if (auto complaint = split(value, "network name", pair)) return complaint;
  if (config.networks.size() == kMaxNetworks) {
    return "names more than " + std::to_string(kMaxNetworks) + " networks";
  }
  for (const NetworkCredentials& network : config.networks) {
    if (network.name == pair.name) return "names the network " + quoted(pair.name) + " twice";
  }
  config.networks.push_back({std::string(pair.name), std::string(pair.secret)});
  return std::nullopt;
}

Complaint set_root(NodeConfig& config, const std::string& value) {
  Pair pair;
  if (auto complaint = split(value, "user name", pair)) return complaint;
  const bool hashed = pair.secret.starts_with(kHashedPrefix);
  if (hashed) {
    pair.secret.remove_prefix(kHashedPrefix.size());
    const Result<void> usable = crypto::check_hash_format(pair.secret);
    if (!usable && usable.error() == Errc::limit_exceeded) {
      return "has a hash behind 'hashed_' that asks for too much work";
    }
    if (!usable) return "has no Argon2id or bcrypt hash behind 'hashed_' (in a shell, quote the $)";
  }
  config.root = RootCredentials{std::string(pair.name), std::string(pair.secret), hashed};
  return std::nullopt;
}

Complaint set_bootstrap(NodeConfig& config, const std::string& value) {
  if (config.bootstrap.size() == kMaxBootstrapPeers) {
    return "names more than " + std::to_string(kMaxBootstrapPeers) + " peers";
  }
  auto peer = overlay::decode_bootstrap(value);
  if (!peer) return "is no bootstrap string: " + peer.error().message;
  config.bootstrap.push_back(*std::move(peer));
  return std::nullopt;
}

Complaint set_host(NodeConfig& config, const std::string& value) {
  boost::system::error_code error;
  const std::string literal = value == "localhost" ? "127.0.0.1" : value;
  const auto address = boost::asio::ip::make_address(literal, error);
  if (error) return "is " + quoted(value) + ", not an IP address";
  config.host = address.to_string();
  return std::nullopt;
}

Complaint parse_port(const std::string& value, std::optional<std::uint16_t>& port) {
  std::uint16_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end) {
    return "is " + quoted(value) + ", not a port from 0 to 65535";
  }
  port = number;
  return std::nullopt;
}

Complaint set_port(NodeConfig& config, const std::string& value) {
  return parse_port(value, config.port);
}
Complaint set_p2p_port(NodeConfig& config, const std::string& value) {
  return parse_port(value, config.p2p_port);
}

Complaint set_announce(NodeConfig& config, const std::string& value) {
  if (config.announce.size() == kMaxAnnounced) {
    return "names more than " + std::to_string(kMaxAnnounced) + " addresses";
  }
  const auto address = codec::Multiaddr::parse(value);
  if (!address) return "is " + quoted(value) + ", not a multiaddr";
  if (!overlay::names_endpoint(*address)) {
    return "is " + quoted(value) + ", which names no host and port to dial";
  }
  config.announce.push_back(address->without_peer());
  return std::nullopt;
}

Complaint parse_switch(const std::string& value, std::optional<bool>& into) {
  if (value != "on" && value != "off") return "is " + quoted(value) + ", neither on nor off";
  into = value == "on";
  return std::nullopt;
}

Complaint set_port_mapping(NodeConfig& config, const std::string& value) {
  return parse_switch(value, config.port_mapping);
}

Complaint set_name(NodeConfig& config, const std::string& value) {
  const bool fit = std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (value.empty() || value.size() > kMaxNameSize || !fit) {
    return "is " + quoted(value) + "; a name has 1 to " + std::to_string(kMaxNameSize) +
           " letters, digits, '-', '_' and '.'";
  }
  config.name = value;
  return std::nullopt;
}

Complaint set_relay(NodeConfig& config, const std::string& value) {
  if (value != "off" && value != "auto" && value != "on")
    return "is " + quoted(value) + ", neither off, auto nor on";
  config.relay = value;
  return std::nullopt;
}

Complaint set_public_relay(NodeConfig& config, const std::string& value) {
  return parse_switch(value, config.public_relay);
}

Complaint set_mdns(NodeConfig& config, const std::string& value) {
  return parse_switch(value, config.mdns);
}

Complaint set_db_backend(NodeConfig&, const std::string& value) {
  if (value == "sqlite") return std::nullopt;
  if (value == "postgres") return "is 'postgres', which this version does not have";
  return "is " + quoted(value) + ", not a store";
}

Complaint set_db_path(NodeConfig& config, const std::string& value) {
  if (value.empty()) return "is empty";
  if (value.find('\0') != std::string::npos) return "has a NUL in it";
  config.db_path = value;
  return std::nullopt;
}

Complaint set_log_level(NodeConfig& config, const std::string& value) {
  const auto level = log::parse_level(value);
  if (!level) return "is " + quoted(value) + ", not one of trace, debug, info, warn, error, off";
  config.log_level = *level;
  return std::nullopt;
}

Complaint set_log_format(NodeConfig& config, const std::string& value) {
  const auto format = log::parse_format(value);
  if (!format) return "is " + quoted(value) + ", neither text nor json";
  config.log_format = *format;
  return std::nullopt;
}

using enum FaultCode;

constexpr std::array kSettings = {
    Setting{"default-network-credentials", "-dnc", "NAME:PASSWORD",
            "Join (or found) this network; repeat it for several.", "home:a-long-password",
            bad_credentials_format, true, false, set_network},
    Setting{"root-credentials", "-rc", "USER:PASSWORD",
            "This node's administrator. Instead of a password, hashed_HASH with what\n"
            "`client hash-password` prints, or a bcrypt hash. Default: user admin and a\n"
            "random password, printed once at the first start.",
            "admin:a-long-password", bad_credentials_format, false, false, set_root},
    Setting{"network-bootstrap-peers", "-bs", "B64",
            "Bootstrap strings, as `client identity -b64` prints them; repeat the flag or\n"
            "separate them by commas.",
            "eyJpZCI6…", bad_bootstrap_string, true, true, set_bootstrap},
    Setting{"host", "-b", "ADDRESS", "IP address where the API listens. Default: 127.0.0.1",
            "0.0.0.0", bad_flag, false, false, set_host},
    Setting{"port", "-p", "PORT", "Port where the API listens; 0 picks one. Default: 1984", "1984",
            bad_flag, false, false, set_port},
    Setting{"p2pport", "-pp2p", "PORT", "libp2p port; 0 picks one and keeps it. Default: 1985",
            "1985", bad_flag, false, false, set_p2p_port},
    Setting{"announce", "", "MULTIADDR",
            "Tell others this address instead of those found; repeat the flag or separate\n"
            "several by commas.",
            "/ip4/203.0.113.7/tcp/1985", bad_multiaddr, true, true, set_announce},
    Setting{"port-mapping", "", "on|off",
            "Whether to ask the router (UPnP, NAT-PMP) to let connections to the libp2p port\n"
            "through. Default: on",
            "off", bad_flag, false, false, set_port_mapping},
    Setting{"name", "", "NAME", "This node's name. Default: the host's name", "nas", bad_flag,
            false, false, set_name},
    Setting{"relay", "", "off|auto|on",
            "Relay for members that cannot reach each other. auto: when this node can be\n"
            "reached by everybody. Default: auto",
            "on", bad_flag, false, false, set_relay},
    Setting{"public-relay", "", "on|off",
            "Relay for strangers, too, within the limits of libp2p: 2 minutes and 128 KiB a\n"
            "circuit. Default: off",
            "on", bad_flag, false, false, set_public_relay},
    Setting{"mdns", "", "on|off",
            "Find members on the LAN by multicast DNS, and be found; kept. Default: on", "off",
            bad_flag, false, false, set_mdns},
    Setting{"db-backend", "-db", "KIND", "Kind of the store: sqlite.", "sqlite", bad_flag, false,
            false, set_db_backend},
    Setting{"db-path", "-dp", "FILE",
            "The store's file. Default: $XDG_DATA_HOME/open-chat/open-chat.db, which is\n"
            "mostly ~/.local/share/open-chat/open-chat.db",
            "/var/lib/open-chat/open-chat.db", bad_flag, false, false, set_db_path},
    Setting{"log-level", "", "LEVEL", "trace, debug, info, warn, error or off. Default: info",
            "debug", bad_flag, false, false, set_log_level},
    Setting{"log-format", "", "FORMAT", "text or json. Default: text", "json", bad_flag, false,
            false, set_log_format},
    Setting{"config", "", "FILE",
            "Read settings from this TOML file; its names are those of the flags.",
            "/etc/open-chat.toml", bad_config_file, false, false, nullptr},
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

const Setting* find_setting(std::string_view name) {
  for (const Setting& setting : kSettings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

const Setting* find_flag(std::string_view flag) {
  if (flag.starts_with("--")) return find_setting(flag.substr(2));
  if (flag.empty()) return nullptr;
  for (const Setting& setting : kSettings) {
    if (setting.short_flag == flag) return &setting;
  }
  return nullptr;
}

std::string variable_of(const Setting& setting) {
  std::string name = "OPEN_CHAT_";
  for (const char c : setting.name) {
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string quoted(std::string_view text) {
  std::size_t end = std::min<std::size_t>(text.size(), 64);
  // Not inside a UTF-8 sequence.
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
  std::string out = "'";
  for (const char c : text.substr(0, end)) out += has_control({&c, 1}) ? '?' : c;
  return out + (end < text.size() ? "…'" : "'");
}

}  // namespace oc::node
