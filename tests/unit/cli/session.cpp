#include "tests/unit/cli/session.h"

#include <catch2/catch.hpp>

#include "workflows/loader/load.h"

namespace checkride::cli {

namespace {

class CheckKind final : public JobKind {
 public:
  CheckKind() {
    signature_.name = "check";
    signature_.title = "Says whether something is in order";
    signature_.inputs = *cel::parse_type("{what?: string, key?: string}");
    signature_.result = *cel::parse_type("{ok: bool, count: int, files: list<string>}");
  }
  const JobSignature& signature() const override { return signature_; }

 private:
  JobSignature signature_;
};

// A reader that borrows the log.
class Borrowed final : public LogReader {
 public:
  Borrowed(const MemoryLog& log, std::function<void(Record&)> alter)
      : log_(log), alter_(std::move(alter)) {}
  Result<std::vector<RunHead>> heads() const override { return log_.heads(); }
  Result<std::optional<RunHead>> head(const RunId& run) const override { return log_.head(run); }
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override {
    return log_.read(run, from, [&](const Record& stored) {
      Record record = stored;
      if (alter_) alter_(record);
      return each(record);
    });
  }
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override {
    return log_.snapshot(run, at_most);
  }
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override {
    return log_.definition(hash);
  }
  Result<std::vector<SearchRow>> find(const std::string& type, std::size_t count) const override {
    return log_.find(type, count);
  }

