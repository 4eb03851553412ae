// Redis: the lists by which the programs of a run tell each other where they are.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

struct redisContext;

namespace oc::harness {

// A connection to a server. Every function blocks, and throws std::runtime_error when the server
// refuses or is lost.
class Redis {
 public:
  // Connects, to the first address of a host name that answers.
  Redis(const std::string& host, std::uint16_t port);

  // Adds a value at the end of the list `key`.
  void push(const std::string& key, const std::string& value);

  // Takes the value at the head of the list, once there is one; throws when there is none within
  // `limit`.
  std::string pop(const std::string& key, std::chrono::seconds limit);

 private:
  struct Disconnect {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Disconnect> context_;
};

}  // namespace oc::harness
