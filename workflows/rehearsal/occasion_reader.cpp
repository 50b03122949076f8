// What happens to a run from outside, and how attempts come to their resources or run out of time.
#include <algorithm>

#include "engine/ports/job_kind.h"
#include "workflows/loader/literal.h"
#include "workflows/rehearsal/script_reader.h"

namespace checkride::rehearsal {

using loader::Node;

std::vector<const Node*> ScriptReader::one_or_more(const Node* node) {
  std::vector<const Node*> all;
  if (node == nullptr || node->is_null()) return all;
  if (!node->is_list()) return {node};
  for (const Node& item : node->items) all.push_back(&item);
  return all;
}

std::optional<Duration> ScriptReader::duration(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) return std::nullopt;
  const auto parsed = parse_duration(node->is_scalar() ? node->text : "");
  if (parsed) return *parsed;
  reporter_.error(node->place, "duration",
                  "`" + std::string(key) + "` must be a duration such as 90s or 40m");
  return std::nullopt;
}

template <typename Occasion>
bool ScriptReader::occasion(const Node& node, const Definition& definition, Occasion& occasion) {
  occasion.place = node.place;
  occasion.in = text_at(node, "in", "`in`");
  occasion.after = duration(node, "after").value_or(Duration(0));
  occasion.by = text_at(node, "by", "`by`");
  occasion.why = text_at(node, "why", "`why`");
  if (occasion.why.empty()) occasion.why = "as rehearsed";
  const Node* in = node.find("in");
  return in == nullptr || state(occasion.in, in->place, definition).has_value();
}

std::vector<PlannedPause> ScriptReader::pauses(const Node* node, const Definition& definition) {
  std::vector<PlannedPause> all;
  for (const Node* one : one_or_more(node)) {
    if (!expect_map(*one, "`pause`")) continue;
    check_keys(*one, {"in", "after", "for", "why", "by"}, "`pause`");
    PlannedPause pause;
    if (!occasion(*one, definition, pause)) continue;
    pause.lasts = duration(*one, "for");
    all.push_back(std::move(pause));
  }
  return all;
}

void ScriptReader::read_signal(const Node& node, const Definition& definition, Script& script) {
  if (!expect_map(node, "a signal")) return;
  check_keys(node, {"signal", "data", "in", "after", "why", "by"}, "a signal");
  PlannedSignal signal;
  const Node* name = node.find("signal");
  if (name == nullptr) {
    reporter_.error(node.place, "missing-key", "a signal names its message: {signal: NAME}");
    return;
  }
  signal.name = text(*name, "`signal`");
  const MessageSpec* message = definition.message(signal.name);
  if (message == nullptr) {
    std::vector<std::string> names;
    for (const MessageSpec& known : definition.messages) names.push_back(known.name);
    reporter_.error(name->place, "unknown-message",
                    definition.name + " declares no message '" + signal.name + "'",
                    loader::did_you_mean(signal.name, names));
    return;
  }
  if (!occasion(node, definition, signal)) return;
  if (const Node* data = node.find("data")) {
    auto value =
        loader::typed_literal(*data, message->type, "the data of '" + signal.name + "'", reporter_);
    if (!value) return;
    signal.data = *std::move(value);
  } else if (!cel::conforms(signal.data, message->type)) {
    reporter_.error(node.place, "missing-key",
                    "the message '" + signal.name + "' carries " + cel::to_string(message->type) +
                        "; write it under `data`");
    return;
  }
  script.signals.push_back(std::move(signal));
}

