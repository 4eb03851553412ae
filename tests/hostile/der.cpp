#include "der.hpp"

namespace oc::hostile {

Bytes der(Byte tag, BytesView contents) {
  Bytes out{tag};
  const std::size_t size = contents.size();
  if (size >= 0x100) {
    append(out, Bytes{0x82, static_cast<Byte>(size >> 8), static_cast<Byte>(size)});
  } else if (size >= 0x80) {
    append(out, Bytes{0x81, static_cast<Byte>(size)});
  } else {
    out.push_back(static_cast<Byte>(size));
  }
  append(out, contents);
  return out;
}

Bytes der_sequence(std::initializer_list<Bytes> parts) {
  Bytes contents;
  for (const Bytes& part : parts) append(contents, part);
  return der(kDerSequence, contents);
}

Bytes der_number(BytesView magnitude) {
  Bytes contents;
  if (magnitude.front() >= 0x80) contents.push_back(0);
  append(contents, magnitude);
  return der(kDerInteger, contents);
}

}  // namespace oc::hostile
