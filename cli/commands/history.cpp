#include "cli/commands/history.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <utility>

#include "cli/commands/load.h"
#include "cli/render/event_line.h"
#include "cli/render/json_events.h"
#include "engine/cel/text.h"

namespace checkride::cli {

namespace {

template <std::size_t... I>
std::vector<std::string> names_of(std::index_sequence<I...>) {
  return {std::string(event_name(Event(std::in_place_index<I>)))...};
}

Result<void> check_types(const std::vector<std::string>& types) {
  static const std::vector<std::string> known =
      names_of(std::make_index_sequence<std::variant_size_v<Event>>());
  for (const std::string& type : types)
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      std::string hint = cel::did_you_mean(type, known);
      return fail(ErrorCode::invalid_argument,
                  "there is no event type '" + type + "'" + (hint.empty() ? "" : "; " + hint));
    }
  return {};
}

class Printer {
 public:
  Printer(const Context& context, const HistoryOptions& options, const RunTree& run)
      : context_(context),
        options_(options),
        view_(run.view),
        lines_(run.view),
        style_(style_of(context)),
        digits_(to_string(run.head.last).size()) {}

  bool shows(const Event& event) const {
    return options_.types.empty() || std::find(options_.types.begin(), options_.types.end(),
                                               event_name(event)) != options_.types.end();
  }

  // False when the limit is reached.
  bool print(const Record& record) {
    if (context_.json) return print_json(record);
    for (std::size_t i = 0; i < record.events.size(); ++i) {
      const Event& event = record.events[i];
      const std::string line = lines_.line(event);
      const std::uint64_t sequence = record.first.value + i;
      if (sequence < options_.from || !shows(event)) continue;
      if (options_.limit != 0 && printed_ == options_.limit) return false;
      ++printed_;
      const std::string number = std::to_string(sequence);
      std::string time = time_text(record.time);
      if (i != 0) time = style_(Tone::dim, time);
      std::string name(event_name(event));
      // An input stands out; what it caused is set in under it.
      name = i == 0 ? style_(Tone::bold, pad(name, name_width)) : "  " + pad(name, name_width - 2);
      std::string who;
      if (i == 0 && record.actor.kind != Actor::Kind::engine) who = " — " + to_string(record.actor);
      context_.out << std::string(digits_ - std::min(digits_, number.size()), ' ')
                   << style_(Tone::accent, number) << "  " << time << "  " << name << "  "
                   << shorten(line, line_width_max) << who << "\n";
    }
    return true;
  }

  std::uint64_t printed() const { return printed_; }

 private:
  static constexpr std::size_t name_width = 22;
  static constexpr std::size_t line_width_max = 200;

  bool print_json(const Record& record) {
    json::object object = as_json(view_, record);
    json::array& events = object["events"].as_array();
    json::array kept;
    for (std::size_t i = 0; i < record.events.size(); ++i)
      if (record.first.value + i >= options_.from && shows(record.events[i]))
        kept.push_back(std::move(events[i]));
    if (kept.empty()) return true;
    if (options_.limit != 0 && printed_ == options_.limit) return false;
    events = std::move(kept);
    context_.out << (printed_++ == 0 ? "\n" : ",\n") << serialized(object);
    return true;
  }

  const Context& context_;
  const HistoryOptions& options_;
  const View& view_;
  EventLines lines_;
  Style style_;
  std::size_t digits_;
  std::uint64_t printed_ = 0;
};

Result<void> print_history(const Context& context, const HistoryOptions& options) {
  CR_CHECK(check_types(options.types));
  CR_TRY(const auto reader, context.open_reader());
  CR_TRY(const RunId typed, parse_run_id(options.run));
  CR_TRY(const RunId id, find_run(*reader, typed));
  RunLoader loader(context, *reader);
  CR_TRY(const RunTree run, loader.alone(id));
  loader.print_notes();
  Printer printer(context, options, run);
  if (context.json)
    context.out << "{\"run\":" << json::serialize(json::string(id.value)) << ",\"records\":[";
  // The text form reads from the start: later lines name the states of earlier tokens.
  const Sequence from =
      context.json ? Sequence(std::max<std::uint64_t>(options.from, 1)) : Sequence(1);
  const auto read =
      reader->read(id, from, [&](const Record& record) { return printer.print(record); });
  if (context.json) context.out << "]}\n";
  CR_CHECK(read);
  if (!context.json && printer.printed() == 0) context.out << "no such event\n";
  return {};
}

}  // namespace

int cmd_history(const Context& context, const HistoryOptions& options) {
  if (const auto done = print_history(context, options); !done)
    return report_error(context, done.error());
  return exit_ok;
}

}  // namespace checkride::cli
