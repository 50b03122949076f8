#include "cli/commands/verify.h"

#include <algorithm>
#include <ostream>

#include "cli/commands/load.h"

namespace checkride::cli {

namespace {

constexpr std::size_t head_digits_min = 8;

struct Anchor {
  Sequence first;
  Sequence last;
  Timestamp time;
  bool is_newest = false;
};

struct Checked {
  VerifyReport report;
  std::optional<RunId> run;
  std::optional<Anchor> anchor;  // of --head
};

Result<std::optional<Anchor>> find_anchor(const LogReader& reader, const RunId& run,
                                          std::string hex) {
  std::transform(hex.begin(), hex.end(), hex.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const bool digits = hex.size() >= head_digits_min && hex.size() <= 64 &&
                      hex.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!digits)
    return fail(ErrorCode::invalid_argument,
                "'" + hex +
                    "' is no chain hash; it has 64 hexadecimal digits, and at least the "
                    "first 8 are needed");
  std::optional<Anchor> anchor;
  CR_CHECK(reader.read(run, Sequence(1), [&](const Record& record) {
    if (anchor) {
      anchor->is_newest = false;
      return false;
    }
    if (to_hex(record.chain).starts_with(hex))
      anchor = Anchor{record.first, record.last(), record.time, true};
    return true;
  }));
  return anchor;
}

void add(VerifyReport& sum, const VerifyReport& one) {
  sum.runs += one.runs;
  sum.records += one.records;
  sum.events += one.events;
  sum.bytes += one.bytes;
  sum.snapshots += one.snapshots;
  sum.artifacts += one.artifacts;
  sum.took += one.took;
  sum.problems.insert(sum.problems.end(), one.problems.begin(), one.problems.end());
}

Result<Checked> check(const Context& context, const VerifyOptions& options) {
  Checked checked;
  if (options.head && !options.run)
    return fail(ErrorCode::invalid_argument, "--head needs the run whose chain it is from");
  std::unique_ptr<LogReader> reader;
  std::vector<RunId> tree;  // the run and every run below it
  if (options.run) {
    CR_TRY(reader, context.open_reader());
    CR_TRY(const RunId typed, parse_run_id(*options.run));
    CR_TRY(checked.run, find_run(*reader, typed));
    CR_TRY(const std::vector<RunHead> heads, reader->heads());
    for (const RunHead& head : heads)
      if (head.run == *checked.run || head.run.value.starts_with(checked.run->value + "."))
        tree.push_back(head.run);
  }
  if (options.head) {
    CR_TRY(checked.anchor, find_anchor(*reader, *checked.run, *options.head));
  }
  reader.reset();  // the store's check opens it itself
  if (!checked.run) {
    CR_TRY(checked.report, options.verify(std::nullopt));
  }
  for (const RunId& run : tree) {
    CR_TRY(const VerifyReport one, options.verify(run));
    add(checked.report, one);
  }
  if (options.head && !checked.anchor)
    checked.report.problems.push_back("run '" + checked.run->value +
                                      "' has no record with the chain hash " + *options.head +
                                      ": its history is not the one that was anchored");
  return checked;
}

std::string rate(const VerifyReport& report) {
  const double elapsed = std::chrono::duration<double>(report.took).count();
  if (elapsed <= 0) return "";
  return ", " +
         bytes_text(static_cast<std::uint64_t>(static_cast<double>(report.bytes) / elapsed)) + "/s";
}

}  // namespace

int cmd_verify(const Context& context, const VerifyOptions& options) {
  const auto checked = check(context, options);
  if (!checked) return report_error(context, checked.error());
  const VerifyReport& report = checked->report;
  const bool intact = report.problems.empty();
  if (context.json) {
    json::object object{{"intact", intact},
                        {"runs", report.runs},
                        {"records", report.records},
                        {"events", report.events},
                        {"bytes", report.bytes},
                        {"snapshots", report.snapshots},
                        {"artifacts", report.artifacts},
                        {"seconds", seconds(report.took)},
                        {"problems", as_json(report.problems)}};
    if (checked->run) object["run"] = checked->run->value;
    if (options.head) {
      object["head"] = *options.head;
      object["head_found"] = checked->anchor.has_value();
      if (checked->anchor) object["head_at"] = checked->anchor->last.value;
    }
    context.out << document(object);
    return intact ? exit_ok : exit_engine;
  }
  const Style style = style_of(context);
  for (const std::string& problem : report.problems)
    context.out << wrapped(problem, style(Tone::bad, "✗ "), "  ");
  if (checked->anchor)
    context.out << "✓ chain hash " << *options.head << " is in the chain, at @"
                << checked->anchor->last << " of " << time_text(checked->anchor->time)
                << (checked->anchor->is_newest ? ", and is its newest record"
                                               : "; the run went on after it")
                << "\n";
  context.out << (intact ? style(Tone::good, "intact")
                         : style(Tone::bad, counted(report.problems.size(), "problem")))
              << ": " << counted(report.runs, "run") << ", " << counted(report.records, "record")
              << ", " << counted(report.events, "event") << ", " << bytes_text(report.bytes) << ", "
              << counted(report.snapshots, "snapshot") << ", "
              << counted(report.artifacts, "artifact") << " checked in " << to_human(report.took)
              << rate(report) << "\n";
  return intact ? exit_ok : exit_engine;
}

}  // namespace checkride::cli
