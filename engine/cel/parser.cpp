#include "engine/cel/parser.h"

#include <algorithm>
#include <array>

#include "engine/cel/lexer.h"
#include "engine/cel/macros.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

struct BinaryOperator {
  std::string_view symbol;
  Operator operation;
  int precedence;  // higher binds tighter
};
constexpr int lowest_binary = 1;
constexpr std::array<BinaryOperator, 12> binary_operators = {{
    {"==", Operator::equal, 1},
    {"!=", Operator::not_equal, 1},
    {"<", Operator::less, 1},
    {"<=", Operator::less_equal, 1},
    {">", Operator::greater, 1},
    {">=", Operator::greater_equal, 1},
    {"in", Operator::in, 1},
    {"+", Operator::add, 2},
    {"-", Operator::subtract, 2},
    {"*", Operator::multiply, 3},
    {"/", Operator::divide, 3},
    {"%", Operator::modulo, 3},
}};

class Parser {
 public:
  Parser(std::string_view source, bool macros) : source_(source), lexer_(source), macros_(macros) {
    advance();
  }

  // Errors are kept in diagnostic_ and shown by nullptr, which every caller passes up.
  tl::expected<ExprPtr, Diagnostic> run() {
    ExprPtr e = expression();
    if (e != nullptr && token_.kind != TokenKind::end) {
      e = nullptr;
      unexpected("an operator or the end");
    }
    if (e == nullptr) return tl::unexpected(std::move(*diagnostic_));
    return e;
  }

 private:
  // Counts how deep the recursion is; every path that can recurse passes one.
  struct Nested {
    explicit Nested(Parser& p) : parser(p) { ++parser.depth_; }
    ~Nested() { --parser.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    Parser& parser;
  };

  void advance() {
    previous_end_ = token_.end;
    token_ = lexer_.next();
  }

  bool accept(std::string_view symbol) {
    if (!token_.is(symbol)) return false;
    advance();
    return true;
  }

  bool expect(std::string_view symbol) {
    if (accept(symbol)) return true;
    unexpected("'" + std::string(symbol) + "'");
    return false;
  }

  ExprPtr wrong(std::uint32_t at, std::string message) {
    if (!diagnostic_) diagnostic_ = Diagnostic{position_at(source_, at), std::move(message), {}};
    return nullptr;
  }

  ExprPtr unexpected(const std::string& wanted) {
    if (token_.kind == TokenKind::error) return wrong(token_.begin, token_.text);
    if (token_.kind == TokenKind::end)
      return wrong(token_.begin, "the expression ends where " + wanted + " should be");
    return wrong(token_.begin,
                 "expected " + wanted + " but found '" +
                     std::string(source_.substr(token_.begin, token_.end - token_.begin)) + "'");
  }

  ExprPtr make(Op op, std::uint32_t begin, std::uint32_t at) {
    auto e = std::make_unique<Expr>();
    e->op = op;
    e->begin = begin;
    e->at = at;
    return e;
  }

  // Closes a node: its end, its depth, and the bounds.
  ExprPtr finish(ExprPtr e) {
    e->end = previous_end_;
    for (const ExprPtr& child : e->children) e->depth = std::max(e->depth, child->depth + 1);
    if (e->depth > nesting_max)
      return wrong(e->at, "the expression is nested more than 250 deep; split it");
    if (++nodes_ > nodes_max) return wrong(e->at, "the expression is too large; split it");
    return e;
  }

  ExprPtr expression() {
    const Nested nested(*this);
    if (depth_ > nesting_max)
      return wrong(token_.begin, "the expression is nested more than 250 deep; split it");
    ExprPtr condition = logical("||", Op::logical_or);
    if (condition == nullptr || !token_.is("?")) return condition;
    ExprPtr e = make(Op::conditional, condition->begin, token_.begin);
    advance();
    ExprPtr yes = logical("||", Op::logical_or);
    if (yes == nullptr || !expect(":")) return nullptr;
    ExprPtr no = expression();
    if (no == nullptr) return nullptr;
    e->children.push_back(std::move(condition));
    e->children.push_back(std::move(yes));
    e->children.push_back(std::move(no));
    return finish(std::move(e));
  }

