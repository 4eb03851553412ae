// open-chat: the node, and the client that talks to one.
#include <iostream>
#include <string>
#include <vector>

#include "cli/client.hpp"
#include "node/run.hpp"
#include "node/version.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  oc::node::hide_secrets(argc, argv);
  if (!args.empty() && args.front() == "client") {
    return oc::cli::run_client(std::span(args).subspan(1), oc::cli::system_surroundings());
  }
  auto command = oc::node::parse_node_command_line(args, oc::node::system_environment,
                                                   oc::node::read_config_file);
  if (!command) {
    std::cerr << "open-chat: " << command.error().to_string() << '\n';
    return 2;
  }
  if (std::holds_alternative<oc::node::ShowHelp>(*command)) {
    std::cout << oc::node::node_usage();
    return 0;
  }
  if (std::holds_alternative<oc::node::ShowVersion>(*command)) {
    std::cout << "open-chat " << oc::node::kVersion << '\n';
    return 0;
  }
  return oc::node::run_node(std::get<oc::node::NodeConfig>(*std::move(command)));
}
