// Text to syntax tree (google/cel-spec, langdef.md, "Syntax"), macros included. Bounded on hostile
// input: source 64 KiB, nesting 250, nodes 100,000.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

#include "engine/cel/ast.h"
#include "engine/cel/program.h"

namespace checkride::cel {

inline constexpr std::size_t source_bytes_max = 64 * 1024;
inline constexpr std::uint32_t nesting_max = 250;
inline constexpr std::size_t nodes_max = 100'000;

// The first error ends parsing.
tl::expected<ExprPtr, Diagnostic> parse(std::string_view source, bool macros = true);

}  // namespace checkride::cel
