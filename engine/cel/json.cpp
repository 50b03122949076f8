// JSON in and out of Value. Written here rather than taken from a library because engine/cel knows
// none: the dialect is RFC 8259, strict, nesting at most 64.
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"
#include "engine/cel/numbers.h"
#include "engine/cel/text.h"
#include "engine/cel/time_text.h"
#include "engine/cel/value.h"

namespace checkride::cel {

void append_json_string(std::string& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = decode_utf8(text, at);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case invalid_code_point: append_utf8(out, 0xFFFD); break;
      default:
        if (c < 0x20 || c == 0x7F) {
          out += "\\u00";
          out += hex[c >> 4];
          out += hex[c & 15];
        } else {
          append_utf8(out, c);
        }
    }
  }
  out += '"';
}

namespace {

class JsonWriter {
 public:
  explicit JsonWriter(int indent) : indent_(indent) {}
  std::string take() { return std::move(out_); }

  void write(const Value& value, int depth) {
    switch (value.kind()) {
      case Kind::null: out_ += "null"; break;
      case Kind::boolean: out_ += value.as_bool() ? "true" : "false"; break;
      case Kind::integer: out_ += std::to_string(value.as_int()); break;
      case Kind::unsigned_integer: out_ += std::to_string(value.as_uint()); break;
      case Kind::floating: write_double(value.as_double()); break;
      case Kind::string: append_json_string(out_, value.as_string()); break;
      case Kind::bytes: append_json_string(out_, base64(value.as_bytes().data)); break;
      case Kind::timestamp: append_json_string(out_, instant_text(value.as_instant())); break;
      case Kind::duration: append_json_string(out_, duration_text(value.as_duration())); break;
      case Kind::type: append_json_string(out_, type_name(value.as_type())); break;
      case Kind::list: write_list(value.as_list(), depth); break;
      case Kind::map: write_map(value.as_map(), depth); break;
      case Kind::optional:
        if (const Value* content = value.as_optional())
          write(*content, depth);
        else
          out_ += "null";
        break;
    }
  }

 private:
  void write_double(double d) {
    if (std::isfinite(d))
      out_ += double_text(d);
    else
      append_json_string(out_, double_text(d));
  }

  void write_list(const List& list, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
      separate(i == 0, depth + 1);
      write(list[i], depth + 1);
    }
    if (!list.empty()) break_line(depth);
    out_ += ']';
  }

  void write_map(const Map& map, int depth) {
    out_ += '{';
    bool first = true;
    for (const MapEntry& entry : map) {
      separate(first, depth + 1);
      first = false;
      append_json_string(
          out_, entry.first.kind() == Kind::string ? entry.first.as_string() : to_cel(entry.first));
      out_ += indent_ < 0 ? ":" : ": ";
      write(entry.second, depth + 1);
    }
    if (!map.empty()) break_line(depth);
    out_ += '}';
  }

  void separate(bool first, int depth) {
    if (!first) out_ += ',';
    break_line(depth);
  }

