#include "node/plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "codec/base64.hpp"
#include "crypto/password_hash.hpp"

namespace oc::node {
namespace {

constexpr const char* kSettingKey = "private_key";
constexpr const char* kSettingName = "name";
constexpr const char* kSettingHost = "api_host";
constexpr const char* kSettingPort = "api_port";
constexpr const char* kSettingAnnounce = "announce";
constexpr const char* kSettingRelay = "relay";
constexpr const char* kSettingPublicRelay = "public_relay";
constexpr const char* kSettingMdns = "mdns";
constexpr const char* kSettingPortMapping = "port_mapping";

std::optional<std::string> find(const store::SettingsMap& settings, const std::string& name) {
  auto found = settings.find(name);
  if (found == settings.end()) return std::nullopt;
  return found->second;
}

template <class Number>
std::optional<Number> find_number(const store::SettingsMap& settings, const std::string& name) {
  const auto text = find(settings, name);
  if (!text) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "node";
  return std::string(name.data()).substr(0, kMaxNameSize);
}

// 20 characters of an alphabet without look-alikes: 100 bits.
std::string random_password(Random& random) {
  constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
  std::string out;
  for (int i = 0; i < 20; ++i) out.push_back(kAlphabet[random.below(kAlphabet.size())]);
  return out;
}

std::string addresses_to_setting(const std::vector<codec::Multiaddr>& addresses) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& address : addresses) list.push_back(address.to_string());
  return list.dump();
}

std::vector<codec::Multiaddr> addresses_from_setting(const std::string& text) {
  std::vector<codec::Multiaddr> out;
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) return out;
  for (const auto& item : list) {
    if (!item.is_string()) continue;
    if (auto address = codec::Multiaddr::parse(item.get<std::string>())) out.push_back(*address);
  }
  return out;
}

// The settings that apply now, and those among them that the store does not have yet.
class SettingsMerge {
 public:
  explicit SettingsMerge(store::SettingsMap stored) : stored_(std::move(stored)) {}

  // The given value if there is one, else the stored, else the default.
  std::string text(const std::string& name, const std::optional<std::string>& given,
                   std::string otherwise) {
    if (given) keep(name, *given);
    return given ? *given : find(stored_, name).value_or(std::move(otherwise));
  }
  std::uint16_t port(const std::string& name, std::optional<std::uint16_t> given,
                     std::uint16_t otherwise) {
    if (given) keep(name, std::to_string(*given));
    return given ? *given : find_number<std::uint16_t>(stored_, name).value_or(otherwise);
  }
  bool flag(const std::string& name, std::optional<bool> given, bool otherwise) {
    if (given) keep(name, *given ? "on" : "off");
    const auto value = given ? std::nullopt : find(stored_, name);
    if (value == "on" || value == "off") return value == "on";
    return given.value_or(otherwise);
  }
  void keep(const std::string& name, std::string value) {
    if (find(stored_, name) != value) changed_[name] = std::move(value);
  }
  const store::SettingsMap& stored() const { return stored_; }
  store::SettingsMap take_changed() { return std::move(changed_); }

 private:
  store::SettingsMap stored_;
  store::SettingsMap changed_;
};

RelayMode relay_mode(const std::string& text) {
  if (text == "off") return RelayMode::off;
  return text == "on" ? RelayMode::on : RelayMode::automatic;
}

Outcome<crypto::PrivateKey> load_identity(SettingsMerge& settings, Random& random) {
  if (const auto stored = find(settings.stored(), kSettingKey)) {
    auto bytes = codec::base64_decode(*stored);
    if (bytes) {
      if (auto key = crypto::PrivateKey::unmarshal(*bytes)) return *std::move(key);
    }
    return Fault(FaultCode::store_unavailable, "the node's private key in the store is damaged");
  }
  auto key = crypto::PrivateKey::generate(random);
  settings.keep(kSettingKey, codec::base64_encode(key.marshal().view()));
  return key;
}

awaitable<Outcome<bool>> merge_network(NetworkCredentials given, store::Store& store,
                                       store::StartState& state, WorkerPool& hashing,
                                       WallTime now) {
  if (!overlay::parse_network_name(given.name)) {
    co_return Fault(FaultCode::bad_credentials_format,
                    "a network's name is up to 64 bytes of printable UTF-8");
  }
  auto derive = [given] { return crypto::derive_network_secret(given.password, given.name); };
  auto secret = co_await hashing.run(derive);
  if (!secret)
    co_return Fault(FaultCode::internal,
                    "the password could not be stretched: " + secret.error().message());
  const crypto::Secret<32> fresh(*secret);
  auto known = std::ranges::find(state.networks, given.name, &store::NetworkRow::name);
  if (known != state.networks.end()) {
    if (crypto::constant_time_equal(known->secret.view(), fresh.view())) co_return true;
    log::warn("the password of network {} was changed", given.name);
    known->secret = fresh;
  } else {
    state.networks.push_back({given.name, fresh, now});
  }
  // A local, because GCC 12 destroys an aggregate made inside a co_await expression twice.
  store::NetworkRow row{given.name, fresh, now};
  co_return co_await store.networks.put(std::move(row));
}

