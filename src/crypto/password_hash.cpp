#include "crypto/password_hash.hpp"

#include <crypt.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>

#include "base/assert.hpp"
#include "crypto/secret.hpp"
#include "crypto/sha.hpp"
#include "crypto/sodium.hpp"

namespace oc::crypto {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kHashMemory = 19 * kKiB * kKiB;
constexpr unsigned long long kHashPasses = 2;
constexpr std::size_t kNetworkMemory = 64 * kKiB * kKiB;
constexpr unsigned long long kNetworkPasses = 2;
constexpr std::string_view kNetworkDomain = "open-chat network secret v1: ";

constexpr std::string_view kArgon2Prefix = "$argon2id$";
constexpr std::string_view kArgon2Version = "v=19$";
constexpr std::size_t kMaxArgon2Text = 256;
constexpr unsigned kMaxArgon2Lanes = 16;
constexpr unsigned kMinBcryptCost = 4;
constexpr std::size_t kBcryptSize = 60;  // "$2b$12$", 22 characters of salt, 31 of hash

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBcryptBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";

// libsodium takes no null pointer, not even for an empty text.
const char* text_data(std::string_view text) { return text.empty() ? "" : text.data(); }

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// Takes a decimal number off the front; Errc::malformed when there is none.
Result<std::uint32_t> take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return Errc::malformed;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool made_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == text.npos;
}

// "v=19$m=19456,t=2,p=1$<salt>$<hash>"
Result<void> check_argon2(std::string_view text) {
  if (text.size() > kMaxArgon2Text) return Errc::malformed;
  if (!take(text, kArgon2Version)) return Errc::unsupported;
  if (!take(text, "m=")) return Errc::malformed;
  TRY(const std::uint32_t memory_kib, take_number(text));
  if (!take(text, ",t=")) return Errc::malformed;
  TRY(const std::uint32_t passes, take_number(text));
  if (!take(text, ",p=")) return Errc::malformed;
  TRY(const std::uint32_t lanes, take_number(text));
  if (!take(text, "$")) return Errc::malformed;
  if (passes == 0 || lanes == 0 || memory_kib < 8 * std::uint64_t{lanes}) return Errc::malformed;
  if (memory_kib > kMaxArgon2Memory / kKiB || passes > kMaxArgon2Passes ||
      lanes > kMaxArgon2Lanes) {
    return Errc::limit_exceeded;
  }
  const std::size_t dollar = text.find('$');
  if (dollar == text.npos || !made_of(text.substr(0, dollar), kBase64) ||
      !made_of(text.substr(dollar + 1), kBase64)) {
    return Errc::malformed;
  }
  return success();
}

bool is_bcrypt(std::string_view hash) {
  return hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
}

Result<void> check_bcrypt(std::string_view hash) {
  if (hash.size() != kBcryptSize || hash[6] != '$') return Errc::malformed;
  std::string_view cost_text = hash.substr(4, 2);
  TRY(const std::uint32_t cost, take_number(cost_text));
  if (!cost_text.empty() || cost < kMinBcryptCost) return Errc::malformed;
  if (cost > kMaxBcryptCost) return Errc::limit_exceeded;
  return made_of(hash.substr(7), kBcryptBase64) ? success() : Result<void>(Errc::malformed);
}

bool verify_bcrypt(std::string_view password, const std::string& hash) {
  if (password.find('\0') != password.npos) return false;
  const auto work = std::make_unique<crypt_data>();
  Bytes copy(password.size() + 1);
  std::copy(password.begin(), password.end(), copy.begin());
  const SecretBytes terminated(std::move(copy));
  const auto* text = reinterpret_cast<const char*>(terminated.view().data());
  const char* computed = crypt_r(text, hash.c_str(), work.get());
  const bool same = computed != nullptr && constant_time_equal(as_bytes(computed), as_bytes(hash));
  wipe({reinterpret_cast<Byte*>(work.get()), sizeof *work});
  return same;
}

}  // namespace

std::string hash_password(std::string_view password) {
  ASSERT(password.size() <= kMaxPasswordSize);
  init_sodium();
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, text_data(password), password.size(), kHashPasses, kHashMemory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();
  }
  return hash;
}

bool verify_password(std::string_view password, std::string_view hash) {
  if (password.size() > kMaxPasswordSize || !check_hash_format(hash)) return false;
  init_sodium();
  const std::string terminated(hash);
  if (is_bcrypt(hash)) return verify_bcrypt(password, terminated);
  return crypto_pwhash_str_verify(terminated.c_str(), text_data(password), password.size()) == 0;
}

Result<void> check_hash_format(std::string_view hash) {
  if (is_bcrypt(hash)) return check_bcrypt(hash);
  if (take(hash, kArgon2Prefix)) return check_argon2(hash);
  return Errc::unsupported;
}

FixedBytes<32> derive_network_secret(std::string_view password, std::string_view network_name) {
  init_sodium();
  const FixedBytes<32> salt = sha256({as_bytes(kNetworkDomain), as_bytes(network_name)});
  static_assert(crypto_pwhash_SALTBYTES == 16 && sizeof salt >= crypto_pwhash_SALTBYTES);
  FixedBytes<32> secret;
  if (crypto_pwhash(secret.data(), secret.size(), text_data(password), password.size(), salt.data(),
                    kNetworkPasses, kNetworkMemory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();
  }
  return secret;
}

}  // namespace oc::crypto
