// Answers to the node's identify, with messages of any kind.
#pragma once

#include <string>
#include <vector>

#include "session.hpp"

namespace oc::hostile {

inline constexpr const char* kIdentify = "/ipfs/id/1.0.0";
inline constexpr const char* kIdentifyPush = "/ipfs/id/push/1.0.0";
// The node reads no more of one identify stream.
inline constexpr std::size_t kMostMessages = 10;

// Waits for the node's question, and answers it with these messages. False when none came.
bool answer_identify(Session& session, const std::vector<std::string>& messages);
// The messages as they travel: each behind its length.
Bytes delimited(const std::vector<std::string>& messages);

}  // namespace oc::hostile
