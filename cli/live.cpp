#include "cli/live.h"

#include <functional>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/output.h"
#include "cli/render/conflict.h"
#include "cli/render/live_tree.h"
#include "cli/render/status.h"
#include "cli/terminal.h"
#include "engine/decider/decide.h"
#include "engine/ports/clock.h"

namespace checkride::cli {

namespace {

constexpr std::chrono::milliseconds draw_every(100);               // when something happened
constexpr std::chrono::milliseconds draw_idle_every(300);          // so that times move
constexpr Duration output_after = std::chrono::milliseconds(500);  // quick jobs need no last line

RunTree* find_in(RunTree& tree, const RunId& run) {
  if (tree.state.run == run || tree.head.run == run) return &tree;
  for (RunTree& child : tree.children)
    if (RunTree* found = find_in(child, run)) return found;
  return nullptr;
}

void each_run(RunTree& tree, const std::function<void(RunTree&)>& use) {
  use(tree);
  for (RunTree& child : tree.children) each_run(child, use);
}

}  // namespace

LiveView::LiveView(const Context& context, RunId root)
    : context_(context),
      root_(std::move(root)),
      draws_(context.redraw && !context.json),
      style_(style_of(context)) {}

RunTree* LiveView::find(const RunId& run) {
  return tree_ ? find_in(*tree_, run) : nullptr;
}

void LiveView::skip_to_end(const LogReader& log) {
  if (tree_) return;
  const auto head = log.head(root_);
  if (!head || !*head) return;  // not started yet
  RunLoader loader(context_, log);
  if (auto tree = loader.tree(root_)) tree_ = *std::move(tree);
}

void LiveView::begin(const LogReader& log) {
  const auto heads = log.heads();
  if (!heads) return;
  for (const RunHead& head : *heads)
    if (head.summary.root == root_) moved(log, head.run);
}

RunTree* LiveView::place(const LogReader& log, const RunId& run) {
  if (RunTree* known = find(run)) return known;
  const auto head = log.head(run);
  if (!head || !*head) return nullptr;
  RunTree made;
  made.head = **head;
  made.label = made.head.summary.definition_name;
  if (auto definition = context_.definition(log, made.head.summary.definition))
    made.view = View(*definition);
  if (run == root_) {
    tree_ = std::move(made);
    return &*tree_;
  }
  if (!made.head.summary.parent) return nullptr;
  RunTree* parent = place(log, made.head.summary.parent->run);
  if (parent == nullptr) return nullptr;
  const auto job = parent->state.jobs.find(made.head.summary.parent->token);
  if (job != parent->state.jobs.end()) made.intent = job->second.intent;
  parent->children.push_back(std::move(made));
  return &parent->children.back();
}

// Secrets of any run are secrets in all of them.
void LiveView::mask_again() {
  Mask mask = tree_->view.mask();
  each_run(*tree_, [&](RunTree& run) {
    if (run.view.definition() != nullptr)
      add_secrets(mask, *run.view.definition(), run.state.params);
  });
  each_run(*tree_, [&](RunTree& run) { run.view = View(run.view.shared_definition(), mask); });
}

void LiveView::evolve_with(RunTree& run, const Record& record) {
  evolve(run.state, record);
  bool started = false;
  for (const Event& event : record.events)
    started = started || std::holds_alternative<RunStarted>(event);
  if (!started) return;
  mask_again();
  if (run.intent == nullptr) return;
  if (const RunTree* parent = find(run.intent->spec.run))
    run.label = child_label(parent->view, *run.intent, run.state);
}

void LiveView::moved(const LogReader& log, const RunId& run) {
  RunTree* known = place(log, run);
  if (known == nullptr) return;
  static_cast<void>(log.read(run, known->state.last.next(), [&](const Record& record) {
    if (record.first <= known->state.last) return true;
    evolve_with(*known, record);
    for (const LiveLine& shown : live_lines(known->view, known->state, record, style_))
      line(*known, record, shown);
    changed_ = true;
    return true;
  }));
  if (draws_)
    tick();
  else
    context_.out.flush();
}

void LiveView::line(const RunTree& run, const Record& record, const LiveLine& shown) {
  if (context_.json) {
    context_.out << document(as_json(record, shown));
    return;
  }
  if (draws_ && shown.quiet) return;
  const std::string clock = style_(Tone::dim, to_iso8601(record.time).substr(11, 8)) + "  ";
  const bool child = run.state.start.parent.has_value();
  if (draws_)
    above_ += clock + pad(shown.mark, 3) + (child ? style_(Tone::dim, run.label) + "  " : "") +
              shown.text + "\n";
  else
    context_.out << clock << (child ? "  " : "") << pad(shown.mark, 3) << shown.text << "\n";
}

void LiveView::tick() {
  if (!draws_ || !tree_) return;
  const auto since = std::chrono::steady_clock::now() - drawn_;
  if (since >= draw_idle_every || (changed_ && since >= draw_every)) draw(false);
}

std::map<Token, std::string> LiveView::outputs() {
  std::map<Token, std::string> lines;
  const Timestamp now = SystemClock().now();
  each_run(*tree_, [&](RunTree& run) {
    for (const auto& [token, job] : run.state.jobs) {
      if (job.intent->performer != JobSignature::Performer::runner ||
          now - job.intended_time < output_after)
        continue;
      const std::filesystem::path folder = context_.attempts() / token.value;
      std::string text = last_line_of(folder / "stdout");
      if (text.empty()) text = last_line_of(folder / "stderr");
      if (!text.empty()) lines[token] = std::move(text);
    }
  });
  return lines;
}

void LiveView::draw(bool last) {
  LiveMoment moment{SystemClock().now(), terminal_size(), {}, last};
  if (!last) moment.output = outputs();
  context_.out << frame_.draw(live_tree(*tree_, moment, style_), above_, moment.size);
  context_.out.flush();
  above_.clear();
  changed_ = false;
  drawn_ = std::chrono::steady_clock::now();
  if (last) frame_.leave();
}

void LiveView::finish(const LogReader& log) {
  const auto heads = log.heads();
  if (!heads) return;
  for (const RunHead& head : *heads) {
    if (head.summary.root != root_) continue;
    const RunTree* known = place(log, head.run);
    if (known != nullptr && known->state.last < head.last) moved(log, head.run);
  }
  if (draws_ && tree_) draw(true);
  if (context_.json) {
    for (const RunRow& row : run_rows(*heads, false, {}))
      if (row.head->run == root_) context_.out << document(as_json(row));
    context_.out.flush();
    return;
  }
  const std::vector<Question> asked = tree_ ? questions(*tree_) : std::vector<Question>();
  for (const RunHead& head : *heads) {
    if (head.summary.root != root_ || head.summary.mode == RunMode::finished) continue;
    const RunTree* known = place(log, head.run);
    if (known == nullptr) continue;
    const View& view = known->view;
    for (const auto& [token, gate] : known->state.gates) {
      context_.out << "\nWaiting for a person: " << clean(view.text(gate.question)) << "\n";
      for (const auto& [key, value] : gate.inputs) {
        if (key.kind() != cel::Kind::string || key.as_string() == "question") continue;
        if (value.kind() == cel::Kind::string)
          context_.out << wrapped(view.text(value.as_string()), "  ", "  ");
      }
      if (const cel::Value* conflicts = find_conflicts(gate.inputs))
        context_.out << conflict_text(view, *conflicts, "  ", style_);
      std::string name = view.state(gate.state);
      for (const Question& question : asked)
        if (question.gate && question.token == token) name = question.name;
      context_.out << "  checkride answer " << root_.value << " " << name << " --approve"
                   << (gate.options.size() > 3 ? "   (or" : "");
      for (std::size_t i = 3; i < gate.options.size(); ++i)
        context_.out << " --choose " << gate.options[i] << (i + 1 < gate.options.size() ? "," : "");
      context_.out << (gate.options.size() > 3 ? ")" : "") << "\n";
    }
    for (const MessageSpec* message : heard_messages(*known))
      for (const Question& question : asked)
        if (question.run == known && question.message == message->name)
          context_.out << "\nWaiting for the message " << message->name
                       << (message->title.empty() ? "" : ": " + clean(view.text(message->title)))
                       << "\n  " << question.ways.front().command << "\n";
    if (known->state.paused)
      context_.out << "\nPaused: " << clean(view.text(known->state.paused->reason))
                   << "\n  checkride resume " << head.run.value << "\n";
    for (const auto& [id, incident] : known->state.incidents)
      context_.out << "\nParked: " << clean(view.text(incident.message)) << "\n  checkride resolve "
                   << head.run.value << " " << id.value << "\n";
  }
  context_.out.flush();
}

}  // namespace checkride::cli
