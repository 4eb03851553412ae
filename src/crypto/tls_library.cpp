#include "crypto/tls_library.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>
#include <vector>

namespace oc::crypto {
namespace {

constexpr const char* kName = "peer-tls";
constexpr std::array<std::string_view, 6> kKeys = {"EC",      "RSA",   "RSA-PSS",
                                                   "ED25519", "ED448", "X25519"};
constexpr std::string_view kReadAs = "structure=SubjectPublicKeyInfo";

void require(bool done) {
  if (!done) throw std::bad_alloc();
}

OSSL_PROVIDER* default_provider() {
  static OSSL_PROVIDER* const kProvider = OSSL_PROVIDER_load(nullptr, "default");
  require(kProvider != nullptr);
  return kProvider;
}

// The first of "name:alias:alias…".
bool is_key(const OSSL_ALGORITHM& algorithm) {
  std::string_view name(algorithm.algorithm_names);
  name = name.substr(0, name.find(':'));
  return std::ranges::find(kKeys, name) != kKeys.end();
}

bool is_decoder(const OSSL_ALGORITHM& algorithm) {
  return is_key(algorithm) &&
         std::string_view(algorithm.property_definition).find(kReadAs) != std::string_view::npos;
}

// Those of the default provider that are wanted, and the end that OpenSSL looks for.
std::vector<OSSL_ALGORITHM> some(int operation, bool (*wanted)(const OSSL_ALGORITHM&)) {
  std::vector<OSSL_ALGORITHM> out;
  int no_cache = 0;
  const OSSL_ALGORITHM* all =
      OSSL_PROVIDER_query_operation(default_provider(), operation, &no_cache);
  for (; all != nullptr && all->algorithm_names != nullptr; ++all) {
    if (wanted(*all)) out.push_back(*all);
  }
  out.push_back({nullptr, nullptr, nullptr, nullptr});
  return out;
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  static const auto kKeyKinds = some(OSSL_OP_KEYMGMT, is_key);
  static const auto kDecoders = some(OSSL_OP_DECODER, is_decoder);
  *no_cache = 0;
  if (operation == OSSL_OP_KEYMGMT) return kKeyKinds.data();
  if (operation == OSSL_OP_DECODER) return kDecoders.data();
  return OSSL_PROVIDER_query_operation(default_provider(), operation, no_cache);
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
