// The words after an attack's name and address: --name value, each at most once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/clock.hpp"

namespace oc::hostile {

class Options {
 public:
  // Throws std::invalid_argument.
  explicit Options(const std::vector<std::string>& words);

  std::string text(const std::string& name, const std::string& otherwise = "") const;
  // At most `most`, so that every loop has its end.
  std::size_t number(const std::string& name, std::size_t otherwise, std::size_t most) const;
  std::chrono::seconds seconds(std::size_t otherwise) const;
  // --from FIRST+COUNT: that many addresses, one behind the other. IPv4.
  std::vector<asio::ip::address> sources() const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace oc::hostile