  // a || b || c is one node, so that a long chain is not a deep tree.
  ExprPtr logical(std::string_view symbol, Op op) {
    const auto operand = [&] {
      return op == Op::logical_or ? logical("&&", Op::logical_and) : binary(lowest_binary);
    };
    ExprPtr first = operand();
    if (first == nullptr || !token_.is(symbol)) return first;
    ExprPtr e = make(op, first->begin, token_.begin);
    e->children.push_back(std::move(first));
    while (accept(symbol)) {
      ExprPtr next = operand();
      if (next == nullptr) return nullptr;
      e->children.push_back(std::move(next));
    }
    return finish(std::move(e));
  }

  const BinaryOperator* binary_operator() const {
    if (token_.kind != TokenKind::symbol && !token_.is_keyword("in")) return nullptr;
    for (const BinaryOperator& b : binary_operators)
      if (b.symbol == token_.text) return &b;
    return nullptr;
  }

  ExprPtr binary(int precedence) {
    ExprPtr left = unary();
    while (left != nullptr) {
      const BinaryOperator* b = binary_operator();
      if (b == nullptr || b->precedence < precedence) break;
      ExprPtr e = make(Op::binary, left->begin, token_.begin);
      e->operation = b->operation;
      advance();
      ExprPtr right = binary(b->precedence + 1);
      if (right == nullptr) return nullptr;
      e->children.push_back(std::move(left));
      e->children.push_back(std::move(right));
      left = finish(std::move(e));
    }
    return left;
  }

  ExprPtr unary() {
    const bool is_not = token_.is("!");
    if (!is_not && !token_.is("-")) return member(primary());
    const Nested nested(*this);
    if (depth_ > nesting_max)
      return wrong(token_.begin, "the expression is nested more than 250 deep; split it");
    ExprPtr e = make(Op::unary, token_.begin, token_.begin);
    e->operation = is_not ? Operator::logical_not : Operator::negate;
    advance();
    if (!is_not && token_.kind == TokenKind::literal &&
        (token_.value.kind() == Kind::integer || token_.value.kind() == Kind::floating))
      return member(negative_literal(e->begin));
    ExprPtr operand = unary();
    if (operand == nullptr) return nullptr;
    e->children.push_back(std::move(operand));
    return finish(std::move(e));
  }

  // "-1" is a literal, so that the least int can be written.
  ExprPtr negative_literal(std::uint32_t begin) {
    ExprPtr e = make(Op::literal, begin, begin);
    if (token_.int_min_magnitude)
      e->value = Value(INT64_MIN);
    else if (token_.value.kind() == Kind::integer)
      e->value = Value(-token_.value.as_int());
    else
      e->value = Value(-token_.value.as_double());
    advance();
    return finish(std::move(e));
  }

  ExprPtr literal(Value value) {
    ExprPtr e = make(Op::literal, token_.begin, token_.begin);
    e->value = std::move(value);
    advance();
    return finish(std::move(e));
  }

  ExprPtr primary() {
    if (token_.kind == TokenKind::literal) {
      if (token_.int_min_magnitude)
        return wrong(token_.begin, "'9223372036854775808' does not fit in an int");
      return literal(token_.value);
    }
    if (token_.is_keyword("true")) return literal(Value(true));
    if (token_.is_keyword("false")) return literal(Value(false));
    if (token_.is_keyword("null")) return literal(Value());
    if (token_.is("(")) {
      const std::uint32_t begin = token_.begin;
      advance();
      ExprPtr e = expression();
      if (e == nullptr || !expect(")")) return nullptr;
      e->parenthesized = true;
      e->begin = begin;
      e->end = previous_end_;
      return e;
    }
    if (token_.is("[")) return list();
    if (token_.is("{")) return map();
    return name();
  }

  ExprPtr name() {
    const std::uint32_t begin = token_.begin;
    const bool absolute = accept(".");
    if (token_.kind != TokenKind::identifier) return unexpected("a value");
    if (token_.reserved)
      return wrong(token_.begin, "'" + token_.text + "' is a reserved word of CEL, not a name");
    ExprPtr e = make(Op::name, begin, token_.begin);
    e->absolute = absolute;
    e->name = token_.text;
    advance();
    if (!token_.is("(")) return finish(std::move(e));
    e->op = Op::call;
    if (!arguments(*e)) return nullptr;
    return call(std::move(e));
  }

