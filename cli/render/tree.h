// A run and its child runs as the verbs show them: one tree, loaded at once (cli/commands/load.h).
// Beside it: what the tree is doing, and what it asks of a person, with the exact commands.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/render/json.h"
#include "cli/render/text.h"
#include "cli/render/view.h"
#include "engine/ports/event_log.h"

namespace checkride::cli {

// Who holds units of a resource, anywhere in the store.
struct LeaseHolder {
  RunId run;
  std::string state;
  bool end_unknown = false;
  std::vector<LeasedUnit> units;
};

struct RunTree {
  RunHead head;
  RunState state;
  Timestamp ended;  // of a run that has; what it refused later moves `state.updated` alone
  View view;
  // The parent's JobIntended that started it, and what it was started for; null at the top.
  std::shared_ptr<const JobIntended> intent;
  std::string label;              // of a child: child_label(); its workflow's name at the top
  std::vector<RunTree> children;  // oldest first
  // Found where an attempt of the tree waits for units; null elsewhere.
  std::shared_ptr<const std::vector<LeaseHolder>> holders;
};

// The declared messages that active states of the run listen to.
std::vector<const MessageSpec*> heard_messages(const RunTree& run);
// "waits for gpu, held by RUN in state STATE".
std::string lease_words(const RunTree& run, const JobRecord& job);

// The element of the parent's `each` that a child was started for, as short text: the value, or the
// name, id or title in it; the child's workflow where there is no element.
std::string child_label(const View& parent, const JobIntended& intent, const RunState& child);

enum class Activity : std::uint8_t {
  running,
  waiting,      // nothing can move without a person
  interrupted,  // could move, but nobody drives it
  cancelling,
  rolling_back,
  finished,
};
std::string_view to_string(Activity activity);

// What a list knows of a tree of runs without loading states.
struct TreeCounts {
  std::uint32_t jobs = 0;  // live attempts, child runs not counted
  std::uint32_t gates = 0;
  std::uint32_t incidents = 0;
  std::uint32_t children = 0;  // not yet finished
  std::optional<Timestamp> next_due;
  Timestamp updated;
};
TreeCounts count_tree(const std::vector<const RunHead*>& of_one_root);
// `driven`: whether an owner drives it now; absent where that is not known.
Activity activity_of(const RunHead& top, const TreeCounts& counts, std::optional<bool> driven);

// An open gate, an incident, or a message that a run waits for and nothing else, anywhere in a
// tree.
struct Question {
  const RunTree* run = nullptr;
  RunId root;
  bool gate = false;
  Token token;          // of the gate
  IncidentId incident;  // else, where it is not empty
  std::string message;  // else: its name
  std::string name;     // what `answer` takes for the gate: its state, or its token where that is
                        // not unique in the tree
  // Complete command lines, with what each would do.
  struct Way {
    std::string command;
    std::string effect;
  };
  std::vector<Way> ways;
  Timestamp since;
};
// Gates first, then incidents, then messages, each oldest first.
std::vector<Question> questions(const RunTree& tree);

// The question as a block of lines: what is asked, what is known, how to answer.
std::string question_text(const Question& question, Timestamp now, const Style& style);
json::object as_json(const Question& question);

}  // namespace checkride::cli
