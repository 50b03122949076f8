// A definition as a picture: Mermaid's stateDiagram-v2, which GitHub and most editors draw, or
// Graphviz's DOT, which becomes a figure of a document. Deterministic.
#pragma once

#include <string>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride {

// One diagram for the definition and one for each machine it names, each under a "%% name" comment
// line; several diagrams are separated by an empty line. Titles become state descriptions, guards
// stand on the edges in brackets.
std::string to_mermaid(const Definition& definition);

// One digraph: compound states and machines are clusters, the border says what invokes what (jobs
// blue, gates amber, machines violet), and an edge without text is the way on. Guards are cut
// short. A final state that many lead to is drawn beside each of them. `machines`: its machines as
// well, each in a cluster of its own.
std::string to_dot(const Definition& definition, bool machines);

// Event names as the definition writes them: "done", "answer.approve", "after 1m30s".
std::string short_event(const Definition& definition, const std::string& event,
                        statechart::StateIndex source);
// "90s" is 1m30s; exact, as definitions write durations.
std::string written_duration(Duration duration);
// The machines it names, at any depth, by name: the order of pictures and chapters does not change
// with every edit.
std::vector<const Definition*> machines_by_name(const Definition& definition);

}  // namespace checkride
