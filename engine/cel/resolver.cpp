#include "engine/cel/resolver.h"

#include <algorithm>
#include <unordered_map>

#include "engine/cel/functions.h"
#include "engine/cel/lexer.h"
#include "engine/cel/text.h"

namespace checkride::cel {
namespace {

std::optional<Type> type_named(std::string_view name) {
  if (name == "bool") return Type::boolean();
  if (name == "int") return Type::integer();
  if (name == "uint") return Type::unsigned_integer();
  if (name == "double") return Type::floating();
  if (name == "string") return Type::string();
  if (name == "bytes") return Type::bytes();
  if (name == "null_type") return Type::null();
  if (name == "list") return Type::list(Type::dyn());
  if (name == "map") return Type::map(Type::dyn(), Type::dyn());
  if (name == "type") return Type::type_of(Type::dyn());
  if (name == "optional_type") return Type::optional(Type::dyn());
  if (name == "google.protobuf.Timestamp") return Type::timestamp();
  if (name == "google.protobuf.Duration") return Type::duration();
  return std::nullopt;
}

bool is_constant_key(const Expr& e) {
  return e.op == Op::literal &&
         (e.value.kind() == Kind::string || e.value.kind() == Kind::integer ||
          e.value.kind() == Kind::unsigned_integer || e.value.kind() == Kind::boolean);
}

// "a.b" for a chain of plain selections from a name, else "".
std::string dotted(const Expr& e) {
  if (e.op == Op::name) return e.absolute ? "" : e.name;
  if (e.op != Op::select || e.optional) return "";
  const std::string operand = dotted(*e.children[0]);
  return operand.empty() ? "" : operand + "." + e.name;
}

class Resolver {
 public:
  Resolver(std::string_view source, const Environment::Data& environment,
           Program::Checking checking)
      : source_(source), environment_(environment), typed_(checking == Program::Checking::typed) {}

  void run(ExprPtr& e) { resolve(*e); }
  Resolution take() { return std::move(result_); }

 private:
  void diagnose(std::uint32_t at, std::string message, std::string suggestion = "") {
    if (result_.diagnostics.size() >= diagnostics_max) return;
    result_.diagnostics.push_back(
        Diagnostic{position_at(source_, at), std::move(message), std::move(suggestion)});
  }

  std::uint32_t index_of(std::vector<std::string>& texts,
                         std::unordered_map<std::string, std::uint32_t>& index,
                         const std::string& text) {
    const auto [at, is_new] = index.emplace(text, static_cast<std::uint32_t>(texts.size()));
    if (is_new) texts.push_back(text);
    return at->second;
  }
  std::uint32_t variable(const std::string& name) {
    return index_of(result_.variables, variable_index_, name);
  }
  std::uint32_t fact(const std::string& text) { return index_of(result_.facts, fact_index_, text); }

  void resolve(Expr& e) {
    switch (e.op) {
      case Op::name:
      case Op::select:
      case Op::index:
        if (!resolve_path(e)) resolve_children(e);
        if (e.optional) note_optional_fact(e);
        break;
      case Op::has:
        resolve_children(e);
        if (const Path* path = global_path(*e.children[0])) {
          e.fact_text = "has(" + path->text + segment_text(Value(e.name)) + ")";
          e.fact = fact(e.fact_text);
        }
        break;
      case Op::call: resolve_call(e); break;
      case Op::macro: resolve_macro(e); break;
      default: resolve_children(e);
    }
  }

  void resolve_children(Expr& e) {
    for (const ExprPtr& child : e.children) resolve(*child);
  }

  // The path of a variable that is no macro's, or nullptr.
  static const Path* global_path(const Expr& e) {
    return e.op == Op::path && e.path->local < 0 ? e.path.get() : nullptr;
  }

