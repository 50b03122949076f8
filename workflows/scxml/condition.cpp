#include "workflows/scxml/condition.h"

#include <array>

#include "engine/cel/value.h"

namespace checkride::scxml {
namespace {

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Translator {
 public:
  Translator(std::string_view source, const Names& names) : source_(source), names_(names) {}

  Result<std::string> run() {
    while (skip_space()) {
      const char c = source_[at_];
      if (begins_name(c)) {
        CR_CHECK(name());
      } else if (is_digit(c)) {
        number();
      } else if (c == '\'' || c == '"') {
        CR_TRY(const std::string text, string());
        put(quoted(text));
      } else {
        CR_CHECK(operation());
      }
    }
    if (out_.empty()) return fail(ErrorCode::invalid_argument, "the expression is empty");
    return std::move(out_);
  }

 private:
  tl::unexpected<Error> unknown(std::string_view part) const {
    return fail(ErrorCode::unsupported, "'" + std::string(part) + "' has no translation");
  }
  bool skip_space() {
    while (at_ < source_.size() && std::string_view(" \t\r\n").find(source_[at_]) < 4) ++at_;
    return at_ < source_.size();
  }
  static std::string quoted(const std::string& text) {
    std::string result;
    cel::append_json_string(result, text);
    return result;
  }
  void put(std::string_view token) {
    const bool tight = out_.empty() || out_.back() == '(' || token == ")" || out_.back() == '!';
    if (!tight) out_ += ' ';
    out_ += token;
  }

  Result<void> take(std::string_view token) {
    put(token);
    return {};
  }

  Result<void> name() {
    const std::size_t begin = at_;
    std::size_t head_end = 0;  // of the first name
    while (true) {
      while (at_ < source_.size() && (begins_name(source_[at_]) || is_digit(source_[at_]))) ++at_;
      if (head_end == 0) head_end = at_;
      if (at_ + 1 >= source_.size() || source_[at_] != '.' || !begins_name(source_[at_ + 1])) break;
      ++at_;
    }
    const std::string path(source_.substr(begin, at_ - begin));
    const std::string head(source_.substr(begin, head_end - begin));
    if (path == "true" || path == "false" || path == "null") return take(path);
    if (path == "In") return in();
    if (path == "_event.name" || path == "_event.data" || path.starts_with("_event.data."))
      return take(path.substr(1));
    if (names_.data.count(head) == 0 || path.find('$') != std::string::npos) return unknown(path);
    put("data." + path);
    skip_space();
    if (at_ < source_.size() && source_[at_] == '(') return unknown(path + "(");
    return {};
  }

  Result<void> in() {
    if (!skip_space() || source_[at_] != '(') return unknown("In");
    ++at_;
    if (!skip_space() || (source_[at_] != '\'' && source_[at_] != '"')) return unknown("In(");
    CR_TRY(const std::string id, string());
    if (!skip_space() || source_[at_] != ')') return unknown("In('" + id + "'");
    ++at_;
    const auto state = names_.states.find(id);
    if (state == names_.states.end()) return unknown("In('" + id + "')");
    put("In(" + quoted(state->second) + ")");
    return {};
  }

  void number() {
    const std::size_t begin = at_;
    while (at_ < source_.size() && (is_digit(source_[at_]) || source_[at_] == '.')) ++at_;
    put(source_.substr(begin, at_ - begin));
  }

  Result<std::string> string() {
    const char quote = source_[at_++];
    std::string text;
    while (at_ < source_.size() && source_[at_] != quote) {
      char c = source_[at_++];
      if (c == '\\') {
        if (at_ == source_.size()) break;
        c = source_[at_++];
        if (c == 'n') {
          c = '\n';
        } else if (c == 't') {
          c = '\t';
        } else if (c != '\\' && c != '\'' && c != '"') {
          return unknown(std::string("\\") + c);
        }
      }
      text += c;
    }
    if (at_ == source_.size()) return unknown("a text without end");
    ++at_;
    return text;
  }

  Result<void> operation() {
    // Longest first.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> known{{
        {"===", "=="},
        {"!==", "!="},
        {"==", "=="},
        {"!=", "!="},
        {"&&", "&&"},
        {"||", "||"},
        {"<=", "<="},
        {">=", ">="},
        {"<", "<"},
        {">", ">"},
        {"!", "!"},
        {"+", "+"},
        {"-", "-"},
        {"*", "*"},
        {"(", "("},
        {")", ")"},
    }};
    const std::string_view rest = source_.substr(at_);
    for (const auto& [theirs, ours] : known) {
      if (!rest.starts_with(theirs)) continue;
      // Increments, shifts and powers.
      if (rest.size() > 1 && rest[0] == rest[1] && std::string_view("+-*<>").find(rest[0]) < 5)
        break;
      at_ += theirs.size();
      put(ours);
      return {};
    }
    return unknown(rest.substr(0, 1));
  }

  std::string_view source_;
  const Names& names_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> to_cel(std::string_view ecmascript, const Names& names) {
  return Translator(ecmascript, names).run();
}

}  // namespace checkride::scxml
