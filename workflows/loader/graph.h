// A definition as a picture: Mermaid's stateDiagram-v2, which GitHub and most editors draw.
#pragma once

#include <string>

#include "engine/decider/definition.h"

namespace checkride {

// One diagram for the definition and one for each machine it names, each under a "%% name" comment
// line; several diagrams are separated by an empty line. Titles become state descriptions, guards
// stand on the edges in brackets. Deterministic.
std::string to_mermaid(const Definition& definition);

}  // namespace checkride
