// The definition language for editors (JSON Schema, draft 2020-12) and for people (the reference in
// docs/reference/language.md). Both are written from the tables of workflows/loader/language.h and
// from the signatures of the job kinds, so they say what the loader accepts. The schema knows the
// shape of a document: keys, enumerations, the inputs of each kind. What only the loader knows
// (names that lead nowhere, types of expressions, paths) it lets through.
#pragma once

#include <string>
#include <vector>

#include "engine/decider/job.h"

namespace checkride {

// One JSON document, indented by two, with a line end.
std::string json_schema(const std::vector<const JobSignature*>& kinds);
// Markdown.
std::string language_reference(const std::vector<const JobSignature*>& kinds);

}  // namespace checkride
