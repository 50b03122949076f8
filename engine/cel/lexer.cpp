#include "engine/cel/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/utf8.h"
#include "engine/cel/numbers.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

constexpr std::array<std::string_view, 17> reserved_words = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
constexpr std::array<std::string_view, 4> keywords = {"true", "false", "null", "in"};
// Longer symbols before their prefixes.
constexpr std::array<std::string_view, 24> symbols = {"&&", "||", "<=", ">=", "==", "!=", "(", ")",
                                                      "[",  "]",  "{",  "}",  ".",  ",",  ":", "?",
                                                      "+",  "-",  "*",  "/",  "%",  "!",  "<", ">"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
  return is_word_start(c) || is_digit(c);
}

}  // namespace

Position position_at(std::string_view source, std::uint32_t offset) {
  Position p;
  p.offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(source.size()));
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < p.offset; ++i)
    if (source[i] == '\n') {
      ++p.line;
      line_start = i + 1;
    }
  p.column = static_cast<std::uint32_t>(
      1 + count_code_points(source.substr(line_start, p.offset - line_start)));
  return p;
}

void Lexer::skip_space_and_comments() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
      ++at_;
    } else if (starts_with("//")) {
      while (at_ < source_.size() && source_[at_] != '\n') ++at_;
    } else {
      return;
    }
  }
}

LexedToken Lexer::error(std::uint32_t at, std::string message) const {
  LexedToken token;
  token.kind = TokenKind::error;
  token.begin = at;
  token.end = at;
  token.text = std::move(message);
  return token;
}

LexedToken Lexer::next() {
  skip_space_and_comments();
  LexedToken token;
  token.begin = token.end = at_;
  if (at_ >= source_.size()) return token;
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (c == '\'' || c == '"') return string(at_, false, false);
  if (c == '`') return quoted_identifier();
  if (is_word_start(c)) return word();
  for (const std::string_view symbol : symbols)
    if (starts_with(symbol)) {
      token.kind = TokenKind::symbol;
      token.text = std::string(symbol);
      at_ += static_cast<std::uint32_t>(symbol.size());
      token.end = at_;
      return token;
    }
  std::size_t end = at_;
  decode_utf8(source_, end);
  const std::string found(source_.substr(at_, end - at_));
  if (c == '=') return error(at_, "'=' is no operator of CEL; write '==' to compare");
  if (c == '&' || c == '|')
    return error(at_, "'" + found + "' is no operator of CEL; write '" + found + found + "'");
  return error(at_, "unexpected character '" + found + "'");
}

LexedToken Lexer::number() {
  LexedToken token;
  token.kind = TokenKind::literal;
  token.begin = at_;
  const auto finish = [&](Value value) {
    token.end = at_;
    token.value = std::move(value);
    return token;
  };
  const auto skip_digits = [&] {
    while (is_digit(peek())) ++at_;
  };
  const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && hex_digit(peek(2)) >= 0;
  bool whole = true;
  if (hex) {
    at_ += 2;
    while (hex_digit(peek()) >= 0) ++at_;
  } else {
    skip_digits();
    if (peek() == '.' && is_digit(peek(1))) {
      whole = false;
      ++at_;
      skip_digits();
    }
    const std::uint32_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      whole = false;
      at_ += 1 + sign;
      skip_digits();
    }
  }
  const std::string_view digits = source_.substr(token.begin, at_ - token.begin);
  const std::string shown(digits);
  if (!whole) {
    if (is_word(peek())) return error(at_, "a number must not run into a name");
    const std::optional<double> d = parse_double(digits);
    if (!d) return error(token.begin, "'" + shown + "' is no number");
    return finish(Value(*d));
  }
  const bool is_unsigned = peek() == 'u' || peek() == 'U';
  if (is_unsigned) ++at_;
  if (is_word(peek())) return error(at_, "a number must not run into a name");
  const std::string_view magnitude = hex ? digits.substr(2) : digits;
  std::uint64_t value = 0;
  if (std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), value, hex ? 16 : 10)
          .ec != std::errc())
    return error(token.begin, "'" + shown + "' does not fit in 64 bits");
  if (is_unsigned) return finish(Value(value));
  constexpr std::uint64_t int_max = INT64_MAX;
  if (value > int_max + 1) return error(token.begin, "'" + shown + "' does not fit in an int");
  token.int_min_magnitude = value == int_max + 1;
  return finish(Value(token.int_min_magnitude ? INT64_MIN : static_cast<std::int64_t>(value)));
}

