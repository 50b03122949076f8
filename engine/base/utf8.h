// UTF-8 (RFC 3629) as text needs it: code points are what sizes, indices and columns count.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace checkride {

inline constexpr char32_t invalid_code_point = 0xFFFFFFFF;

// Decodes the code point at `at` and moves `at` behind it. Ill-formed input (overlong, surrogate,
// truncated) gives invalid_code_point and moves one byte.
char32_t decode_utf8(std::string_view text, std::size_t& at);
void append_utf8(std::string& out, char32_t code_point);
bool is_valid_utf8(std::string_view text);
// The text with `instead` for each ill-formed byte.
std::string valid_utf8(std::string_view text, char32_t instead = U'\uFFFD');
// Ill-formed bytes count as one each.
std::size_t count_code_points(std::string_view text);
// Byte offset of the code point with this index; text.size() where the text ends before.
std::size_t offset_of_code_point(std::string_view text, std::size_t index);

}  // namespace checkride