  void note_optional_fact(Expr& e) {
    if (e.op != Op::select && e.op != Op::index) return;
    const Path* path = global_path(*e.children[0]);
    if (path == nullptr) return;
    if (e.op == Op::index && !is_constant_key(*e.children[1])) return;
    const Value key = e.op == Op::select ? Value(e.name) : e.children[1]->value;
    e.fact_text = path->text + segment_text(key);
    e.fact = fact(e.fact_text);
    e.absent_fact = fact("has(" + e.fact_text + ")");
  }

  // Turns e into a path where it is a name with constant selections behind it.
  bool resolve_path(Expr& e) {
    std::vector<Segment> segments;
    std::vector<bool> by_dot;
    const Expr* root = &e;
    while (root->op != Op::name) {
      if (root->optional) return false;
      if (root->op == Op::select) {
        segments.push_back({Value(root->name), root->at});
        by_dot.push_back(true);
      } else if (root->op == Op::index && is_constant_key(*root->children[1])) {
        segments.push_back({root->children[1]->value, root->at});
        by_dot.push_back(false);
      } else {
        return false;
      }
      root = root->children[0].get();
    }
    std::reverse(segments.begin(), segments.end());
    std::reverse(by_dot.begin(), by_dot.end());
    const auto dots =
        static_cast<std::size_t>(std::find(by_dot.begin(), by_dot.end(), false) - by_dot.begin());
    auto path = std::make_unique<Path>();
    path->name = root->name;
    path->segments = std::move(segments);
    find_root(*path, *root, dots);
    if (path->type_literal && path->roots.empty()) {
      e.op = Op::literal;
      e.value = *path->type_literal;
    } else {
      if (path->local < 0) {
        const Root* first = path->roots.empty() ? nullptr : &path->roots.front();
        path->text = first != nullptr ? first->name : root->name;
        for (std::size_t i = first != nullptr ? first->consumed : 0; i < path->segments.size(); ++i)
          path->text += segment_text(path->segments[i].key);
        path->fact = fact(path->text);
      }
      e.op = Op::path;
      e.at = root->at;
      e.path = std::move(path);
    }
    e.children.clear();
    return true;
  }

  void find_root(Path& path, const Expr& name, std::size_t dots) {
    if (!name.absolute)
      for (std::size_t i = scope_.size(); i > 0; --i)
        if (scope_[i - 1] == name.name) {
          path.local = static_cast<std::int32_t>(i - 1);
          return;
        }
    // The longest qualified name wins; for each length the innermost container.
    for (std::size_t consumed = dots + 1; consumed > 0; --consumed) {
      std::string qualified = name.name;
      for (std::size_t i = 0; i + 1 < consumed; ++i)
        qualified += "." + path.segments[i].key.as_string();
      std::string container = name.absolute ? "" : environment_.container;
      while (true) {
        const std::string candidate = container.empty() ? qualified : container + "." + qualified;
        if (add_root(path, candidate, consumed - 1) && typed_) return;
        if (container.empty()) break;
        const std::size_t dot = container.rfind('.');
        container.resize(dot == std::string::npos ? 0 : dot);
      }
    }
    if (!typed_) return;
    std::vector<std::string> known = scope_;
    for (const auto& variable : environment_.variables) known.push_back(variable.first);
    diagnose(name.at, "undeclared variable '" + name.name + "'", did_you_mean(name.name, known));
  }

  bool add_root(Path& path, const std::string& candidate, std::size_t consumed) {
    const bool declared = environment_.find(candidate) != nullptr;
    const std::optional<Type> type = type_named(candidate);
    if (!declared && type && consumed == path.segments.size() && !path.type_literal) {
      path.type_literal = Value(*type);
      if (typed_) return true;
    }
    if (!declared && typed_) return false;
    if (typed_) path.type_literal.reset();
    path.roots.push_back({candidate, variable(candidate), static_cast<std::uint32_t>(consumed)});
    return true;
  }