  bool arguments(Expr& call) {
    if (!expect("(")) return false;
    while (!token_.is(")")) {
      ExprPtr argument = expression();
      if (argument == nullptr) return false;
      call.children.push_back(std::move(argument));
      if (!token_.is(")") && !expect(",")) return false;
      if (token_.is(")") && source_[previous_end_ - 1] == ',') {
        unexpected("an argument");
        return false;
      }
    }
    advance();
    return true;
  }

  ExprPtr call(ExprPtr e) {
    if (macros_) {
      std::string problem;
      const std::uint32_t at = e->at;
      expand_macro(*e, problem);
      if (!problem.empty()) return wrong(at, std::move(problem));
    }
    return finish(std::move(e));
  }

  // .field .?field .method() [index] [?index], any number of times.
  ExprPtr member(ExprPtr e) {
    while (e != nullptr) {
      if (token_.is(".")) {
        advance();
        e = select(std::move(e));
      } else if (token_.is("[")) {
        const std::uint32_t at = token_.begin;
        advance();
        ExprPtr indexed = make(Op::index, e->begin, at);
        indexed->optional = accept("?");
        ExprPtr index = expression();
        if (index == nullptr || !expect("]")) return nullptr;
        indexed->children.push_back(std::move(e));
        indexed->children.push_back(std::move(index));
        e = finish(std::move(indexed));
      } else if (token_.is("{") && (e->op == Op::name || e->op == Op::select)) {
        return wrong(token_.begin,
                     "messages cannot be constructed here; write a map: {\"field\": value}");
      } else {
        return e;
      }
    }
    return e;
  }

  ExprPtr select(ExprPtr operand) {
    ExprPtr e = make(Op::select, operand->begin, token_.begin);
    e->optional = accept("?");
    e->at = token_.begin;
    const bool quoted = token_.kind == TokenKind::quoted_identifier;
    if (!quoted && token_.kind != TokenKind::identifier) return unexpected("a field name");
    e->name = token_.text;
    advance();
    e->children.push_back(std::move(operand));
    if (!token_.is("(") || e->optional || quoted) return finish(std::move(e));
    e->op = Op::call;
    e->member = true;
    if (!arguments(*e)) return nullptr;
    return call(std::move(e));
  }

  // Entries up to the closing symbol; `pairs` for a map.
  ExprPtr entries(Op op, std::string_view close, bool pairs) {
    ExprPtr e = make(op, token_.begin, token_.begin);
    advance();
    while (!token_.is(close)) {
      if (token_.is(",") && e->children.empty()) {
        advance();
        break;
      }
      e->optional_entries.push_back(accept("?"));
      ExprPtr first = expression();
      if (first == nullptr) return nullptr;
      e->children.push_back(std::move(first));
      if (pairs) {
        if (!expect(":")) return nullptr;
        ExprPtr second = expression();
        if (second == nullptr) return nullptr;
        e->children.push_back(std::move(second));
      }
      if (!token_.is(close) && !token_.is(","))
        return unexpected("',' or '" + std::string(close) + "'");
      accept(",");
    }
    if (!expect(close)) return nullptr;
    return finish(std::move(e));
  }

  ExprPtr list() { return entries(Op::list, "]", false); }
  ExprPtr map() { return entries(Op::map, "}", true); }

  std::string_view source_;
  Lexer lexer_;
  bool macros_;
  LexedToken token_;
  std::uint32_t previous_end_ = 0;
  std::uint32_t depth_ = 0;
  std::size_t nodes_ = 0;
  std::optional<Diagnostic> diagnostic_;
};

}  // namespace

tl::expected<ExprPtr, Diagnostic> parse(std::string_view source, bool macros) {
  if (source.size() > source_bytes_max)
    return tl::unexpected(Diagnostic{{}, "the expression is longer than 64 KiB; split it", {}});
  return Parser(source, macros).run();
}

}  // namespace checkride::cel
