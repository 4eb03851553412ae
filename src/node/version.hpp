// The version of this program.
#pragma once

#include <string_view>

namespace oc::node {

inline constexpr std::string_view kVersion = OC_VERSION;

}  // namespace oc::node
