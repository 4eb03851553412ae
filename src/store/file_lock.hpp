// FileLock: keeps a second node from opening the same store.
#pragma once

#include <filesystem>
#include <memory>

#include "base/fault.hpp"

namespace oc::store {

// An exclusive flock(2) on "<store>.lock", held while it lives. The kernel drops it when the
// process ends in whatever way; the file stays.
class FileLock {
 public:
  // Makes the directories above the store if need be. Faults: store_locked, or store_unavailable
  // when the lock file cannot be made.
  static Outcome<std::unique_ptr<FileLock>> take(const std::filesystem::path& store);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Makes the file, empty, if it is not there; takes it away from everybody but its owner (mode
// 0600). SQLite gives its own side files the same mode. Only under the lock: closing any descriptor
// of a file drops the locks that SQLite holds on it in the same process.
Outcome<bool> prepare_private_file(const std::filesystem::path& file);

}  // namespace oc::store
