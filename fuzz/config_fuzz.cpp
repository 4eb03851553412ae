// The node's configuration from a file, and from the command line.
#include "fuzzing.hpp"
#include "node/config.hpp"

using namespace oc;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text({data, size}));
  const auto no_environment = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  const std::vector<std::string> from_file{"--config", "node.toml"};
  (void)node::parse_node_command_line(
      from_file, no_environment,
      [&text](const std::string&) -> Result<std::string> { return text; });
  std::vector<std::string> args(1);
  for (const char c : text) {
    if (c == '\n') {
      args.emplace_back();
    } else {
      args.back() += c;
    }
  }
  (void)node::parse_node_command_line(
      args, no_environment,
      [](const std::string&) -> Result<std::string> { return Errc::not_found; });
  return 0;
}