  void break_line(int depth) {
    if (indent_ < 0) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_ * depth), ' ');
  }

  int indent_;
  std::string out_;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  Result<Value> read_document() {
    CR_TRY(Value value, read(0));
    skip_space();
    if (at_ != text_.size()) return wrong("text after the end of the value");
    return value;
  }

 private:
  static constexpr int depth_max = 64;

  tl::unexpected<Error> wrong(std::string_view what) const {
    std::size_t line = 1;
    std::size_t line_start = 0;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i)
      if (text_[i] == '\n') {
        ++line;
        line_start = i + 1;
      }
    const std::size_t column = count_code_points(text_.substr(line_start, at_ - line_start)) + 1;
    return fail(ErrorCode::invalid_argument, "invalid JSON at line " + std::to_string(line) +
                                                 ", column " + std::to_string(column) + ": " +
                                                 std::string(what));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool accept_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Result<Value> read(int depth) {
    if (depth > depth_max) return wrong("nesting deeper than 64");
    skip_space();
    if (accept('{')) return read_object(depth);
    if (accept('[')) return read_array(depth);
    if (peek() == '"') {
      CR_TRY(std::string text, read_string());
      return Value(std::move(text));
    }
    if (accept_word("true")) return Value(true);
    if (accept_word("false")) return Value(false);
    if (accept_word("null")) return Value();
    if (peek() == '-' || (peek() >= '0' && peek() <= '9')) return read_number();
    return wrong(at_ < text_.size() ? "expected a value" : "the text ends where a value should be");
  }

  Result<Value> read_array(int depth) {
    List list;
    if (accept(']')) return Value(std::move(list));
    while (true) {
      CR_TRY(Value element, read(depth + 1));
      list.push_back(std::move(element));
      if (accept(']')) return Value(std::move(list));
      if (!accept(',')) return wrong("expected ',' or ']'");
    }
  }

  Result<Value> read_object(int depth) {
    std::vector<MapEntry> entries;
    while (!accept('}')) {
      if (!entries.empty() && !accept(',')) return wrong("expected ',' or '}'");
      skip_space();
      if (peek() != '"') return wrong("expected a field name in quotes");
      CR_TRY(std::string name, read_string());
      if (!accept(':')) return wrong("expected ':'");
      CR_TRY(Value value, read(depth + 1));
      entries.emplace_back(Value(std::move(name)), std::move(value));
    }
    auto map = Map::from_entries(std::move(entries));
    if (!map) return wrong(map.error().message);
    return Value(*std::move(map));
  }

  std::size_t skip_digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - start;
  }

  Result<Value> read_number() {
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    const bool leading_zero = peek() == '0';
    const std::size_t digits = skip_digits();
    if (digits == 0 || (leading_zero && digits > 1)) return wrong("malformed number");
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (skip_digits() == 0) return wrong("malformed number");
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (skip_digits() == 0) return wrong("malformed number");
    }
    const std::string_view text = text_.substr(start, at_ - start);
    if (whole) {
      std::int64_t i = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), i).ec == std::errc())
        return Value(i);
      std::uint64_t u = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), u).ec == std::errc())
        return Value(u);
    }
    const std::optional<double> d = parse_double(text);
    if (!d || !std::isfinite(*d)) return wrong("number out of range");
    return Value(*d);
  }

  Result<char32_t> read_hex4() {
    char32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = hex_digit(peek());
      if (digit < 0) return wrong("\\u needs four hexadecimal digits");
      code = code * 16 + static_cast<char32_t>(digit);
    }
    return code;
  }

  Result<std::string> read_string() {
    ++at_;  // the opening quote
    std::string out;
    while (true) {
      if (at_ >= text_.size()) return wrong("a string is not closed");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c == '\\') {
        ++at_;
        CR_CHECK(read_escape(out));
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20) return wrong("a raw control character in a string");
      const std::size_t start = at_;
      if (decode_utf8(text_, at_) == invalid_code_point) return wrong("invalid UTF-8");
      out.append(text_, start, at_ - start);
    }
  }

  Result<void> read_escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/': out += c; return {};
      case 'b': out += '\b'; return {};
      case 'f': out += '\f'; return {};
      case 'n': out += '\n'; return {};
      case 'r': out += '\r'; return {};
      case 't': out += '\t'; return {};
      case 'u': break;
      default: return wrong("unknown escape");
    }
    CR_TRY(char32_t code, read_hex4());
    if (code >= 0xD800 && code <= 0xDBFF && accept_word("\\u")) {
      CR_TRY(const char32_t low, read_hex4());
      if (low < 0xDC00 || low > 0xDFFF) return wrong("a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) return wrong("a lone surrogate");
    append_utf8(out, code);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_json(const Value& value, int indent) {
  JsonWriter writer(indent);
  writer.write(value, 0);
  return writer.take();
}

Result<Value> from_json(std::string_view json) {
  return JsonReader(json).read_document();
}

}  // namespace checkride::cel
