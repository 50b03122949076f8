// One outcome of a job, one answer of a gate, one resolution of an incident.
#include <algorithm>

#include "engine/ports/job_kind.h"
#include "workflows/loader/literal.h"
#include "workflows/loader/paths.h"
#include "workflows/rehearsal/script_reader.h"

namespace checkride::rehearsal {

using loader::Entry;
using loader::Node;

namespace {

// `takes: 40m` beside an outcome.
void read_takes(const Node& map, Planned& plan, loader::Reporter& reporter) {
  const Node* takes = map.find("takes");
  if (takes == nullptr) return;
  const auto duration = parse_duration(takes->text);
  if (duration && *duration >= Duration(0))
    plan.takes = *duration;
  else
    reporter.error(takes->place, "duration", "`takes` must be a duration such as 90s or 40m");
}

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

// A value that stands for nothing, as a definition would write it.
std::string empty_value(const cel::Type& type) {
  using Kind = cel::Type::Kind;
  switch (type.kind()) {
    case Kind::boolean: return "false";
    case Kind::integer:
    case Kind::unsigned_integer: return "0";
    case Kind::floating: return "0.0";
    case Kind::string: return "\"\"";
    case Kind::list: return "[]";
    case Kind::map: return "{}";
    case Kind::duration: return "0s";
    case Kind::timestamp: return "\"2026-01-01T00:00:00Z\"";
    case Kind::record: {
      std::string fields;
      for (const cel::Field& field : type.fields())
        if (!field.optional)
          fields += (fields.empty() ? "" : ", ") + field.name + ": " + empty_value(field.type);
      return "{" + fields + "}";
    }
    default: return "null";
  }
}

}  // namespace

std::string outcome_skeleton(const InvokeSpec& invoke) {
  switch (invoke.signature.performer) {
    case JobSignature::Performer::person: return "{approve: WHY}";
    case JobSignature::Performer::machine: return "{outcomes: {STATE: ...}}";
    case JobSignature::Performer::runner: break;
  }
  return "{result: " + empty_value(invoke.signature.result) + "}";
}

std::string element_key(const cel::Value& element) {
  return element.kind() == cel::Kind::string ? element.as_string() : cel::to_cel(element);
}

std::optional<Planned> ScriptReader::answer(const Node& node, const InvokeSpec& invoke) {
  Planned plan;
  plan.kind = Planned::Kind::answer;
  plan.place = node.place;
  const std::vector<std::string> answers = loader::answers_of(invoke);
  Place named = node.place;
  if (node.is_scalar()) {
    plan.decision = node.text;
  } else {
    if (!expect_map(node, "an answer")) return std::nullopt;
    check_keys(node, {"approve", "reject", "waive", "choose", "why", "by", "takes"}, "an answer");
    for (const Entry& entry : node.entries) {
      const bool plain = entry.key == "approve" || entry.key == "reject" || entry.key == "waive";
      if (!plain && entry.key != "choose") continue;
      if (!plan.decision.empty()) {
        reporter_.error(entry.place, "shape", "a gate gets one answer at a time");
        return std::nullopt;
      }
      named = plain ? entry.place : entry.value.place;
      plan.decision = plain ? entry.key : text(entry.value, "`choose`");
      if (plain) plan.text = text(entry.value, "the reason of '" + entry.key + "'");
    }
    if (node.find("why") != nullptr) plan.text = text_at(node, "why", "`why`");
    plan.by = text_at(node, "by", "`by`");
    read_takes(node, plan, reporter_);
  }
  if (std::find(answers.begin(), answers.end(), plan.decision) == answers.end()) {
    reporter_.error(
        named, "unknown-answer",
        plan.decision.empty()
            ? "an answer says approve, reject, waive or choose; this gate takes " + listed(answers)
            : "'" + plan.decision + "' is no answer to this gate; it takes " + listed(answers),
        loader::did_you_mean(plan.decision, answers));
    return std::nullopt;
  }
  if (plan.decision != "approve" && plan.text.empty()) {
    reporter_.error(node.place, "reason",
                    "the answer '" + plan.decision + "' needs a reason, as a person's would");
    return std::nullopt;
  }
  const auto& who = invoke.gate.who;
  if (!plan.by.empty() && !who.empty() && std::find(who.begin(), who.end(), plan.by) == who.end()) {
    reporter_.error(node.place, "who",
                    plan.by + " may not answer this gate; it is for " + listed(who));
    return std::nullopt;
  }
  if (plan.by.empty() && !who.empty()) plan.by = who.front();
  return plan;
}

std::optional<JobOutcome> ScriptReader::error_outcome(const Node& node) {
  if (!expect_map(node, "`error`")) return std::nullopt;
  check_keys(node, {"class", "message", "status", "exit_code"}, "`error`");
  const Node* class_node = node.find("class");
  if (class_node == nullptr) {
    reporter_.error(node.place, "missing-key", "an error has a class: write {class: code, ...}");
    return std::nullopt;
  }
  const auto failure = parse_failure_class(text(*class_node, "`class`"));
  if (!failure || *failure == FailureClass::none) {
    reporter_.error(class_node->place, "failure-class",
                    failure ? "an error has a class other than none" : failure.error().message);
    return std::nullopt;
  }
  JobStatus status =
      *failure == FailureClass::unavailable ? JobStatus::unavailable : JobStatus::error;
  if (const Node* given = node.find("status")) {
    const auto parsed = parse_job_status(text(*given, "`status`"));
    if (!parsed) {
      reporter_.error(given->place, "status", parsed.error().message);
      return std::nullopt;
    }
    status = *parsed;
  }
  std::string message = text_at(node, "message", "`message`");
  if (message.empty())
    message = "an error of class " + std::string(to_string(*failure)) + ", as rehearsed";
  JobOutcome outcome = not_completed(status, *failure, std::move(message));
  if (const Node* code = node.find("exit_code")) {
    const auto value = loader::scalar_value(*code);
    if (value && value->kind() == cel::Kind::integer)
      outcome.exit_code = value->as_int();
    else
      reporter_.error(code->place, "shape", "`exit_code` must be an int");
  }
  return outcome;
}

// The usual result of the same state with some fields in another way.
std::optional<cel::Value> ScriptReader::changed_result(const Node& but, Part part,
                                                       const std::string& id,
                                                       const InvokeSpec& invoke,
                                                       const Bases& bases) {
  if (!expect_map(but, "`but`")) return std::nullopt;
  const Planned* usual = nullptr;
  for (const Script* base : bases)
    if (const Series* series = series_of(*base, part, id); series != nullptr && usual == nullptr)
      usual = &series->steps.front();
  if (usual == nullptr || !usual->outcome.completed) {
    reporter_.error(but.place, "no-usual",
                    "`but` changes the usual result, and the document's `usual` has none for "
                    "state '" +
                        id + "'");
    return std::nullopt;
  }
  cel::Map result = usual->outcome.result.as_map();
  const cel::Type& type = invoke.signature.result;
  std::vector<std::string> names;
  for (const cel::Field& field : type.fields()) names.push_back(field.name);
  bool fits = true;
  for (const Entry& entry : but.entries) {
    const cel::Field* field = type.field(entry.key);
    if (field == nullptr) {
      reporter_.error(entry.place, "unknown-field",
                      "the result of '" + id + "' has no field '" + entry.key + "'",
                      loader::did_you_mean(entry.key, names));
      fits = false;
      continue;
    }
    auto value = loader::typed_literal(entry.value, field->type, "result." + entry.key, reporter_);
    if (value)
      result.set(std::string_view(entry.key), *std::move(value));
    else
      fits = false;
  }
  if (!fits) return std::nullopt;
  return cel::Value(std::move(result));
}

std::optional<Planned> ScriptReader::job_outcome(const Node& node, Part part, const std::string& id,
                                                 const InvokeSpec& invoke, const Bases& bases) {
  const std::string what = "an outcome of '" + id + "'";
  if (!expect_map(node, what)) return std::nullopt;
  check_keys(node, {"result", "but", "error", "unknown", "timeout", "status", "takes", "lease"},
             what);
  Planned plan;
  plan.place = node.place;
  read_takes(node, plan, reporter_);
  int ways = 0;
  for (const char* key : {"result", "but", "error", "unknown", "timeout"})
    ways += node.find(key) != nullptr ? 1 : 0;
  if (ways == 0 && node.find("lease") != nullptr) {
    if (!lease(node, id, invoke, plan)) return std::nullopt;
    if (plan.lease != Planned::Lease::granted) return plan;
  }
  if (ways != 1) {
    reporter_.error(node.place, "shape",
                    what + " is one of result, but, error, unknown, timeout, `usual` or `wait`");
    return std::nullopt;
  }
  if (node.find("timeout") != nullptr) return timed_out(node, id, invoke);
  if (node.find("lease") != nullptr) {
    if (!lease(node, id, invoke, plan)) return std::nullopt;
    if (plan.lease != Planned::Lease::granted) {
      reporter_.error(node.find("lease")->place, "shape",
                      "an attempt that gets no lease has no other outcome; leave that out");
      return std::nullopt;
    }
  }
  if (const Node* unknown = node.find("unknown")) {
    plan.kind = Planned::Kind::unknown;
    plan.text = text(*unknown, "`unknown`");
    return plan;
  }
  if (const Node* error = node.find("error")) {
    if (const Node* status = node.find("status"))
      reporter_.error(status->place, "shape", "the status of an error stands within `error`");
    auto outcome = error_outcome(*error);
    if (!outcome) return std::nullopt;
    plan.outcome = *std::move(outcome);
    return plan;
  }
  const Node* full = node.find("result");
  auto result = full != nullptr ? loader::typed_literal(*full, invoke.signature.result,
                                                        "the result of '" + id + "'", reporter_)
                                : changed_result(*node.find("but"), part, id, invoke, bases);
  if (!result) return std::nullopt;
  if (result->kind() != cel::Kind::map) {
    reporter_.error(node.place, "type", "the result of '" + id + "' must be a map of its fields");
    return std::nullopt;
  }
  JobStatus status = JobStatus::pass;
  if (const Node* given = node.find("status")) {
    const auto parsed = parse_job_status(text(*given, "`status`"));
    if (parsed)
      status = *parsed;
    else
      reporter_.error(given->place, "status", parsed.error().message);
  }
  plan.outcome = completed(result->as_map(), status);
  return plan;
}

std::optional<PlannedResolution> ScriptReader::resolution(const Node& node,
                                                          const Definition& definition) {
  using How = ResolveIncident::How;
  PlannedResolution plan;
  plan.place = node.place;
  if (node.is_scalar() && node.text == "wait") {
    plan.wait = true;
    return plan;
  }
  const std::string what = "how an incident is resolved";
  if (!expect_map(node, what)) return std::nullopt;
  check_keys(node, {"retry", "give-up", "started", "lost", "goto", "why", "by"}, what);
  int ways = 0;
  for (const Entry& entry : node.entries) {
    if (entry.key == "why" || entry.key == "by") continue;
    ++ways;
    plan.resolve.reason = text(entry.value, "the reason");
    if (entry.key == "retry") plan.resolve.how = How::retry;
    if (entry.key == "give-up") plan.resolve.how = How::give_up;
    if (entry.key == "started") plan.resolve.how = How::started;
    if (entry.key == "lost") plan.resolve.how = How::lost;
    if (entry.key == "goto") {
      plan.resolve.how = How::jump;
      plan.resolve.state = plan.resolve.reason;
      plan.resolve.reason.clear();
      if (!state(plan.resolve.state, entry.value.place, definition)) return std::nullopt;
    }
  }
  if (node.find("why") != nullptr) plan.resolve.reason = text_at(node, "why", "`why`");
  plan.by = text_at(node, "by", "`by`");
  if (ways != 1 || plan.resolve.reason.empty()) {
    reporter_.error(
        node.place, "shape",
        "an incident is resolved in one way, with a reason: {retry: WHY}, "
        "{give-up: WHY}, {started: WHY}, {lost: WHY}, {goto: STATE, why: WHY} or `wait`");
    return std::nullopt;
  }
  return plan;
}

}  // namespace checkride::rehearsal
