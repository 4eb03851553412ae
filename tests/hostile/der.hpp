// Writing DER by hand, for what a library would refuse to write.
#pragma once

#include "base/bytes.hpp"

namespace oc::hostile {

inline constexpr Byte kDerInteger = 0x02;
inline constexpr Byte kDerBitString = 0x03;
inline constexpr Byte kDerOctets = 0x04;
inline constexpr Byte kDerSequence = 0x30;

// One value of at most 65535 bytes.
Bytes der(Byte tag, BytesView contents);
// Values one behind the other, as one.
Bytes der_sequence(std::initializer_list<Bytes> parts);
// A number that is not negative; `magnitude` is not empty.
Bytes der_number(BytesView magnitude);

}  // namespace oc::hostile