LexedToken Lexer::word() {
  const std::uint32_t begin = at_;
  // A prefix of a string: r, b or br in either case.
  std::uint32_t prefix = 0;
  bool bytes = false;
  bool raw = false;
  if (peek() == 'b' || peek() == 'B') {
    bytes = true;
    ++prefix;
  }
  if (peek(prefix) == 'r' || peek(prefix) == 'R') {
    raw = true;
    ++prefix;
  }
  if (prefix > 0 && (peek(prefix) == '\'' || peek(prefix) == '"')) {
    at_ += prefix;
    return string(begin, raw, bytes);
  }
  while (is_word(peek())) ++at_;
  LexedToken token;
  token.begin = begin;
  token.end = at_;
  token.text = std::string(source_.substr(begin, at_ - begin));
  const auto is_in = [&](const auto& words) {
    return std::find(words.begin(), words.end(), token.text) != words.end();
  };
  token.kind = is_in(keywords) ? TokenKind::keyword : TokenKind::identifier;
  token.reserved = is_in(reserved_words);
  return token;
}

LexedToken Lexer::quoted_identifier() {
  LexedToken token;
  token.kind = TokenKind::quoted_identifier;
  token.begin = at_;
  ++at_;
  while (is_word(peek()) || peek() == '.' || peek() == '-' || peek() == '/' || peek() == ' ')
    token.text += source_[at_++];
  if (peek() != '`' || token.text.empty())
    return error(token.begin, "a quoted name holds letters, digits and _ . - / and ends with `");
  ++at_;
  token.end = at_;
  return token;
}

LexedToken Lexer::string(std::uint32_t begin, bool raw, bool bytes) {
  const char quote = peek();
  const std::string triple(3, quote);
  const bool is_triple = starts_with(triple);
  at_ += is_triple ? 3 : 1;
  std::string out;
  while (true) {
    if (at_ >= source_.size()) return error(begin, "a string is not closed");
    const char c = source_[at_];
    if (is_triple ? starts_with(triple) : c == quote) break;
    if (!is_triple && (c == '\n' || c == '\r'))
      return error(begin, "a string ends before the end of its line; use ''' for more lines");
    if (c == '\\' && !raw) {
      const std::uint32_t at = at_++;
      if (std::string message = escape(out, bytes); !message.empty())
        return error(at, std::move(message));
      continue;
    }
    // A raw string keeps the backslash and whatever it precedes, but a quote behind it still
    // closes.
    std::size_t end = at_;
    if (decode_utf8(source_, end) == invalid_code_point) return error(at_, "invalid UTF-8");
    out.append(source_, at_, end - at_);
    at_ = static_cast<std::uint32_t>(end);
  }
  at_ += is_triple ? 3 : 1;
  LexedToken token;
  token.kind = TokenKind::literal;
  token.begin = begin;
  token.end = at_;
  token.value = bytes ? Value(Bytes{std::move(out)}) : Value(std::move(out));
  return token;
}

std::string Lexer::escape(std::string& out, bool bytes) {
  static constexpr std::string_view letters = "abfnrtv\"'`\\?";
  static constexpr std::string_view meanings = "\a\b\f\n\r\t\v\"'`\\?";
  const char c = peek();
  if (at_ >= source_.size()) return "a string is not closed";
  ++at_;
  if (const std::size_t known = letters.find(c); known != std::string_view::npos) {
    out += meanings[known];
    return "";
  }
  std::uint32_t digits = 0;
  std::uint32_t base = 16;
  if (c == 'x' || c == 'X') {
    digits = 2;
  } else if (c == 'u' || c == 'U') {
    if (bytes) return "bytes have no \\u escapes; write the UTF-8 bytes with \\x";
    digits = c == 'u' ? 4 : 8;
  } else if (c >= '0' && c <= '3') {
    --at_;
    digits = 3;
    base = 8;
  } else {
    return std::string("unknown escape '\\") + c + "'";
  }
  char32_t code = 0;
  for (std::uint32_t i = 0; i < digits; ++i, ++at_) {
    const int digit = hex_digit(peek());
    if (digit < 0 || static_cast<std::uint32_t>(digit) >= base)
      return "the escape needs " + std::to_string(digits) +
             (base == 8 ? " octal" : " hexadecimal") + " digits";
    if (code > 0x10FFFF) return "the escape is no Unicode code point";
    code = code * base + static_cast<char32_t>(digit);
  }
  if (bytes) {
    out += static_cast<char>(code);
    return "";
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return "the escape is no Unicode code point";
  append_utf8(out, code);
  return "";
}

}  // namespace checkride::cel