std::optional<Planned> ScriptReader::timed_out(const Node& node, const std::string& id,
                                               const InvokeSpec& invoke) {
  const Node& limit_node = *node.find("timeout");
  const auto limit = parse_time_limit(text(limit_node, "`timeout`"));
  if (!limit || *limit == TimeLimit::none) {
    reporter_.error(limit_node.place, "shape", "`timeout` is queue, start, run or silence",
                    loader::did_you_mean(limit_node.text, {"queue", "start", "run", "silence"}));
    return std::nullopt;
  }
  const std::string name(to_string(*limit));
  const JobLimits& limits = invoke.limits;
  const std::optional<Duration>& length = *limit == TimeLimit::queue   ? limits.queue_timeout
                                          : *limit == TimeLimit::start ? limits.start_timeout
                                          : *limit == TimeLimit::run   ? limits.run_timeout
                                                                       : limits.silence_timeout;
  if (!length) {
    reporter_.error(limit_node.place, "no-timeout",
                    "the job of '" + id + "' has no " + name +
                        " timeout, so it cannot end by it; add it under `timeout` in the "
                        "definition");
    return std::nullopt;
  }
  Planned plan;
  plan.place = node.place;
  if (*limit == TimeLimit::queue) {
    if (node.find("lease") != nullptr || node.find("takes") != nullptr) {
      reporter_.error(node.place, "shape",
                      "an attempt that never starts has no `lease` or `takes`");
      return std::nullopt;
    }
    plan.lease = Planned::Lease::never;  // the core keeps this limit
    return plan;
  }
  if (node.find("lease") != nullptr) {
    if (!lease(node, id, invoke, plan)) return std::nullopt;
    if (plan.lease != Planned::Lease::granted) {
      reporter_.error(node.find("lease")->place, "shape",
                      "an attempt that gets no lease does not start, and so has no " + name +
                          " timeout; leave one of them out");
      return std::nullopt;
    }
  }
  plan.takes = duration(node, "takes").value_or(*length);
  if (node.find("takes") != nullptr && (*limit != TimeLimit::silence || plan.takes < *length)) {
    reporter_.error(node.find("takes")->place, "shape",
                    *limit == TimeLimit::silence
                        ? "`takes` is at least the silence timeout of " + to_human(*length)
                        : "the " + name + " timeout of " + to_human(*length) +
                              " says how long that takes; leave `takes` out");
    return std::nullopt;
  }
  const std::string message =
      *limit == TimeLimit::start ? "it did not start within its start timeout"
      : *limit == TimeLimit::run ? "it ran longer than its run timeout"
                                 : "it printed nothing for its silence timeout";
  plan.outcome =
      not_completed(JobStatus::error, FailureClass::timeout, message + " of " + to_human(*length));
  plan.outcome.limit = *limit;
  return plan;
}

bool ScriptReader::lease(const Node& node, const std::string& id, const InvokeSpec& invoke,
                         Planned& plan) {
  const Node& how = *node.find("lease");
  if (invoke.needs.units.empty() && !invoke.limits.queue_timeout) {
    reporter_.error(how.place, "no-needs",
                    "the job of '" + id + "' leases nothing; `lease` goes with `needs`");
    return false;
  }
  if (how.is_scalar() && how.text == "refused") {
    if (invoke.needs.units.empty()) {
      reporter_.error(how.place, "no-needs", "the job of '" + id + "' needs no resource");
      return false;
    }
    plan.lease = Planned::Lease::refused;
    const auto& [resource, wanted] = *invoke.needs.units.begin();
    plan.outcome =
        not_completed(JobStatus::unavailable, FailureClass::unavailable,
                      "it needs " + std::to_string(wanted) + " of the resource '" + resource +
                          "', and this store has none; declare what there "
                          "is with --resource " +
                          resource + "=N");
    return true;
  }
  if (how.is_scalar() && how.text == "never") {
    plan.lease = Planned::Lease::never;
    return true;
  }
  const auto after = parse_duration(how.is_scalar() ? how.text : "");
  if (!after) {
    reporter_.error(how.place, "duration",
                    "`lease` is how long the attempt waits for its resources, such as 40m; or "
                    "refused, or never");
    return false;
  }
  plan.lease_after = *after;
  return true;
}

}  // namespace checkride::rehearsal
