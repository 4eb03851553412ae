// Just enough of DER (X.690) to take an RSA public key and a certificate extension of libp2p apart,
// and to write the latter.
#pragma once

#include "base/bytes.hpp"

namespace oc::crypto {

enum class DerTag : Byte {
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  sequence = 0x30
};

// Takes one element with this tag off the front of `in` and gives its contents. Errc::truncated
// when `in` ends inside, Errc::malformed for another tag or a length that is not in its shortest
// form, or above 65535. On an error `in` is unchanged.
Result<BytesView> take_der(BytesView& in, DerTag tag);

// Takes an INTEGER that is positive and in its shortest form: its magnitude, big-endian, without
// leading zeros.
Result<BytesView> take_der_positive(BytesView& in);

// One element with this tag around `contents` of at most 65535 bytes (asserted).
Bytes der_element(DerTag tag, BytesView contents);

}  // namespace oc::crypto
