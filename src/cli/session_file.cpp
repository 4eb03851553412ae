#include "cli/session_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace oc::cli {
namespace {

using nlohmann::json;

constexpr std::streamsize kMaxFile = 1024 * 1024;

// A file descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Fault cannot_keep(const std::string& what, int error) {
  return {FaultCode::store_unavailable,
          "cannot keep the session in " + what + ": " + std::strerror(error),
          "check the folder's permissions, or use --session-id with what `login --json` prints"};
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<Session>::iterator match(std::vector<Session>& all, const std::string& host,
                                     const std::string& node) {
  std::vector<std::vector<Session>::iterator> exact, prefix;
  for (auto it = all.begin(); it != all.end(); ++it) {
    if (it->host != host) continue;
    if (it->peer_id == node) return it;
    if (node.empty() || it->peer_id.empty()) continue;
    if (it->peer_name == node) exact.push_back(it);
    if (it->peer_id.starts_with(node)) prefix.push_back(it);
  }
  if (exact.size() == 1) return exact.front();
  return exact.empty() && prefix.size() == 1 ? prefix.front() : all.end();
}

std::string dump(const std::vector<Session>& sessions) {
  json list = json::array();
  for (const Session& session : sessions) {
    list.push_back({{"host", session.host},
                    {"peer_id", session.peer_id},
                    {"peer_name", session.peer_name},
                    {"user", session.user},
                    {"session_id", session.id}});
  }
  const json file = {{"version", 1}, {"sessions", std::move(list)}};
  return file.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

// 0, or the errno of what failed. O_EXCL and a name of its own: nobody else can have it open.
int write_new(const std::string& path, const std::string& text) {
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return errno;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    done += static_cast<std::size_t>(n);
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

}  // namespace

std::vector<Session> SessionFile::read() const {
  if (folder_.empty()) return {};
  std::ifstream file(path(), std::ios::binary);
  std::string text(static_cast<std::size_t>(kMaxFile), '\0');
  file.read(text.data(), kMaxFile);
  text.resize(static_cast<std::size_t>(file.gcount()));
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  std::vector<Session> sessions;
  if (!object.is_object() || !object.contains("sessions")) return sessions;
  for (const json& entry : object["sessions"]) {
    if (!entry.is_object()) continue;
    sessions.push_back({text_of(entry, "host"), text_of(entry, "peer_id"),
                        text_of(entry, "peer_name"), text_of(entry, "user"),
                        text_of(entry, "session_id")});
  }
  return sessions;
}

std::optional<Fault> SessionFile::update(const Change& change) const {
  if (folder_.empty()) return cannot_keep("a folder of yours (HOME is not set)", ENOENT);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(folder_).parent_path(), error);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return cannot_keep(folder_, errno);
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return cannot_keep(folder_, errno);
  if (::fchmod(folder.get(), 0700) != 0 || ::flock(folder.get(), LOCK_EX) != 0) {
    return cannot_keep(folder_, errno);
  }
  std::vector<Session> sessions = read();
  change(sessions);
  // Only the holder of the lock uses this name; what a crash left there is in the way.
  const std::string fresh = path() + ".new";
  ::unlink(fresh.c_str());
  if (const int failed = write_new(fresh, dump(sessions)); failed != 0) {
    ::unlink(fresh.c_str());
    return cannot_keep(fresh, failed);
  }
  if (::rename(fresh.c_str(), path().c_str()) != 0) return cannot_keep(path(), errno);
  return std::nullopt;
}

std::optional<Session> SessionFile::find(const std::string& host, const std::string& node) const {
  std::vector<Session> sessions = read();
  const auto found = match(sessions, host, node);
  if (found == sessions.end() || found->id.empty()) return std::nullopt;
  return *found;
}

std::optional<Fault> SessionFile::put(Session session) const {
  return update([&session](std::vector<Session>& all) {
    std::erase_if(all, [&session](const Session& other) {
      return other.host == session.host && other.peer_id == session.peer_id;
    });
    all.push_back(std::move(session));
  });
}

std::optional<Fault> SessionFile::remove(const std::string& host, const std::string& node) const {
  if (!find(host, node)) return std::nullopt;
  return update([&](std::vector<Session>& all) {
    if (const auto found = match(all, host, node); found != all.end()) all.erase(found);
  });
}

}  // namespace oc::cli
