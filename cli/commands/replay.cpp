#include "cli/commands/replay.h"

#include <algorithm>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/render/event_line.h"
#include "cli/render/json_events.h"
#include "engine/base/version.h"
#include "engine/decider/decide.h"
#include "engine/ports/clock.h"

namespace checkride::cli {

namespace {

std::optional<ReplayDifference> compare(const Record& record, const std::vector<Event>& decided) {
  const std::size_t count = std::max(record.events.size(), decided.size());
  for (std::size_t i = 0; i < count; ++i) {
    const bool same =
        i < record.events.size() && i < decided.size() && record.events[i] == decided[i];
    if (same) continue;
    ReplayDifference difference;
    difference.sequence = Sequence(record.first.value + i);
    difference.build = record.build;
    if (i < record.events.size()) difference.recorded = record.events[i];
    if (i < decided.size()) difference.decided = decided[i];
    return difference;
  }
  return std::nullopt;
}

std::string event_words(const View& view, const std::optional<Event>& event) {
  if (!event) return "nothing more";
  return serialized(as_json(view, *event));
}

std::string difference_text(const View& view, const ReplayReport& report) {
  const ReplayDifference& difference = *report.difference;
  std::string out = report.run.value + " @" + to_string(difference.sequence) + " differs";
  if (difference.build != build_version)
    out += "; it was recorded by build " + difference.build + ", this is " +
           std::string(build_version) + ": another program, not damage";
  out += "\n";
  if (!difference.message.empty()) return out + wrapped(difference.message, "  ", "  ");
  out += wrapped(event_words(view, difference.recorded), "  recorded  ", "            ");
  out += wrapped(event_words(view, difference.decided), "  decided   ", "            ");
  return out;
}

json::object report_json(const View& view, const ReplayReport& report) {
  json::object object{{"run", report.run.value},         {"records", report.records},
                      {"events", report.events},         {"snapshots", report.snapshots},
                      {"seconds", seconds(report.took)}, {"same", !report.difference.has_value()}};
  if (report.difference) {
    const ReplayDifference& difference = *report.difference;
    json::object item{{"sequence", difference.sequence.value}, {"build", difference.build}};
    if (!difference.message.empty()) item["message"] = difference.message;
    if (difference.recorded) item["recorded"] = as_json(view, *difference.recorded);
    if (difference.decided) item["decided"] = as_json(view, *difference.decided);
    object["difference"] = std::move(item);
  }
  return object;
}

void flatten(const RunTree& tree, std::vector<const RunTree*>& all) {
  all.push_back(&tree);
  for (const RunTree& child : tree.children) flatten(child, all);
}

struct Replayed {
  RunTree tree;
  std::vector<const RunTree*> runs;
  std::vector<ReplayReport> reports;  // beside runs
};

Result<std::unique_ptr<Replayed>> replay_tree(const Context& context, const LogReader& reader,
                                              const ReplayOptions& options) {
  CR_TRY(const RunId typed, parse_run_id(options.run));
  CR_TRY(const RunId id, find_run(reader, typed));
  RunLoader loader(context, reader);
  auto replayed = std::make_unique<Replayed>();
  CR_TRY(replayed->tree, loader.tree(id));
  flatten(replayed->tree, replayed->runs);
  const SystemClock clock;
  for (const RunTree* run : replayed->runs) {
    CR_TRY(const auto definition, loader.definition(run->state.start.definition));
    CR_TRY(ReplayReport report,
           replay_run(reader, run->state.run, *definition, [&clock] { return clock.monotonic(); }));
    replayed->reports.push_back(std::move(report));
  }
  return replayed;
}

}  // namespace

Result<ReplayReport> replay_run(const LogReader& reader, const RunId& run,
                                const Definition& definition,
                                const std::function<Duration()>& monotonic) {
  ReplayReport report;
  report.run = run;
  CR_TRY(const std::optional<Snapshot> snapshot, reader.snapshot(run, Sequence(UINT64_MAX)));
  const Duration begun = monotonic();
  RunState state;
  CR_CHECK(reader.read(run, Sequence(1), [&](const Record& record) {
    ++report.records;
    report.events += record.events.size();
    const std::optional<Command> command = command_of(record);
    if (!command) {
      report.difference = ReplayDifference{
          record.first, {}, {}, "its first event carries no command to decide again", record.build};
      return false;
    }
    Decision decision = decide(state, definition, *command);
    report.difference = compare(record, decision.events);
    if (report.difference) return false;
    // Equal events from one state fold to one state: the decision's own is taken.
    state = std::move(decision.next);
    if (snapshot && snapshot->last == state.last) {
      ++report.snapshots;
      if (snapshot->state != state) {
        report.difference = ReplayDifference{
            state.last, {}, {}, "the snapshot here is not what the events fold to", record.build};
        return false;
      }
    }
    return true;
  }));
  report.took = monotonic() - begun;
  return report;
}

int cmd_replay(const Context& context, const ReplayOptions& options) {
  const auto reader = context.open_reader();
  if (!reader) return report_error(context, reader.error());
  const auto replayed = replay_tree(context, **reader, options);
  if (!replayed) return report_error(context, replayed.error());
  const Replayed& all = **replayed;
  bool same = true;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  Duration took{};
  json::array runs;
  const Style style = style_of(context);
  std::string text;
  for (std::size_t i = 0; i < all.runs.size(); ++i) {
    const ReplayReport& report = all.reports[i];
    records += report.records;
    events += report.events;
    took += report.took;
    if (report.difference) same = false;
    if (context.json)
      runs.push_back(report_json(all.runs[i]->view, report));
    else if (report.difference)
      text += difference_text(all.runs[i]->view, report);
  }
  if (context.json) {
    context.out << document(json::object{{"run", all.tree.state.run.value},
                                         {"same", same},
                                         {"build", build_version},
                                         {"runs", std::move(runs)}});
    return same ? exit_ok : exit_failed;
  }
  context.out << text;
  const double elapsed = std::max(seconds(took), 1e-9);
  context.out << (same ? style(Tone::good, "same") : style(Tone::bad, "different")) << ": "
              << counted(records, "record") << ", " << counted(events, "event") << " of "
              << counted(all.runs.size(), "run") << " decided again in "
              << (took < std::chrono::milliseconds(1) ? "under 1ms" : to_human(took)) << ", "
              << static_cast<std::uint64_t>(static_cast<double>(events) / elapsed) << " events/s\n";
  return same ? exit_ok : exit_failed;
}

}  // namespace checkride::cli
