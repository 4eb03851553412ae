// `open-chat client <command>`: parse, call the API, print.
#pragma once

#include <span>
#include <string>

#include "cli/surroundings.hpp"

namespace oc::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;      // the fault stands on standard error
inline constexpr int kUsageError = 2;  // the command was not understood, and nothing was done

// Runs the command given by the arguments behind `client`, and returns the process's exit status:
// kDone only when everything was done and printed. Blocks; throws only when out of memory. No
// secret among the arguments is repeated in a message.
int run_client(std::span<const std::string> args, const Surroundings& world);

}  // namespace oc::cli
