// Passwords: hashes to keep, and the stretching of a network's password.
//
// All but check_hash_format block for tens to hundreds of milliseconds and take 19 or 64 MiB; a
// hash made elsewhere may ask for seconds and kMaxArgon2Memory. Call them on a worker thread, a few
// at a time, never on the network thread. They throw std::bad_alloc when that memory is not to be
// had; only verify_password then says false.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::crypto {

// Bounds on the work that a hash may ask of us.
inline constexpr std::size_t kMaxArgon2Memory = std::size_t{1} << 30;  // bytes
inline constexpr unsigned kMaxArgon2Passes = 16;
inline constexpr unsigned kMaxBcryptCost = 16;
// Longer passwords are never right: neither hashed nor verified (hash_password asserts it).
inline constexpr std::size_t kMaxPasswordSize = 1024;

// "$argon2id$v=19$m=19456,t=2,p=1$…" with a random salt (the first choice of OWASP).
std::string hash_password(std::string_view password);

// Whether the password is that of the hash: $argon2id$, or bcrypt $2a$, $2b$, $2y$. False also for
// a hash that check_hash_format refuses, and with bcrypt for a password with a NUL in it. bcrypt
// looks at the first 72 bytes of a password only.
bool verify_password(std::string_view password, std::string_view hash);

// Whether verify_password can work with this hash. Errc::unsupported for another kind,
// Errc::malformed, Errc::limit_exceeded when it asks for more work than the bounds above.
Result<void> check_hash_format(std::string_view hash);

// The secret of a network, from which its members prove that they know the password (the PRS of
// crypto/cpace.hpp): Argon2id, 64 MiB, 2 passes; the salt is the first 16 bytes of
// SHA-256("open-chat network secret v1: " + name). The same on every node.
FixedBytes<32> derive_network_secret(std::string_view password, std::string_view network_name);

}  // namespace oc::crypto
