// The Go program beside this one (go/main.go), which is asked what go's libraries make of an input.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/bytes.hpp"

namespace oc::differential {

struct Answer {
  enum class Verdict { refused, taken, panicked };
  Verdict verdict;
  Bytes value;  // a text that says why, unless it was taken

  bool taken() const { return verdict == Verdict::taken; }
};

// Throws std::system_error when the program cannot be started, or ended by itself.
class GoSide {
 public:
  explicit GoSide(const std::string& program);
  ~GoSide();
  GoSide(const GoSide&) = delete;
  GoSide& operator=(const GoSide&) = delete;

  Answer ask(char request, BytesView payload);

 private:
  void write(BytesView bytes);
  void read(MutableBytes into);

  pid_t process_ = 0;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace oc::differential
