// The node's configuration from a file, and from the command line.
#include "fuzzing.hpp"
#include "node/config.hpp"

using namespace oc;

namespace {

// toml++ 3.3 of Debian 12 runs into its own TOML_UNREACHABLE at many a character beyond ASCII that
// stands outside of quotes (is_non_ascii_horizontal_whitespace), so files with such are left out.
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<Byte>(c) < 0x80; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(as_text({data, size}));
  const auto no_environment = [](const std::string&) -> std::optional<std::string> {
    return std::nullopt;
  };
  const std::vector<std::string> from_file{"--config", "node.toml"};
  if (is_ascii(text)) {
    const auto file = [&text](const std::string&) -> Result<std::string> { return text; };
    (void)node::parse_node_command_line(from_file, no_environment, file);
  }
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
