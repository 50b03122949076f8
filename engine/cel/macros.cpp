#include "engine/cel/macros.h"

#include <array>
#include <string_view>

namespace checkride::cel {
namespace {

struct MacroForm {
  std::string_view name;
  Macro macro;
  std::size_t variables;
  std::size_t bodies_min;
  std::size_t bodies_max;
};

// Two forms of one name differ in their number of arguments.
constexpr std::array<MacroForm, 15> forms = {{
    {"all", Macro::all, 1, 1, 1},
    {"all", Macro::all, 2, 1, 1},
    {"exists", Macro::exists, 1, 1, 1},
    {"exists", Macro::exists, 2, 1, 1},
    {"exists_one", Macro::exists_one, 1, 1, 1},
    {"exists_one", Macro::exists_one, 2, 1, 1},
    {"existsOne", Macro::exists_one, 1, 1, 1},
    {"existsOne", Macro::exists_one, 2, 1, 1},
    {"map", Macro::map, 1, 1, 2},
    {"filter", Macro::filter, 1, 1, 1},
    {"transformList", Macro::transform_list, 2, 1, 2},
    {"transformMap", Macro::transform_map, 2, 1, 2},
    {"transformMapEntry", Macro::transform_map_entry, 2, 1, 2},
    {"optMap", Macro::opt_map, 1, 1, 1},
    {"optFlatMap", Macro::opt_flat_map, 1, 1, 1},
}};

bool is_simple_name(const Expr& e) {
  return e.op == Op::name && !e.absolute && !e.parenthesized;
}

// Takes the first `count` children behind `from` as variables of the macro.
bool take_variables(Expr& call, std::size_t from, std::size_t count, std::string& problem) {
  for (std::size_t i = 0; i < count; ++i) {
    const Expr& variable = *call.children[from + i];
    if (!is_simple_name(variable)) {
      problem =
          "argument " + std::to_string(i + 1) + " of " + call.name + "() must be a plain name";
      return false;
    }
    call.variables.push_back(variable.name);
  }
  if (count == 2 && call.variables[0] == call.variables[1]) {
    problem = "the two variables of " + call.name + "() need different names";
    return false;
  }
  const auto first = call.children.begin() + static_cast<std::ptrdiff_t>(from);
  call.children.erase(first, first + static_cast<std::ptrdiff_t>(count));
  return true;
}

void expand_has(Expr& call, std::string& problem) {
  if (call.children.size() != 1 || call.children[0]->op != Op::select ||
      call.children[0]->optional) {
    problem = "has() takes one field selection, as in has(result.log)";
    return;
  }
  const ExprPtr select = std::move(call.children[0]);
  call.op = Op::has;
  call.name = select->name;
  call.at = select->at;
  call.children.clear();
  call.children.push_back(std::move(select->children[0]));
}

void expand_bind(Expr& call, std::string& problem) {
  if (call.children.size() != 4) return;
  call.children.erase(call.children.begin());  // cel
  if (!take_variables(call, 0, 1, problem)) return;
  call.op = Op::macro;
  call.macro = Macro::bind;
}

}  // namespace

void expand_macro(Expr& call, std::string& problem) {
  if (!call.member) {
    if (call.name == "has") expand_has(call, problem);
    return;
  }
  if (call.name == "bind" && is_simple_name(*call.children[0]) && call.children[0]->name == "cel") {
    expand_bind(call, problem);
    return;
  }
  const std::size_t arguments = call.children.size() - 1;
  for (const MacroForm& form : forms) {
    if (form.name != call.name || arguments < form.variables + form.bodies_min ||
        arguments > form.variables + form.bodies_max)
      continue;
    if (!take_variables(call, 1, form.variables, problem)) return;
    call.op = Op::macro;
    call.macro = form.macro;
    return;
  }
}

}  // namespace checkride::cel
