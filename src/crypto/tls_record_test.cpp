#include "crypto/tls_record.hpp"

#include <gtest/gtest.h>

#include "crypto/error.hpp"
#include "support/vectors.hpp"

namespace oc::crypto {
namespace {

using test::hex;
using Use = TlsTrafficCipher::Use;

// RFC 8448, section 3.
constexpr const char* kClientSecret =
    "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
constexpr const char* kServerSecret =
    "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
constexpr const char* kClientRecord =
    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e"
    "2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
constexpr const char* kServerRecord =
    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59"
    "a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";
constexpr const char* kClientFarewell = "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";
constexpr const char* kServerFarewell = "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

Bytes counting(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<Byte>(i);
  return out;
}

TlsTrafficCipher cipher(Use use, TlsSuite suite = TlsSuite::aes_128_gcm_sha256) {
  const std::size_t size = suite == TlsSuite::aes_256_gcm_sha384 ? 48 : 32;
  return TlsTrafficCipher(suite, use, counting(size));
}

Bytes sealed(TlsTrafficCipher& with, TlsContent type, BytesView content) {
  Bytes record(content.size() + kTlsOverhead);
  EXPECT_TRUE(with.seal(type, content, record.data()));
  return record;
}

Result<std::pair<TlsContent, Bytes>> opened(TlsTrafficCipher& with, BytesView record) {
  Bytes out(record.size());
  TRY(const auto what, with.open(record, out.data()));
  out.resize(what.size);
  return std::pair(what.type, out);
}

TEST(TlsRecord, keys_are_drawn_from_the_secret_as_in_the_rfc) {
  const auto expand = [](const char* secret, const char* label, std::size_t size) {
    return to_hex(tls_expand_label(TlsSuite::aes_128_gcm_sha256, hex(secret), label, size).view());
  };
  EXPECT_EQ(expand(kServerSecret, "key", 16), "9f02283b6c9c07efc26bb9f2ac92e356");
  EXPECT_EQ(expand(kServerSecret, "iv", 12), "cf782b88dd83549aadf1e984");
  EXPECT_EQ(expand(kClientSecret, "key", 16), "17422dda596ed5d9acd890e3c63f5051");
  EXPECT_EQ(expand(kClientSecret, "iv", 12), "5b78923dee08579033e523d9");
}

TEST(TlsRecord, records_are_those_of_the_rfc) {
  TlsTrafficCipher client(TlsSuite::aes_128_gcm_sha256, Use::seal, hex(kClientSecret));
  EXPECT_EQ(to_hex(sealed(client, TlsContent::application_data, counting(50))), kClientRecord);
  EXPECT_EQ(to_hex(sealed(client, TlsContent::alert, hex("0100"))), kClientFarewell);
  TlsTrafficCipher reader(TlsSuite::aes_128_gcm_sha256, Use::open, hex(kClientSecret));
  auto data = opened(reader, hex(kClientRecord));
  EXPECT_TRUE(data && data->first == TlsContent::application_data && data->second == counting(50));
  auto farewell = opened(reader, hex(kClientFarewell));
  EXPECT_TRUE(farewell && farewell->first == TlsContent::alert);
  // The server's first record was a session ticket.
  TlsTrafficCipher server(TlsSuite::aes_128_gcm_sha256, Use::seal, hex(kServerSecret));
  (void)sealed(server, TlsContent::handshake, counting(1));
  EXPECT_EQ(to_hex(sealed(server, TlsContent::application_data, counting(50))), kServerRecord);
  EXPECT_EQ(to_hex(sealed(server, TlsContent::alert, hex("0100"))), kServerFarewell);
}

TEST(TlsRecord, every_suite_opens_what_it_sealed_in_place_or_elsewhere_through_key_changes) {
  for (const TlsSuite suite : {TlsSuite::aes_128_gcm_sha256, TlsSuite::aes_256_gcm_sha384,
                               TlsSuite::chacha20_poly1305_sha256}) {
    TlsTrafficCipher writer = cipher(Use::seal, suite), reader = cipher(Use::open, suite);
    for (const std::size_t size : {0u, 1u, 50u, 16383u, 16384u}) {
      const Bytes content = counting(size);
      Bytes record(size + kTlsOverhead);
      std::ranges::copy(content, record.begin() + kTlsHeaderSize);
      EXPECT_TRUE(writer.seal(TlsContent::application_data,
                              BytesView(record).subspan(kTlsHeaderSize, size), record.data()));
      auto in_place = reader.open(record, record.data() + kTlsHeaderSize);
      EXPECT_TRUE(in_place && in_place->size == size);
      EXPECT_TRUE(equal(BytesView(record).subspan(kTlsHeaderSize, size), content));
      auto elsewhere = opened(reader, sealed(writer, TlsContent::application_data, content));
      EXPECT_TRUE(elsewhere && elsewhere->second == content);
      EXPECT_EQ(writer.records(), reader.records());
      writer.update();
      EXPECT_FALSE(opened(reader, sealed(writer, TlsContent::alert,
                                         content.empty() ? BytesView() : BytesView(content))))
          << "a record of the next key";
      reader.update();
      writer.update();
      reader.update();
    }
  }
}

TEST(TlsRecord, a_changed_bit_anywhere_is_noticed_and_costs_no_sequence_number) {
  TlsTrafficCipher writer = cipher(Use::seal), reader = cipher(Use::open);
  const Bytes record = sealed(writer, TlsContent::application_data, counting(9));
  for (std::size_t at = 0; at < record.size(); ++at) {
    Bytes changed = record;
    changed[at] ^= 0x10;
    auto result = opened(reader, changed);
    EXPECT_TRUE(!result && result.error() == CryptoErrc::bad_tag) << at;
  }
  EXPECT_TRUE(opened(reader, record));
}

TEST(TlsRecord, records_that_are_cut_or_come_again_do_not_open) {
  TlsTrafficCipher writer = cipher(Use::seal), reader = cipher(Use::open);
  const Bytes record = sealed(writer, TlsContent::application_data, counting(3));
  for (std::size_t size = kTlsHeaderSize; size < record.size(); ++size) {
    EXPECT_FALSE(opened(reader, BytesView(record).first(size)));
  }
  EXPECT_TRUE(opened(reader, record));
  EXPECT_FALSE(opened(reader, record)) << "the same again";
}

// Seals an inner plaintext of our own making: what a peer may send, padding included.
Bytes sealed_inner(BytesView inner_without_last, Byte last) {
  TlsTrafficCipher writer = cipher(Use::seal);
  return sealed(writer, static_cast<TlsContent>(last), inner_without_last);
}

TEST(TlsRecord, padding_is_taken_off) {
  TlsTrafficCipher reader = cipher(Use::open);
  auto result = opened(reader, sealed_inner(hex("aabb 17 0000"), 0));
  EXPECT_TRUE(result && result->first == TlsContent::application_data);
  EXPECT_EQ(to_hex(result->second), "aabb");
}

TEST(TlsRecord, records_without_a_content_type_or_of_another_phase_are_refused) {
  for (const auto& [inner, last] : {std::pair(hex("0000"), 0), std::pair(Bytes(), 0),
                                    std::pair(hex("01"), 20), std::pair(hex("01"), 24)}) {
    TlsTrafficCipher reader = cipher(Use::open);
    auto result = opened(reader, sealed_inner(inner, static_cast<Byte>(last)));
    EXPECT_TRUE(!result && result.error() == Errc::malformed);
  }
}

}  // namespace
}  // namespace oc::crypto
