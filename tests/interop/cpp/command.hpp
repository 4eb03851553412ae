// Command: what the command line of ../README.md says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "verdict.hpp"

namespace oc::interop {

enum class Action { listen, dial, relay };

struct Command {
  Action action = Action::listen;
  std::string address;    // of the listener, when dialing
  std::string case_name;  // when dialing
  std::string security = "noise";
  std::string key = "ed25519";
  std::string ip = "4";
  std::string relay;                      // through which to be had, when listening; or empty
  std::map<std::string, double> options;  // of the case or the relay: by name, without the dashes
};

// The words after the program's name.
Verdict<Command> parse_command(const std::vector<std::string>& words);

}  // namespace oc::interop
