#include "crypto/error.hpp"

#include <string>

namespace oc::crypto {
namespace {

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "crypto"; }
  std::string message(int value) const override {
    switch (static_cast<CryptoErrc>(value)) {
      case CryptoErrc::bad_signature: return "the signature is not good";
      case CryptoErrc::bad_tag: return "authentication of the data failed";
      case CryptoErrc::weak_point: return "the other side's share is worthless";
      case CryptoErrc::weak_key: return "the key is not of an accepted size or form";
      case CryptoErrc::nonce_exhausted: return "the key has been used up";
      case CryptoErrc::wrong_signer: return "signed by another key than the one named inside";
    }
    return "unknown crypto error";
  }
};

}  // namespace

const boost::system::error_category& crypto_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace oc::crypto