 private:
  const MemoryLog& log_;
  std::function<void(Record&)> alter_;
};

std::string taken(std::ostringstream& stream) {
  std::string text = stream.str();
  stream.str("");
  return text;
}

}  // namespace

cel::Map result(bool ok, int count, cel::List files) {
  cel::Map map;
  map.set("ok", cel::Value(ok));
  map.set("count", cel::Value(count));
  map.set("files", cel::Value(std::move(files)));
  return map;
}

Session::Session() : now{1'795'000'000'000'000'000} {
  catalog_.add(std::make_unique<CheckKind>());
}

void Session::start(const std::string& yaml, const std::string& run, cel::Map params) {
  LoadOptions options;
  options.signatures = catalog_.signatures();
  LoadResult loaded = load_definition(yaml, "test.yaml", options);
  for (const LoadDiagnostic& diagnostic : loaded.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  REQUIRE(loaded.definition != nullptr);
  definition = loaded.definition;
  StartRun start;
  start.definition = definition->hash;
  start.definition_name = definition->name;
  start.params = std::move(params);
  start.root = RunId(run);
  start.folder = "/tmp/run";
  REQUIRE(send(RunId(run), std::move(start), {Actor::Kind::local, "ada"}));
}

std::shared_ptr<const Definition> Session::definition_of(const Digest& hash) const {
  if (definition->hash == hash) return definition;
  const auto machine = definition->machines.find(hash);
  REQUIRE(machine != definition->machines.end());
  return machine->second;
}

bool Session::send(const RunId& run, CommandBody body, Actor actor) {
  now = now + std::chrono::seconds(1);
  Command command;
  command.id = CommandId("c" + std::to_string(++commands_));
  command.run = run;
  command.actor = std::move(actor);
  command.time = now;
  const auto* start = std::get_if<StartRun>(&body);
  const Digest hash = start != nullptr ? start->definition : states_[run].start.definition;
  command.body = std::move(body);
  Decision decision = decide(states_[run], *definition_of(hash), command);
  Append append;
  append.record = to_record(decision, command, "0.1.0");
  append.summary = summarize(decision.next);
  REQUIRE(log.append({&append, 1}).has_value());
  states_[run] = std::move(decision.next);
  follow(run);
  return decision.accepted;
}

void Session::follow(const RunId& run) {
  const RunState state = states_[run];
  if (state.finished() && state.start.parent) {
    const auto head = log.head(run);
    if (states_[state.start.parent->run].jobs.contains(state.start.parent->token))
      send(state.start.parent->run,
           finish_of_child(state, *definition_of(state.start.definition), (*head)->chain));
    return;
  }
  for (const Obligation& obligation : outstanding(state)) {
    const auto* child = std::get_if<StartChild>(&obligation);
    if (child == nullptr) continue;
    const RunId id(child->intent->spec.token.value);
    if (states_.contains(id)) continue;
    StartRun start;
    start.definition = child->intent->machine;
    start.definition_name = definition_of(start.definition)->name;
    start.params = child->intent->spec.inputs;
    start.root = child->intent->spec.root;
    start.parent = ParentLink{run, child->intent->spec.token};
    start.folder = child->intent->spec.folder;
    send(id, std::move(start));
  }
}

void Session::finish(const std::string& run, const std::string& state, cel::Map value,
                     JobStatus status) {
  for (const auto& [token, job] : states_[RunId(run)].jobs) {
    if (job.intent->spec.state != state) continue;
    FinishJob finish;
    finish.token = token;
    finish.outcome = completed(std::move(value), status);
    finish.outcome.exit_code = status == JobStatus::pass ? 0 : 1;
    finish.outcome.started = now;
    finish.outcome.ended = now + std::chrono::milliseconds(250);
    finish.outcome.artifacts = {{"stdout", sha256("printed"), 7}, {"stderr", sha256(""), 0}};
    REQUIRE(send(RunId(run), finish));
    return;
  }
  FAIL("no live job of state " << state);
}

void Session::fail_job(const std::string& run, const std::string& state, FailureClass failure,
                       const std::string& message) {
  for (const auto& [token, job] : states_[RunId(run)].jobs) {
    if (job.intent->spec.state != state) continue;
    FinishJob finish;
    finish.token = token;
    finish.outcome = not_completed(JobStatus::error, failure, message);
    finish.outcome.started = now;
    finish.outcome.ended = now + std::chrono::milliseconds(250);
    REQUIRE(send(RunId(run), finish));
    return;
  }
  FAIL("no live job of state " << state);
}

bool Session::answer(const std::string& run, const std::string& state, const std::string& decision,
                     const std::string& reason) {
  const RunState& known = states_[RunId(run)];
  for (const auto& [token, gate] : known.gates) {
    if (definition_of(known.start.definition)->chart.state(gate.state).id != state) continue;
    return send(RunId(run), AnswerGate{token, gate.opened_at, decision, reason},
                {Actor::Kind::local, "ada"});
  }
  FAIL("no open gate of state " << state);
  return false;
}

bool Session::resolve(const std::string& run, ResolveIncident::How how, const std::string& reason) {
  ResolveIncident resolve;
  resolve.how = how;
  resolve.reason = reason;
  return send(RunId(run), resolve, {Actor::Kind::local, "ada"});
}

void Session::fire_next_timer(const std::string& run) {
  const auto timers = states_[RunId(run)].timers;
  REQUIRE_FALSE(timers.empty());
  now = std::max(now, timers.begin()->second.due);
  send(RunId(run), FireTimer{timers.begin()->first, timers.begin()->second.due});
}

RunState Session::state(const std::string& run) const {
  return states_.at(RunId(run));
}

Context Session::context(bool json) {
  return Context{
      out_,
      err_,
      json,
      false,
      store,
      catalog_,
      [this]() -> Result<std::unique_ptr<LogReader>> {
        return std::make_unique<Borrowed>(log, alter);
      },
      [this](const LogReader&, const Digest& hash) -> Result<std::shared_ptr<const Definition>> {
        return definition_of(hash);
      },
      [this](const std::string& name) -> Result<std::pair<std::string, std::string>> {
        if (const auto known = sources.find(name); known != sources.end())
          return std::pair(known->second, known->first + ".yaml");
        return fail(ErrorCode::not_found, "there is no definition '" + name + "'");
      }};
}

std::string Session::out() {
  return taken(out_);
}
std::string Session::err() {
  return taken(err_);
}

// The verbs' error printer is main's; tests bring their own.
int report_error(const Context& context, const Error& error) {
  context.err << "checkride: " << error.text() << "\n";
  return error.code == ErrorCode::invalid_argument || error.code == ErrorCode::not_found
             ? exit_usage
             : exit_engine;
}

}  // namespace checkride::cli
