// The function library: for each name its overloads, each with a signature for the checker and a
// function that computes it. An implementation is called with arguments of the kinds its signature
// names, so it never checks them again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride::cel {

// What an implementation may ask of the evaluation it runs in.
class Runtime {
 public:
  Runtime(std::uint64_t steps_max, std::size_t value_bytes_max, bool named_zones)
      : steps_max_(steps_max), value_bytes_max_(value_bytes_max), named_zones_(named_zones) {}

  // Records why the evaluation fails; always false, so that `return runtime.fail(...)` reads well.
  bool fail(std::string message) {
    if (!failed_) message_ = std::move(message);
    failed_ = true;
    return false;
  }
  // Takes `steps` from the budget; false (and failed) when it is used up.
  bool charge(std::uint64_t steps) {
    steps_ += steps;
    return steps_ <= steps_max_ || exhausted();
  }
  // For work on text or bytes.
  bool charge_bytes(std::size_t bytes) { return charge(bytes / 64); }
  // For looking for `part` everywhere in a text, which may compare each of its bytes each time.
  bool charge_find(std::size_t text_bytes, std::size_t part_bytes) {
    return charge(text_bytes / 64) && charge(text_bytes * (part_bytes / 64) / 64);
  }
  // Whether a value of so many bytes may be built; false (and failed) when not.
  bool allow_bytes(std::size_t bytes) {
    return bytes <= value_bytes_max_ ||
           fail("the value grows past its bound of " + std::to_string(value_bytes_max_) + " bytes");
  }
  // Charges for walking all of a value, as equality does; a step a part.
  bool charge_walk(const Value& value);
  bool named_zones() const { return named_zones_; }

 protected:
  bool is_exhausted() const { return steps_ > steps_max_; }
  bool exhausted() {
    return fail("the evaluation needs more than " + std::to_string(steps_max_) + " steps");
  }

  bool failed_ = false;
  std::string message_;

 private:
  std::uint64_t steps_ = 0;
  std::uint64_t steps_max_;
  std::size_t value_bytes_max_;
  bool named_zones_;
};

using Arguments = std::span<const Value* const>;  // the receiver first
// Writes `out` and returns true, or fails.
using Implementation = bool (*)(Runtime& runtime, Arguments arguments, Value& out);

struct Overload {
  bool member = false;               // called as receiver.name(...)
  bool variadic = false;             // the last parameter may repeat, at least once
  std::vector<Type> parameters;      // the receiver first
  std::vector<std::uint16_t> kinds;  // per parameter: bit k is set where Kind k may stand there
  Type result;
  Implementation run = nullptr;      // nullptr: declared for the checker alone

  bool takes(bool as_member, std::size_t count) const {
    return member == as_member &&
           (variadic ? count >= parameters.size() : count == parameters.size());
  }
  bool accepts(Arguments arguments) const;
};

// What the checker and the evaluator need of a signature; it has no `run` yet.
Overload overload_of(bool member, std::vector<Type> parameters, Type result);

struct Function {
  std::string name;
  std::vector<Overload> overloads;
};

// nullptr where there is no such function. Names of namespaced functions are whole: "math.abs".
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();

// Builds the library; `signature` reads "(string) -> int", "string.(int) -> string" or
// "(list<T>...) -> T".
class FunctionTable {
 public:
  void add(std::string_view name, std::string_view signature, Implementation run);
  const std::vector<Function>& functions() const { return functions_; }

 private:
  std::vector<Function> functions_;
};
void add_standard_functions(FunctionTable& table);
void add_time_functions(FunctionTable& table);
void add_string_functions(FunctionTable& table);
void add_math_functions(FunctionTable& table);
void add_optional_functions(FunctionTable& table);

// getHours and the like, which take a time zone.
bool is_time_accessor(std::string_view name);
// What is said where a zone other than an offset is not allowed.
std::string named_zone_refusal(const Value& zone);

// What string() gives; nullopt for kinds it does not take.
std::optional<std::string> string_of(const Value& value);
// "...".format([...]); false where it failed.
bool format(Runtime& runtime, std::string_view pattern, const List& arguments, std::string& out);
// Whether optional.ofNonZeroValue() would make it none.
bool is_zero_value(const Value& value);

}  // namespace checkride::cel
