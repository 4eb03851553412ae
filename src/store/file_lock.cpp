#include "store/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace oc::store {
namespace {

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

Fault unusable(const std::filesystem::path& file, const std::string& why) {
  return Fault(FaultCode::store_unavailable,
               "the store " + file.string() + " cannot be opened: " + why);
}

// The descriptor, or -1 with errno.
int open_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly);
  if (descriptor >= 0 && ::fchmod(descriptor, kOwnerOnly) != 0) {
    const int why = errno;
    ::close(descriptor);
    errno = why;
    return -1;
  }
  return descriptor;
}

}  // namespace

Outcome<std::unique_ptr<FileLock>> FileLock::take(const std::filesystem::path& store) {
  if (store.has_parent_path()) {
    std::error_code failed;
    std::filesystem::create_directories(store.parent_path(), failed);
    if (failed) return unusable(store, failed.message());
  }
  std::filesystem::path file = store;
  file += ".lock";
  const int descriptor = open_private(file);
  if (descriptor < 0) return unusable(file, std::strerror(errno));
  std::unique_ptr<FileLock> lock(new FileLock(descriptor));
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return unusable(file, std::strerror(errno));
    return Fault(FaultCode::store_locked, "another node has the store " + store.string() + " open");
  }
  return lock;
}

FileLock::~FileLock() { ::close(descriptor_); }

Outcome<bool> prepare_private_file(const std::filesystem::path& file) {
  const int descriptor = open_private(file);
  if (descriptor < 0) return unusable(file, std::strerror(errno));
  ::close(descriptor);
  return true;
}

}  // namespace oc::store
