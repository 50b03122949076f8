// CEL's operators on values: arithmetic with range checks, comparison across numeric types, `in`
// and indexing.
#pragma once

#include "engine/cel/ast.h"
#include "engine/cel/functions.h"
#include "engine/cel/value.h"

namespace checkride::cel {

// As written: "+", "in".
std::string_view symbol_of(Operator operation);

// All operators of Op::binary. False (and the runtime failed) where they give no value.
bool apply_binary(Runtime& runtime, Operator operation, const Value& a, const Value& b, Value& out);
bool apply_unary(Runtime& runtime, Operator operation, const Value& a, Value& out);

// The element or entry under `key`; nullptr where there is none or `container` has no entries.
// Borrowed from `container`.
const Value* find_entry(const Value& container, const Value& key);
// Fails with the reason why find_entry found nothing.
bool fail_entry(Runtime& runtime, const Value& container, const Value& key);

}  // namespace checkride::cel
