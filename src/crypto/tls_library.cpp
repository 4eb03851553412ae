#include "crypto/tls_library.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <algorithm>
#include <map>
#include <new>
#include <string_view>
#include <vector>

namespace oc::crypto {
namespace {

constexpr const char* kName = "peer-tls";
// The only form in which a certificate has a key.
constexpr std::string_view kReadAs = "structure=SubjectPublicKeyInfo";

struct Operation {
  int id;
  std::vector<std::string_view> wanted;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> kOperations = {
      {OSSL_OP_CIPHER, {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"}},
      // SHA-1 for the fingerprint that OpenSSL takes of any certificate.
      {OSSL_OP_DIGEST, {"SHA2-256", "SHA2-384", "SHA2-512", "SHA1"}},
      {OSSL_OP_MAC, {"HMAC"}},
      {OSSL_OP_KDF, {"HKDF", "TLS13-KDF"}},
      {OSSL_OP_RAND, {"CTR-DRBG", "SEED-SRC"}},
      {OSSL_OP_KEYMGMT, {"EC", "RSA", "RSA-PSS", "ED25519", "ED448", "X25519"}},
      {OSSL_OP_DECODER, {"EC", "RSA", "RSA-PSS", "ED25519", "ED448"}},
      {OSSL_OP_KEYEXCH, {"ECDH", "X25519"}},
      {OSSL_OP_SIGNATURE, {"ECDSA", "RSA", "ED25519", "ED448"}},
  };
  return kOperations;
}

void require(bool done) {
  if (!done) throw std::bad_alloc();
}

OSSL_PROVIDER* default_provider() {
  static OSSL_PROVIDER* const kProvider = OSSL_PROVIDER_load(nullptr, "default");
  require(kProvider != nullptr);
  return kProvider;
}

bool is_wanted(const OSSL_ALGORITHM& algorithm, const Operation& operation) {
  // The first of "name:alias:alias…".
  std::string_view name(algorithm.algorithm_names);
  name = name.substr(0, name.find(':'));
  if (std::ranges::find(operation.wanted, name) == operation.wanted.end()) return false;
  const std::string_view properties(algorithm.property_definition);
  return operation.id != OSSL_OP_DECODER || properties.find(kReadAs) != std::string_view::npos;
}

// Those of the default provider that are wanted, and the end that OpenSSL looks for.
std::vector<OSSL_ALGORITHM> algorithms_of(const Operation& operation) {
  std::vector<OSSL_ALGORITHM> out;
  int no_cache = 0;
  const OSSL_ALGORITHM* all =
      OSSL_PROVIDER_query_operation(default_provider(), operation.id, &no_cache);
  for (; all != nullptr && all->algorithm_names != nullptr; ++all) {
    if (is_wanted(*all, operation)) out.push_back(*all);
  }
  out.push_back({nullptr, nullptr, nullptr, nullptr});
  return out;
}

std::map<int, std::vector<OSSL_ALGORITHM>> all_algorithms() {
  std::map<int, std::vector<OSSL_ALGORITHM>> out;
  for (const Operation& operation : operations()) {
    out.emplace(operation.id, algorithms_of(operation));
  }
  return out;
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  static const auto kAlgorithms = all_algorithms();
  *no_cache = 0;
  const auto found = kAlgorithms.find(operation);
  return found == kAlgorithms.end() ? nullptr : found->second.data();
}

// The groups of TLS.
int capabilities(void*, const char* capability, OSSL_CALLBACK* tell, void* argument) {
  return OSSL_PROVIDER_get_capabilities(default_provider(), capability, tell, argument);
}

using Function = void (*)();

int begin(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out,
          void** provider_context) {
  static const OSSL_DISPATCH kFunctions[] = {
      {OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<Function>(query)},
      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<Function>(capabilities)},
      {0, nullptr}};
  *out = kFunctions;
  // The algorithms are the default provider's, and expect what it gave them.
  *provider_context = OSSL_PROVIDER_get0_provider_ctx(default_provider());
  return 1;
}

OSSL_LIB_CTX* make() {
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  require(library != nullptr && OSSL_PROVIDER_add_builtin(library, kName, begin) == 1 &&
          OSSL_PROVIDER_load(library, kName) != nullptr);
  return library;
}

}  // namespace

OSSL_LIB_CTX* tls_library() {
  static OSSL_LIB_CTX* const kLibrary = make();
  return kLibrary;
}

}  // namespace oc::crypto
