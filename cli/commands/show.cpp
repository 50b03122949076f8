#include "cli/commands/show.h"

#include <ostream>

#include "cli/commands/load.h"
#include "cli/render/json_state.h"

namespace checkride::cli {

namespace {

struct Shown {
  RunTree run;
  Sequence step_first;  // of the macrostep the event belongs to
  Sequence step_last;
};

Result<Shown> load(RunLoader& loader, const LogReader& reader, const ShowOptions& options) {
  CR_TRY(const RunReference asked, parse_reference(options.target));
  if (!asked.state.empty())
    return fail(ErrorCode::invalid_argument,
                "show takes RUN or RUN@N with the sequence of an event; for a state ask "
                "`checkride why " +
                    asked.run.value + " " + asked.state + "`");
  CR_TRY(const RunId id, find_run(reader, asked.run));
  Shown shown;
  CR_TRY(shown.run, loader.alone(id, asked.sequence));
  CR_CHECK(reader.read(id, shown.run.state.last, [&](const Record& record) {
    shown.step_first = record.first;
    shown.step_last = record.last();
    return false;
  }));
  return shown;
}

}  // namespace

int cmd_show(const Context& context, const ShowOptions& options) {
  const auto reader = context.open_reader();
  if (!reader) return report_error(context, reader.error());
  RunLoader loader(context, **reader);
  const auto shown = load(loader, **reader, options);
  if (!shown) return report_error(context, shown.error());
  loader.print_notes();
  const RunState& state = shown->run.state;
  if (context.json) {
    json::object object = state_json(shown->run.view, state);
    object["step_first"] = shown->step_first.value;
    object["step_last"] = shown->step_last.value;
    context.out << document(object);
    return exit_ok;
  }
  context.out << state_text(shown->run.view, state, style_of(context));
  if (state.last != shown->step_last)
    context.out << "note: inside the step @" << shown->step_first << " to @" << shown->step_last
                << ", which was decided as one\n";
  return exit_ok;
}

}  // namespace checkride::cli
