// Events and records as JSON, for `history --json` and `show --json`. Each alternative of the event
// variant has its own function behind one visit without a default: a new event does not compile
// until it is described here.
#pragma once

#include "cli/render/json.h"
#include "engine/decider/event.h"

namespace checkride::cli {

// {"type": "JobFinished", ...fields}
json::object as_json(const View& view, const Event& event);
// The envelope and "events": [{"sequence": n, "type": ..., ...}].
json::object as_json(const View& view, const Record& record);
json::object as_json(const View& view, const JobSpec& spec);
json::object as_json(const View& view, const JobOutcome& outcome);
// {"name": ..., "command fields": ...} of a command.
json::object as_json(const View& view, const CommandBody& body);

}  // namespace checkride::cli
