// The characters of a base, and which digit each one stands for.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace oc::codec {

// Made at compile time from a literal of up to 64 characters, which it borrows. With `fold_case`
// letters of the other case are taken as well.
class Alphabet {
 public:
  constexpr explicit Alphabet(std::string_view characters, bool fold_case = false)
      : characters_(characters) {
    for (auto& digit : digits_) digit = -1;
    for (std::size_t i = 0; i < characters.size(); ++i) {
      const char c = characters[i];
      digits_[static_cast<std::uint8_t>(c)] = static_cast<std::int8_t>(i);
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (fold_case && letter)
        digits_[static_cast<std::uint8_t>(c ^ 0x20)] = static_cast<std::int8_t>(i);
    }
  }

  constexpr unsigned size() const { return static_cast<unsigned>(characters_.size()); }
  constexpr char operator[](std::size_t digit) const { return characters_[digit]; }
  // The digit of a character, or -1.
  constexpr int digit_of(char c) const { return digits_[static_cast<std::uint8_t>(c)]; }

 private:
  std::string_view characters_;
  std::array<std::int8_t, 256> digits_{};
};

}  // namespace oc::codec
