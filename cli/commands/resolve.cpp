#include <ostream>

#include "cli/acting.h"
#include "cli/commands/acting.h"
#include "cli/given_file.h"
#include "cli/parameters.h"
#include "cli/render/text.h"

namespace checkride::cli {

namespace {

struct OpenIncident {
  RunId run;
  IncidentId id;
  IncidentRecord record;
  std::shared_ptr<const Definition> definition;
};

Result<std::vector<OpenIncident>> open_incidents(const Context& context, const LogReader& log,
                                                 const RunHead& asked) {
  CR_TRY(const std::vector<RunHead> heads, log.heads());
  std::vector<OpenIncident> all;
  for (const RunHead& head : heads) {
    const bool wanted = asked.summary.parent ? head.run == asked.run
                                             : head.summary.root == asked.run;
    if (!wanted || head.summary.incidents == 0) continue;
    CR_TRY(const RunState state, load_state(log, head.run));
    CR_TRY(const auto definition, context.definition(log, head.summary.definition));
    for (const auto& [id, incident] : state.incidents)
      all.push_back(OpenIncident{head.run, id, incident, definition});
  }
  return all;
}

void explain(const Context& context, const std::vector<OpenIncident>& incidents) {
  for (const OpenIncident& incident : incidents) {
    const bool job = incident.record.job.has_value();
    context.out << "Incident " << incident.id.value << " of " << incident.run.value << " ("
                << to_string(incident.record.kind) << "), since "
                << time_text(incident.record.time) << "\n"
                << wrapped(clean(incident.record.message), "  ", "  ");
    const std::string verb =
        "  checkride resolve " + incident.run.value + " " + incident.id.value + " ";
    context.out << verb << "--retry --why ...     "
                << (job ? "start a new attempt\n" : "try the same step again\n");
    if (job) {
      context.out << verb << "--finished --result FILE --why ...   it did finish, with this result\n"
                  << verb << "--lost --why ...      take it as lost; the procedure sees an error\n";
      if (incident.record.kind == IncidentKind::job_unknown)
        context.out << verb << "--started --why ...   it runs; look for it again\n";
    }
    context.out << verb << "--goto STATE --why ...   go on at another state\n"
                << verb << "--give-up --why ...   "
                << (job ? "the procedure sees an error\n" : "end the run\n");
  }
}

Result<JobOutcome> outcome_from(const std::string& file, const OpenIncident& incident) {
  if (file.empty())
    return fail(ErrorCode::invalid_argument, "say how the job ended with --result FILE (JSON)");
  CR_TRY(const std::string text, read_given(file, result_bytes_max));
  auto value = cel::from_json(text);
  if (!value) return fail(value.error(), file);
  JobOutcome outcome;
  outcome.status = JobStatus::pass;
  outcome.completed = true;
  outcome.result = *value;
  const StateSpec& spec = incident.definition->states[incident.record.state.value];
  if (spec.invoke) {
    CR_TRY(outcome.result, fit(*value, spec.invoke->signature.result));
  }
  return outcome;
}

}  // namespace

int cmd_resolve(const Context& context, const ResolveOptions& options) {
  Act todo;
  {
    const auto log = context.open_reader();
    if (!log) return report_error(context, log.error());
    const auto head = find_head(**log, options.run);
    if (!head) return report_error(context, head.error());
    const auto incidents = open_incidents(context, **log, *head);
    if (!incidents) return report_error(context, incidents.error());
    const OpenIncident* chosen = nullptr;
    std::string names;
    for (const OpenIncident& incident : *incidents) {
      names += (names.empty() ? "" : ", ") + incident.id.value;
      if (options.incident.empty() ? incidents->size() == 1 : incident.id.value == options.incident)
        chosen = &incident;
    }
    if (incidents->empty())
      return report_error(context, Error{ErrorCode::not_found,
                                         "no incident of run '" + options.run + "' is open", {}});
    if (options.how.empty()) {
      explain(context, *incidents);
      return exit_waiting;
    }
    if (chosen == nullptr)
      return report_error(context, Error{ErrorCode::not_found,
                                         "name one of the open incidents: " + names, {}});
    if (!options.job.empty() && (!chosen->record.job || chosen->record.job->value != options.job))
      return report_error(
          context, Error{ErrorCode::not_found,
                         "incident " + chosen->id.value + " is not about the job '" + options.job +
                             "'" +
                             (chosen->record.job ? " but about " + chosen->record.job->value : ""),
                         {}});
    ResolveIncident resolve;
    using How = ResolveIncident::How;
    for (const How how : {How::retry, How::started, How::finished, How::lost, How::jump,
                          How::give_up})
      if (to_string(how) == options.how) resolve.how = how;
    resolve.incident = chosen->id;
    if (!options.job.empty()) resolve.job = Token(options.job);
    resolve.state = options.state;
    resolve.reason = options.why;
    if (resolve.how == How::finished) {
      auto outcome = outcome_from(options.result_file, *chosen);
      if (!outcome) return report_error(context, outcome.error());
      resolve.outcome = *std::move(outcome);
    }
    todo.root = head->summary.root;
    todo.target = chosen->run;
    todo.body = std::move(resolve);
  }
  todo.claimed = options.claimed;
  return act(context, todo);
}

}  // namespace checkride::cli
