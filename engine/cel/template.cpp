#include <algorithm>
#include <set>

#include "engine/base/utf8.h"
#include "engine/cel/functions.h"
#include "engine/cel/lexer.h"
#include "engine/cel/program.h"

namespace checkride::cel {
namespace {

// Where the brace stands that closes the hole whose expression begins at `begin`. The lexer skips
// strings and comments, so a brace within them closes nothing.
tl::expected<std::uint32_t, Diagnostic> end_of_hole(std::string_view text, std::uint32_t begin) {
  Lexer lexer(text, begin);
  std::size_t depth = 0;
  while (true) {
    const LexedToken token = lexer.next();
    if (token.kind == TokenKind::error)
      return tl::unexpected(Diagnostic{position_at(text, token.begin), token.text, {}});
    if (token.kind == TokenKind::end)
      return tl::unexpected(Diagnostic{position_at(text, begin - 2), "this ${ is not closed",
                                       "write $${ for a literal ${"});
    if (token.is("{")) ++depth;
    if (token.is("}")) {
      if (depth == 0) return token.begin;
      --depth;
    }
  }
}

std::string text_of(const Value& value) {
  const bool plain = value.kind() != Kind::bytes || is_valid_utf8(value.as_bytes().data);
  std::optional<std::string> text = plain ? string_of(value) : std::nullopt;
  return text ? *std::move(text) : to_cel(value);
}

}  // namespace

tl::expected<Template, std::vector<Diagnostic>> Template::compile(std::string_view text,
                                                                  const Environment& environment) {
  Template result;
  result.source_ = std::string(text);
  std::vector<Diagnostic> diagnostics;
  std::string literal;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, 3) == "$${") {
      literal += "${";
      at += 3;
      continue;
    }
    if (text.substr(at, 2) != "${") {
      literal += text[at++];
      continue;
    }
    const auto begin = static_cast<std::uint32_t>(at + 2);
    const auto end = end_of_hole(text, begin);
    if (!end) {
      diagnostics.push_back(end.error());
      break;
    }
    auto program = Program::compile(text.substr(begin, *end - begin), environment);
    if (program) {
      if (!literal.empty()) result.parts_.push_back(Part{std::move(literal), std::nullopt});
      literal.clear();
      result.parts_.push_back(Part{{}, *std::move(program)});
    } else {
      for (Diagnostic& d : program.error()) {
        d.position = position_at(text, begin + d.position.offset);
        diagnostics.push_back(std::move(d));
      }
    }
    at = *end + 1;
  }
  if (!diagnostics.empty()) return tl::unexpected(std::move(diagnostics));
  if (!literal.empty()) result.parts_.push_back(Part{std::move(literal), std::nullopt});
  return result;
}

bool Template::constant() const {
  return std::none_of(parts_.begin(), parts_.end(),
                      [](const Part& part) { return part.hole.has_value(); });
}

Type Template::type() const {
  return parts_.size() == 1 && parts_.front().hole ? parts_.front().hole->type() : Type::string();
}

std::vector<std::string> Template::variables() const {
  std::set<std::string> names;
  for (const Part& part : parts_)
    if (part.hole) names.insert(part.hole->variables().begin(), part.hole->variables().end());
  return {names.begin(), names.end()};
}

EvalResult Template::evaluate(const Activation& activation, const EvalOptions& options) const {
  if (parts_.size() == 1 && parts_.front().hole)
    return parts_.front().hole->evaluate(activation, options);
  std::string text;
  for (const Part& part : parts_) {
    if (!part.hole) {
      text += part.literal;
      continue;
    }
    EvalOptions hole_options = options;
    TraceNode node;
    if (options.trace != nullptr) hole_options.trace = &node;
    const EvalResult value = part.hole->evaluate(activation, hole_options);
    if (options.trace != nullptr) options.trace->children.push_back(std::move(node));
    if (!value) {
      EvalError error = value.error();
      if (options.trace != nullptr) options.trace->error = error.message;
      return tl::unexpected(std::move(error));
    }
    text += text_of(*value);
    if (text.size() > options.value_bytes_max)
      return tl::unexpected(EvalError{{},
                                      "the text grows past its bound of " +
                                          std::to_string(options.value_bytes_max) + " bytes"});
  }
  Value result(std::move(text));
  if (options.trace != nullptr) {
    options.trace->text = source_;
    options.trace->value = result;
  }
  return result;
}

}  // namespace checkride::cel
