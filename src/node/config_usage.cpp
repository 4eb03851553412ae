#include "node/config.hpp"
#include "node/config_settings.hpp"

namespace oc::node {
namespace {

constexpr std::string_view kHead =
    R"(Open-Chat joins machines behind NAT into private networks and routes traffic between them.

  open-chat [flags]            run a node in the foreground
  open-chat client <command>   talk to a node (`open-chat client --help`)
  open-chat --version | --help

The first node of a network:
  open-chat -dnc home:a-long-password -rc admin:another-password

Any other, with the line that `open-chat client identity -b64` prints on the first:
  open-chat -dnc home:a-long-password -rc admin:its-own-password -bs eyJpZCI6…

Flags:
)";

constexpr std::string_view kTail = R"(
Each flag is also an environment variable (--db-path: OPEN_CHAT_DB_PATH; where several values are
possible, one a line) and a name in the file of --config (db-path = "…"). Flags win over the
environment, and that over the file.
Networks, credentials, peers and ports given once are kept in the store: a later start needs no flags.
)";

std::string indented(std::string_view text, std::string_view indent) {
  std::string out(indent);
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out + '\n';
}

}  // namespace

std::string node_usage() {
  std::string text(kHead);
  for (const Setting& setting : settings()) {
    text += "  ";
    if (!setting.short_flag.empty()) text += std::string(setting.short_flag) + ", ";
    text += "--" + std::string(setting.name) + " " + std::string(setting.placeholder) + "\n";
    text += indented(setting.help, "        ");
  }
  return text + std::string(kTail);
}

}  // namespace oc::node
