// Redis: the lists and values by which the programs of a run tell each other where they are.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "harness/variables.hpp"

struct redisContext;

namespace oc::harness {

// A connection to a server. Every function blocks, and throws std::runtime_error when the server
// refuses or is lost.
class Redis {
 public:
  // Connects, to the first address of a host name that answers.
  explicit Redis(const RedisAddress& at);

  // Adds a value at the end of the list `key`.
  void push(const std::string& key, const std::string& value);

  // Takes the value at the head of the list, once there is one; throws when there is none within
  // `limit`.
  std::string pop(const std::string& key, std::chrono::seconds limit);

  // One value of a name; nothing while there is none.
  void set(const std::string& key, const std::string& value);
  std::optional<std::string> get(const std::string& key);

 private:
  struct Disconnect {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Disconnect> context_;
};

}  // namespace oc::harness
