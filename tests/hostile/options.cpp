#include "options.hpp"

#include <algorithm>
#include <stdexcept>

namespace oc::hostile {
namespace {

constexpr std::size_t kMostSeconds = 3600;
constexpr std::size_t kMostSources = 4096;

}  // namespace

Options::Options(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (!words[i].starts_with("--") || i + 1 == words.size()) {
      throw std::invalid_argument("expected --name value, got " + words[i]);
    }
    values_[words[i].substr(2)] = words[i + 1];
  }
}

std::string Options::text(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

std::size_t Options::number(const std::string& name, std::size_t otherwise,
                            std::size_t most) const {
  const auto found = values_.find(name);
  return std::min(most, found == values_.end() ? otherwise : std::stoul(found->second));
}

std::chrono::seconds Options::seconds(std::size_t otherwise) const {
  return std::chrono::seconds(number("seconds", otherwise, kMostSeconds));
}

std::vector<asio::ip::address> Options::sources() const {
  const std::string range = text("from");
  if (range.empty()) return {};
  const auto plus = range.find('+');
  const auto first = asio::ip::make_address_v4(range.substr(0, plus)).to_uint();
  const std::size_t count =
      plus == range.npos ? 1 : std::min(kMostSources, std::stoul(range.substr(plus + 1)));
  std::vector<asio::ip::address> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.emplace_back(asio::ip::address_v4(first + i));
  }
  return out;
}

}  // namespace oc::hostile