awaitable<Outcome<bool>> merge_root(std::optional<RootCredentials> given, store::Store& store,
                                    store::StartState& state, WorkerPool& hashing, Random& random,
                                    Plan& plan) {
  if (!given && state.root) {
    plan.root_user = state.root->name;
    co_return true;
  }
  RootCredentials root =
      given ? *given : RootCredentials{std::string(kDefaultRootUser), random_password(random)};
  plan.root_user = root.user;
  if (!given) plan.generated_password = root.secret;
  const std::optional<store::RootUserRow> old = state.root;
  auto work = [root, old]() -> std::optional<std::string> {
    if (root.hashed) {
      if (old && old->name == root.user && old->password_hash == root.secret) return std::nullopt;
      return root.secret;
    }
    if (old && old->name == root.user && crypto::verify_password(root.secret, old->password_hash)) {
      return std::nullopt;
    }
    return crypto::hash_password(root.secret);
  };
  auto hash = co_await hashing.run(work);
  if (!hash)
    co_return Fault(FaultCode::internal,
                    "the password could not be hashed: " + hash.error().message());
  if (!hash->has_value()) co_return true;
  if (old) log::warn("the root credentials were changed; the administrator is now {}", root.user);
  store::RootUserRow row{root.user, **hash};
  co_return co_await store.users.put_root(std::move(row));
}

}  // namespace

std::string bootstrap_to_setting(const std::vector<overlay::BootstrapPeer>& peers) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& peer : peers) list.push_back(overlay::encode_bootstrap(peer));
  return list.dump();
}

std::vector<overlay::BootstrapPeer> bootstrap_from_setting(const std::string& text) {
  std::vector<overlay::BootstrapPeer> out;
  const auto list = nlohmann::json::parse(text, nullptr, false);
  if (!list.is_array()) return out;
  for (const auto& item : list) {
    if (!item.is_string()) continue;
    if (auto peer = overlay::decode_bootstrap(item.get<std::string>()))
      out.push_back(*std::move(peer));
  }
  return out;
}

awaitable<Outcome<Plan>> make_plan(NodeConfig config, store::Store& store, store::StartState state,
                                   WorkerPool& hashing, Random& random, WallTime now) {
  SettingsMerge settings(state.settings);
  auto identity = load_identity(settings, random);
  if (!identity) co_return identity.error();
  Plan plan(*std::move(identity));
  plan.name = settings.text(kSettingName, config.name, host_name());
  plan.host = settings.text(kSettingHost, config.host, std::string(kDefaultHost));
  plan.port = settings.port(kSettingPort, config.port, kDefaultPort);
  // 0 is a port of our own choice, which an earlier start may have made.
  const auto chosen = find_number<std::uint16_t>(state.settings, kSettingP2pPort).value_or(0);
  plan.p2p_port = config.p2p_port == 0 && chosen != 0
                      ? chosen
                      : settings.port(kSettingP2pPort, config.p2p_port, kDefaultP2pPort);
  plan.relay = relay_mode(settings.text(kSettingRelay, config.relay, "auto"));
  plan.public_relay = settings.flag(kSettingPublicRelay, config.public_relay, false);
  plan.mdns = settings.flag(kSettingMdns, config.mdns, true);
  plan.port_mapping = settings.flag(kSettingPortMapping, config.port_mapping, true);
  plan.record_seq = find_number<std::uint64_t>(state.settings, kSettingRecordSeq).value_or(0);
  if (!config.announce.empty())
    settings.keep(kSettingAnnounce, addresses_to_setting(config.announce));
  plan.announce =
      config.announce.empty()
          ? addresses_from_setting(find(state.settings, kSettingAnnounce).value_or("[]"))
          : config.announce;
  if (!config.bootstrap.empty())
    settings.keep(kSettingBootstrap, bootstrap_to_setting(config.bootstrap));
  plan.bootstrap =
      config.bootstrap.empty()
          ? bootstrap_from_setting(find(state.settings, kSettingBootstrap).value_or("[]"))
          : config.bootstrap;

  for (const NetworkCredentials& given : config.networks) {
    auto merged = co_await merge_network(given, store, state, hashing, now);
    if (!merged) co_return merged.error();
  }
  auto root = co_await merge_root(config.root, store, state, hashing, random, plan);
  if (!root) co_return root.error();
  auto kept = co_await store.settings.put_all(settings.take_changed());
  if (!kept) co_return kept.error();

  for (const store::NetworkRow& row : state.networks) {
    const overlay::NetworkName name(row.name);
    plan.networks.push_back({name, overlay::network_id(name), row.secret});
  }
  plan.members = std::move(state.members);
  plan.rules = std::move(state.rules);
  co_return plan;
}

}  // namespace oc::node
