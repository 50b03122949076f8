// Job kinds and short documents for the tests of the loader.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "workflows/loader/load.h"

namespace checkride::test {

// shell, exec, git.status, count.probe and log.scan, with types like the real ones'.
const std::vector<const JobSignature*>& kinds();

LoadOptions options();
LoadResult load(std::string_view text);
// Fails the test with the diagnostics when there is an error.
std::shared_ptr<const Definition> load_good(std::string_view text);
// All diagnostics as text, one a line.
std::string findings(const LoadResult& result);

// A document around the given states, each of which may go to `end` or `failed`. The first line of
// `states` is line 7 of the document; states are indented by two.
std::string with_states(std::string_view states);

// Indices by id; fail the test where there is none.
statechart::StateIndex state_of(const Definition& definition, std::string_view id);
const StateSpec& spec_of(const Definition& definition, std::string_view id);
// The transitions of a state, as "events -> targets".
std::vector<std::string> transitions_of(const Definition& definition, std::string_view id);

}  // namespace checkride::test
