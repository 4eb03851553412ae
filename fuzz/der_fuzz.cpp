// DER: what is taken is what its encoding says, and has no other.
#include "crypto/der.hpp"

#include "fuzzing.hpp"

using namespace oc;
using crypto::DerTag;

namespace {

void elements(BytesView in) {
  while (!in.empty()) {
    const auto tag = static_cast<DerTag>(in[0]);
    const BytesView before = in;
    const auto contents = crypto::take_der(in, tag);
    if (!contents) {
      fuzz::require(equal(in, before));
      return;
    }
    fuzz::require(
        equal(crypto::der_element(tag, *contents), before.first(before.size() - in.size())));
    if (tag == DerTag::sequence) elements(*contents);
  }
}

void numbers(BytesView in) {
  for (;;) {
    const BytesView before = in;
    const auto number = crypto::take_der_positive(in);
    if (!number) {
      fuzz::require(equal(in, before));
      return;
    }
    fuzz::require(!number->empty() && number->front() != 0);
    Bytes contents;
    if (number->front() >= 0x80) contents.push_back(0);
    append(contents, *number);
    fuzz::require(equal(crypto::der_element(DerTag::integer, contents),
                        before.first(before.size() - in.size())));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  elements({data, std::min<std::size_t>(size, 4096)});
  numbers({data, size});
  return 0;
}
