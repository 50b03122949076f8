// CEL's tokens (google/cel-spec, langdef.md, "Syntax"): literals are decoded here, so the parser
// sees values. The lexer runs on demand and never looks further than the token it is asked for,
// which is what lets a template find the end of a hole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/cel/program.h"
#include "engine/cel/value.h"

namespace checkride::cel {

enum class TokenKind : std::uint8_t {
  end,
  identifier,         // text holds it; reserved words are identifiers with `reserved` set
  keyword,            // true, false, null, in
  literal,            // value holds it
  quoted_identifier,  // `content-type`; text holds what stands between the quotes
  symbol,             // text holds it: ( ) [ ] { } . , : ? + - * / % ! < <= > >= == != && ||
  error,              // text holds the message; the lexer does not move on
};

struct LexedToken {
  TokenKind kind = TokenKind::end;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool reserved = false;
  // An integer literal of 9223372036854775808: only valid with a minus in front.
  bool int_min_magnitude = false;
  std::string text;
  Value value;

  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_keyword(std::string_view word) const {
    return kind == TokenKind::keyword && text == word;
  }
};

class Lexer {
 public:
  explicit Lexer(std::string_view source, std::uint32_t at = 0) : source_(source), at_(at) {}
  LexedToken next();
  std::uint32_t offset() const { return at_; }  // behind the last token

 private:
  char peek(std::uint32_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool starts_with(std::string_view text) const { return source_.substr(at_, text.size()) == text; }
  void skip_space_and_comments();
  LexedToken error(std::uint32_t at, std::string message) const;
  LexedToken number();
  LexedToken word();
  LexedToken quoted_identifier();
  LexedToken string(std::uint32_t begin, bool raw, bool bytes);
  // Decodes one escape into `out`; returns a message on failure, else "".
  std::string escape(std::string& out, bool bytes);

  std::string_view source_;
  std::uint32_t at_;
};

// Line and column of a byte offset.
Position position_at(std::string_view source, std::uint32_t offset);

}  // namespace checkride::cel
