// The sessions that `client login` keeps, one for each node logged in to, in
// $XDG_STATE_HOME/open-chat/sessions.json (or ~/.local/state/open-chat/sessions.json).
//
// The folder has mode 0700, the file 0600. It is replaced as a whole by a rename, under a lock on
// the folder: a reader sees all of the old one or all of the new one, and no login is lost to
// another.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.hpp"

namespace oc::cli {

struct Session {
  std::string host;       // ServerAddress::url() of the node asked
  std::string peer_id;    // of the node behind it (--node), else empty
  std::string peer_name;  // its name at the time
  std::string user;
  std::string id;
};

class SessionFile {
 public:
  // `folder` is .../open-chat, or empty when there is no place to keep anything.
  explicit SessionFile(std::string folder) : folder_(std::move(folder)) {}

  // The session for a host and for what a user calls a node behind it ("" for the host itself): its
  // peer id, its name, or a prefix of the id that fits no other one. A file that is not there, not
  // readable or not ours holds none.
  std::optional<Session> find(const std::string& host, const std::string& node) const;
  // Keeps it in place of the one for the same host and peer id. nullopt when done.
  std::optional<Fault> put(Session session) const;
  // Forgets the one that find() gives; done when there is none.
  std::optional<Fault> remove(const std::string& host, const std::string& node) const;

  std::string path() const { return folder_ + "/sessions.json"; }

 private:
  using Change = std::function<void(std::vector<Session>&)>;
  std::vector<Session> read() const;
  std::optional<Fault> update(const Change& change) const;

  std::string folder_;
};

}  // namespace oc::cli
