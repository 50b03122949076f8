#include "cli/commands/inbox.h"

#include <ostream>
#include <set>

#include "cli/commands/load.h"
#include "engine/ports/clock.h"

namespace checkride::cli {

int cmd_inbox(const Context& context, const InboxOptions& options) {
  static_cast<void>(options);
  std::set<RunId> roots;  // that may ask something, by their heads: no other state is loaded
  const auto reader = context.open_reader();
  if (reader) {
    const auto heads = (*reader)->heads();
    if (!heads) return report_error(context, heads.error());
    for (const RunHead& head : *heads)
      if (head.summary.mode != RunMode::finished &&
          (head.summary.gates + head.summary.incidents > 0 ||
           (head.summary.jobs == 0 && !head.summary.definition_name.empty() &&
            !head.summary.paused)))
        roots.insert(head.summary.parent ? head.summary.root : head.run);
  } else if (reader.error().code != ErrorCode::not_found) {
    return report_error(context, reader.error());
  }

  const Timestamp now = SystemClock().now();
  const Style style = style_of(context);
  json::array all;
  std::string text;
  for (const RunId& root : roots) {
    RunLoader loader(context, **reader);
    const auto tree = loader.tree(root);
    if (!tree) return report_error(context, tree.error());
    loader.print_notes();
    const std::vector<Question> open = questions(*tree);
    if (!open.empty())
      text += (text.empty() ? "" : "\n") + style(Tone::bold, root.value) + "  " +
              run_title(tree->view, tree->state) + "\n";
    for (const Question& question : open) {
      if (context.json)
        all.push_back(as_json(question));
      else
        text += "\n" + question_text(question, now, style);
    }
  }
  const bool waiting = context.json ? !all.empty() : !text.empty();
  if (context.json)
    context.out << document(json::object{{"questions", std::move(all)}});
  else
    context.out << (waiting ? text : "nothing waits for a person\n");
  return waiting ? exit_waiting : exit_ok;
}

}  // namespace checkride::cli
