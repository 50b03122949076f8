// What the fuzzer feeds: each target takes any bytes, and what must hold of them is asserted
// inside, so that a broken promise ends the process as a crash would. The same functions run in
// libFuzzer (entry.cpp, with CR_FUZZ) and over the committed corpus with the ordinary compiler
// (replay.cpp).
#pragma once

#include <string_view>

namespace checkride::fuzz {

// Expressions, templates and types from text: every diagnostic has its place inside the text, and
// what compiles untyped once compiles again to the same.
void parser(std::string_view text);
// The checker against declared variables: it ends in a type or in diagnostics, and never lets more
// through than the parser.
void checker(std::string_view text);
// Evaluation within its budget: recording facts or a trace changes nothing, facts alone give the
// same verdict, and a value printed as CEL evaluates to itself.
void evaluator(std::string_view text);

}  // namespace checkride::fuzz
