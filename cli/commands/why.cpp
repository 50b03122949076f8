#include "cli/commands/why.h"

#include <algorithm>
#include <functional>
#include <ostream>

#include "cli/commands/why_find.h"
#include "engine/cel/text.h"

namespace checkride::cli {

namespace {

struct Answer {
  Explanation why;
  View view;
};

// Every run of the tree whose definition has such a state, the asked one first.
void runs_with_state(const RunTree& tree, const std::string& state,
                     std::vector<const RunTree*>& all) {
  if (tree.view.definition() != nullptr && tree.view.definition()->chart.find(state))
    all.push_back(&tree);
  for (const RunTree& child : tree.children) runs_with_state(child, state, all);
}

void state_ids(const RunTree& tree, std::vector<std::string>& ids) {
  if (const Definition* definition = tree.view.definition())
    for (const auto& node : definition->chart.states)
      if (!node.id.empty()) ids.push_back(node.id);
  for (const RunTree& child : tree.children) state_ids(child, ids);
}

Result<Answer> about_state(const LogReader& reader, const RunTree& tree, const std::string& state) {
  std::vector<const RunTree*> runs;
  runs_with_state(tree, state, runs);
  if (runs.empty()) {
    std::vector<std::string> ids;
    state_ids(tree, ids);
    const std::string hint = cel::did_you_mean(state, ids);
    return fail(ErrorCode::not_found, "run '" + tree.state.run.value +
                                          "' and its children have no state '" + state + "'" +
                                          (hint.empty() ? "" : "; " + hint));
  }
  std::optional<Answer> newest;
  std::optional<Error> missing;
  for (const RunTree* run : runs) {
    auto why = explain(reader, *run, {std::nullopt, run->view.definition()->chart.find(state)});
    if (!why) {
      if (why.error().code != ErrorCode::not_found) return tl::unexpected(std::move(why).error());
      if (!missing) missing = std::move(why).error();
    } else if (run == &tree) {
      return Answer{*std::move(why), run->view};  // the asked run's own state wins
    } else if (!newest || newest->why.time <= why->time) {
      newest = Answer{*std::move(why), run->view};
    }
  }
  if (!newest) return tl::unexpected(*std::move(missing));
  return *std::move(newest);
}

Result<Answer> find_answer(const Context& context, const WhyOptions& options,
                           const LogReader& reader, RunLoader& loader) {
  CR_TRY(RunReference asked, parse_reference(options.target));
  if (!options.state.empty()) {
    const bool digits = std::all_of(options.state.begin(), options.state.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
    CR_TRY(const RunReference second,
           parse_reference(asked.run.value + (digits ? "@" : ":") + options.state));
    asked.sequence = second.sequence;
    asked.state = second.state;
  }
  static_cast<void>(context);
  CR_TRY(const RunId id, find_run(reader, asked.run));
  if (!asked.state.empty()) {
    CR_TRY(const RunTree tree, loader.tree(id));
    return about_state(reader, tree, asked.state);
  }
  CR_TRY(const RunTree run, loader.alone(id));
  CR_TRY(Explanation why, explain(reader, run, {asked.sequence, std::nullopt}));
  return Answer{std::move(why), run.view};
}

}  // namespace

int cmd_why(const Context& context, const WhyOptions& options) {
  const auto reader = context.open_reader();
  if (!reader) return report_error(context, reader.error());
  RunLoader loader(context, **reader);
  const auto answer = find_answer(context, options, **reader, loader);
  if (!answer) return report_error(context, answer.error());
  if (context.json)
    context.out << document(explanation_json(answer->view, answer->why));
  else
    context.out << explanation_text(answer->view, answer->why, style_of(context));
  return exit_ok;
}

}  // namespace checkride::cli
