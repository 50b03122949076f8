// The canonical form of a definition: the bytes its hash covers, so that two documents which mean
// the same have one identity, and a change of meaning has another. Comments, layout, quotes and the
// order of params, data and inputs make no difference; the order of states and transitions does.
//
// The form: a sequence of fields. A field is its name, then its value:
//   text     "t", length in decimal, ":", the bytes
//   number   "n", decimal, ";"
//   absent   "-"
//   list     "[", count in decimal, ":", the elements, each a text, a number or a group
//   group    "{", fields, "}"
// Names are texts too. Lengths make every value end where it says, so no text can look like another
// structure. It begins with "checkride canonical form 1". Beside what the document says it holds
// every default, the version and schema digest of each job kind, and the hash of each machine.
#pragma once

#include <string>

#include "engine/base/digest.h"
#include "engine/decider/definition.h"

namespace checkride::loader {

std::string canonical_form(const Definition& definition);
Digest canonical_hash(const Definition& definition);

}  // namespace checkride::loader
