#include "cli/commands/load.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <ostream>

namespace checkride::cli {

namespace {

constexpr std::size_t tree_depth_max = 32;

// The sequence behind the last dot of a child's id.
std::optional<Sequence> intended_at(const Token& token) {
  const std::size_t dot = token.value.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = token.value.data() + token.value.size();
  const auto [rest, error] = std::from_chars(token.value.data() + dot + 1, end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return Sequence(value);
}

}  // namespace

Style style_of(const Context& context) {
  return Style(context.colours && !context.json);
}

Result<std::shared_ptr<const Definition>> RunLoader::definition(const Digest& hash) {
  if (const auto known = definitions_.find(hash); known != definitions_.end()) return known->second;
  CR_TRY(std::shared_ptr<const Definition> loaded, context_.definition(reader_, hash));
  definitions_[hash] = loaded;
  for (const auto& [machine_hash, machine] : loaded->machines)
    definitions_.emplace(machine_hash, machine);
  return loaded;
}

void RunLoader::print_notes() const {
  for (const std::string& note : notes_) context_.err << "checkride: " << note << "\n";
}

Result<std::shared_ptr<const JobIntended>> RunLoader::intent_of(const RunState& child) {
  std::shared_ptr<const JobIntended> found;
  if (!child.start.parent) return found;
  const std::optional<Sequence> at = intended_at(child.start.parent->token);
  if (!at) return found;
  CR_CHECK(reader_.read(child.start.parent->run, *at, [&](const Record& record) {
    const std::uint64_t position = at->value - record.first.value;
    if (at->value >= record.first.value && position < record.events.size())
      if (const auto* intent = std::get_if<JobIntended>(&record.events[position]))
        found = std::make_shared<const JobIntended>(*intent);
    return false;
  }));
  return found;
}

// Its last event but for the commands that were refused since.
Result<Timestamp> RunLoader::ended(const RunState& state) {
  Timestamp time = state.updated;
  for (Sequence at = state.last; at.value > 0;) {
    bool refusal = false;
    CR_CHECK(reader_.read(state.run, at, [&](const Record& record) {
      time = record.time;
      refusal = record.events.size() == 1 &&
                std::holds_alternative<CommandRejected>(record.events.front());
      at = Sequence(record.first.value - 1);
      return false;
    }));
    if (!refusal) break;
  }
  return time;
}

Result<RunTree> RunLoader::load(const RunHead& head, std::optional<Sequence> at_most) {
  RunTree run;
  run.head = head;
  // No further than the head: a live run may move on between the two reads.
  CR_TRY(run.state, load_state(reader_, head.run, at_most.value_or(head.last)));
  if (run.state.finished()) {
    CR_TRY(run.ended, ended(run.state));
  }
  const Digest hash = run.state.start.definition;
  if (const auto loaded = definition(hash)) {
    run.view = View(*loaded);
  } else if (!hash.zero()) {
    std::string note =
        "the definition of run '" + head.run.value +
        "' cannot be loaded, so states are shown by number: " + loaded.error().text();
    if (std::find(notes_.begin(), notes_.end(), note) == notes_.end())
      notes_.push_back(std::move(note));
  }
  return run;
}

Result<Mask> RunLoader::mask_above(const RunState& run) {
  Mask mask;
  std::optional<ParentLink> parent = run.start.parent;
  for (std::size_t depth = 0; parent && depth < tree_depth_max; ++depth) {
    CR_TRY(const RunState above, load_state(reader_, parent->run, Sequence(1)));
    if (const auto loaded = definition(above.start.definition))
      add_secrets(mask, **loaded, above.params);
    parent = above.start.parent;
  }
  return mask;
}

Result<RunTree> RunLoader::alone(const RunId& run, std::optional<Sequence> at_most) {
  CR_TRY(const std::optional<RunHead> head, reader_.head(run));
  if (!head)
    return fail(ErrorCode::not_found,
                "there is no run '" + run.value + "' here; `checkride ls` lists them");
  if (at_most && *at_most > head->last)
    return fail(ErrorCode::not_found, "run '" + run.value + "' has no event " +
                                          to_string(*at_most) + "; its last one is " +
                                          to_string(head->last));
  CR_TRY(RunTree tree, load(*head, at_most));
  CR_TRY(Mask mask, mask_above(tree.state));
  if (tree.view.definition() != nullptr)
    add_secrets(mask, *tree.view.definition(), tree.state.params);
  tree.view = View(tree.view.shared_definition(), mask);
  CR_TRY(tree.intent, intent_of(tree.state));
  tree.label = tree.state.start.definition_name;
  return tree;
}

Result<RunTree> RunLoader::tree(const RunId& run) {
  CR_TRY(RunTree top, alone(run));
  CR_TRY(const std::vector<RunHead> heads, reader_.heads());
  const RunId root = top.state.start.root;
  std::map<RunId, std::vector<const RunHead*>> by_parent;
  for (const RunHead& head : heads)
    if (head.summary.parent && head.summary.root == root)
      by_parent[head.summary.parent->run].push_back(&head);

  Mask mask = top.view.mask();
  const std::function<Result<void>(RunTree&, std::size_t)> add_children =
      [&](RunTree& parent, std::size_t depth) -> Result<void> {
    const auto below = by_parent.find(parent.state.run);
    if (below == by_parent.end() || depth >= tree_depth_max) return {};
    for (const RunHead* head : below->second) {
      CR_TRY(RunTree child, load(*head, std::nullopt));
      if (child.view.definition() != nullptr)
        add_secrets(mask, *child.view.definition(), child.state.params);
      const auto live = child.state.start.parent
                            ? parent.state.jobs.find(child.state.start.parent->token)
                            : parent.state.jobs.end();
      if (live != parent.state.jobs.end()) {
        child.intent = live->second.intent;
      } else {
        CR_TRY(child.intent, intent_of(child.state));
      }
      CR_CHECK(add_children(child, depth + 1));
      parent.children.push_back(std::move(child));
    }
    std::stable_sort(parent.children.begin(), parent.children.end(),
                     [](const RunTree& a, const RunTree& b) {
                       return a.state.started != b.state.started
                                  ? a.state.started < b.state.started
                                  : a.head.run.value.size() < b.head.run.value.size();
                     });
    return {};
  };
  CR_CHECK(add_children(top, 0));

  const std::function<void(RunTree&)> finish = [&](RunTree& each) {
    each.view = View(each.view.shared_definition(), mask);
    for (RunTree& child : each.children) {
      child.holders = each.holders;
      child.label = child.intent != nullptr ? child_label(each.view, *child.intent, child.state)
                                            : child.state.start.definition_name;
      finish(child);
    }
  };
  bool waits = false;
  const std::function<void(const RunTree&)> look = [&](const RunTree& each) {
    for (const auto& [token, job] : each.state.jobs) waits = waits || each.state.awaits_lease(job);
    for (const RunTree& child : each.children) look(child);
  };
  look(top);
  if (waits) {
    CR_TRY(top.holders, holders(heads));
  }
  finish(top);
  return top;
}

Result<std::shared_ptr<const std::vector<LeaseHolder>>> RunLoader::holders(
    const std::vector<RunHead>& heads) {
  auto all = std::make_shared<std::vector<LeaseHolder>>();
  for (const RunHead& head : heads) {
    if (head.summary.leases == 0) continue;
    CR_TRY(const RunState state, load_state(reader_, head.run, head.last));
    for (const auto& [token, lease] : state.leases) {
      const auto job = state.jobs.find(token);
      if (job == state.jobs.end()) continue;
      all->push_back(LeaseHolder{head.run, job->second.intent->spec.state,
                                 job->second.phase == JobPhase::unknown, lease.units});
    }
  }
  return all;
}

Result<RunReference> parse_reference(std::string_view text) {
  RunReference reference;
  const std::size_t mark = text.find_first_of("@:");
  CR_TRY(reference.run, parse_run_id(text.substr(0, mark)));
  if (mark == std::string_view::npos) return reference;
  const std::string_view rest = text.substr(mark + 1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error == std::errc() && end == rest.data() + rest.size())
    reference.sequence = Sequence(value);
  else
    reference.state = std::string(rest);
  if (rest.empty() || (reference.sequence && value == 0))
    return fail(ErrorCode::invalid_argument,
                "after '" + std::string(text.substr(0, mark + 1)) +
                    "' comes the sequence of an event (from 1) or the id of a state");
  return reference;
}

Result<RunId> find_run(const LogReader& reader, const RunId& typed) {
  CR_TRY(const std::optional<RunHead> exact, reader.head(typed));
  if (exact) return typed;
  CR_TRY(const std::vector<RunHead> heads, reader.heads());
  std::vector<RunId> fitting;
  for (const RunHead& head : heads)
    if (!head.summary.parent && head.run.value.starts_with(typed.value))
      fitting.push_back(head.run);
  if (fitting.size() == 1) return fitting.front();
  std::string message = "there is no run '" + typed.value + "' here";
  if (fitting.size() > 1) {
    message += ", and " + std::to_string(fitting.size()) + " begin with it: ";
    for (std::size_t i = 0; i < fitting.size() && i < 5; ++i)
      message += (i == 0 ? "" : ", ") + fitting[i].value;
  }
  return fail(ErrorCode::not_found, message + "; `checkride ls` lists them all");
}

}  // namespace checkride::cli