  void resolve_call(Expr& e) {
    if (e.member) {
      const std::string receiver = dotted(*e.children[0]);
      const bool is_namespace = !receiver.empty() &&
                                (find_function(receiver + "." + e.name) != nullptr ||
                                 environment_.find_declared(receiver + "." + e.name) != nullptr) &&
                                std::find(scope_.begin(), scope_.end(), receiver) == scope_.end();
      if (is_namespace) {
        e.name = receiver + "." + e.name;
        e.member = false;
        e.children.erase(e.children.begin());
      }
    }
    resolve_children(e);
    if (e.name == "In" && !e.member && e.children.size() == 1 && environment_.in) {
      resolve_in(e);
      return;
    }
    e.function = environment_.find_declared(e.name);
    if (e.function == nullptr) e.function = find_function(e.name);
    const auto takes = [&](const Overload& o) { return o.takes(e.member, e.children.size()); };
    if (e.function != nullptr &&
        std::any_of(e.function->overloads.begin(), e.function->overloads.end(), takes)) {
      compile_pattern(e);
      return;
    }
    refuse_call(e);
  }

  void refuse_call(Expr& e) {
    const bool is_known = e.function != nullptr;
    std::string message = is_known ? "no such overload: '" + e.name + "' does not take " +
                                         std::to_string(e.children.size() - (e.member ? 1 : 0)) +
                                         " arguments" + (e.member ? " behind a dot" : " here")
                                   : "unknown function '" + e.name + "'";
    if (typed_) {
      std::vector<std::string> names = function_names();
      for (const char* name : {"has", "all", "exists", "exists_one", "filter", "map"})
        names.emplace_back(name);
      if (environment_.in) names.emplace_back("In");
      diagnose(e.at, message, is_known ? "" : did_you_mean(e.name, names));
    }
    e.op = Op::failure;
    e.name = std::move(message);
  }

  void resolve_in(Expr& e) {
    const Expr& argument = *e.children[0];
    if (argument.op != Op::literal || argument.value.kind() != Kind::string) return;
    const std::string& id = argument.value.as_string();
    const StateNames* states = environment_.states.get();
    if (typed_ && states != nullptr && !states->known.contains(id))
      diagnose(argument.at, "there is no state '" + id + "'", did_you_mean(id, states->listed));
    e.fact_text = "In('" + id + "')";
    e.fact = fact(e.fact_text);
  }

  // A literal pattern is compiled once, and refused here when it is wrong.
  void compile_pattern(Expr& e) {
    if (e.name != "matches") return;
    const Expr& pattern = *e.children[1];
    if (pattern.op != Op::literal || pattern.value.kind() != Kind::string) return;
    auto regex = compile_regex(pattern.value.as_string());
    if (regex)
      e.regex = *std::move(regex);
    else if (typed_)
      diagnose(pattern.at, regex.error().message);
  }

  void resolve_macro(Expr& e) {
    resolve(*e.children[0]);
    e.slot = static_cast<std::int32_t>(scope_.size());
    scope_.insert(scope_.end(), e.variables.begin(), e.variables.end());
    result_.locals = std::max(result_.locals, static_cast<std::uint32_t>(scope_.size()));
    for (std::size_t i = 1; i < e.children.size(); ++i) resolve(*e.children[i]);
    scope_.resize(scope_.size() - e.variables.size());
  }

  std::string_view source_;
  const Environment::Data& environment_;
  bool typed_;
  Resolution result_;
  std::vector<std::string> scope_;  // macro variables, innermost last; the index is the slot
  std::unordered_map<std::string, std::uint32_t> variable_index_;
  std::unordered_map<std::string, std::uint32_t> fact_index_;
};

}  // namespace

std::string segment_text(const Value& key) {
  if (key.kind() == Kind::string && is_identifier(key.as_string())) return "." + key.as_string();
  return "[" + to_cel(key) + "]";
}

Resolution resolve(ExprPtr& expression, std::string_view source,
                   const Environment::Data& environment, Program::Checking checking) {
  Resolver resolver(source, environment, checking);
  resolver.run(expression);
  return resolver.take();
}

}  // namespace checkride::cel
