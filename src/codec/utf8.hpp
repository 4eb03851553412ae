// Checks on text that strangers send, before it goes into logs, JSON and pages.
#pragma once

#include <string_view>

namespace oc::codec {

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// is_utf8, and without control characters (U+0000 to U+001F, U+007F to U+009F).
bool is_printable_utf8(std::string_view text);

}  // namespace oc::codec
