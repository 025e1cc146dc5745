// UTF-8 (RFC 3629): where text is not. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ampacity::base {

// Bytes of the sequence at `at`; 0 if it is none.
std::size_t utf8_length(std::string_view text, std::size_t at);
// The offset of the first byte that is not UTF-8, or npos.
std::size_t find_bad_utf8(std::string_view text);
// The same text with U+FFFD in place of each such byte, and of each NUL: what any database takes.
std::string mended_utf8(std::string_view text);

}  // namespace ampacity::base
