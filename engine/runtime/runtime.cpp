#include "engine/runtime/runtime.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/base/assert.h"

namespace checkride {

namespace asio = boost::asio;

Runtime::Runtime(asio::io_context& io, EventLog& log, Clock& clock, DefinitionSource& definitions,
                 ArtifactKeeper& artifacts, RuntimeOptions options)
    : io_(io),
      log_(log),
      clock_(clock),
      definitions_(definitions),
      artifacts_(artifacts),
      options_(std::move(options)),
      leases_(options_.units_of) {}

Runtime::~Runtime() {
  shutdown();
}

void Runtime::shutdown() {
  if (stopping_) return;
  stopping_ = true;
  alive_.reset();
  if (runner_ != nullptr) runner_->detach();
  timers_.clear();
  workers_.join();
  writer_.join();
}

void Runtime::fail_fatally(Error error) {
  if (!fatal_) fatal_ = std::move(error);
  queue_.clear();
  io_.stop();
}

Command Runtime::engine_command(const RunId& run, std::string id, CommandBody body) const {
  Command command;
  command.id = CommandId(std::move(id));
  command.run = run;
  command.time = clock_.now();
  command.monotonic = clock_.monotonic();
  command.body = std::move(body);
  return command;
}

// ---------------------------------------------------------------------------- loading

Result<Runtime::Live*> Runtime::load(const RunId& run) {
  if (const auto found = live_.find(run); found != live_.end()) return found->second.get();
  CR_TRY(const std::optional<RunHead> head, log_.head(run));
  auto live = std::make_unique<Live>();
  if (head) {
    CR_TRY(live->state, load_state(log_, run));
    CR_TRY(live->definition, definitions_.definition(head->summary.definition));
    live->resources = lease_resources(*live->definition);
    live->snapshot_at = head->last;
    live->chain = head->chain;
  }
  Live* loaded = live.get();
  live_[run] = std::move(live);
  register_leases(loaded->state);
  return loaded;
}

const RunState* Runtime::state(const RunId& run) const {
  const auto found = live_.find(run);
  return found == live_.end() ? nullptr : &found->second->state;
}

Result<std::shared_ptr<const Definition>> Runtime::definition_of(const RunId& run) {
  CR_TRY(const Live* live, load(run));
  return live->definition;
}

Result<void> Runtime::recover() {
  CR_TRY(const std::vector<RunHead> heads, log_.heads());
  const Timestamp now = clock_.now();
  // Who holds what is known before anybody is given anything.
  for (const RunHead& head : heads) {
    if (head.summary.leases == 0 || head.summary.mode == RunMode::finished || load(head.run))
      continue;
    if (const auto state = load_state(log_, head.run)) register_leases(*state);
  }
  for (const RunHead& head : heads) {
    const RunSummary& summary = head.summary;
    const bool due = summary.next_due && *summary.next_due <= now;
    if (summary.mode == RunMode::absent || (!summary.owes_work && !due)) continue;
    // A definition that this program cannot load keeps its run out of reach, not the store.
    const auto live = load(head.run);
    if (!live) continue;
    carry_out(head.run);
    if (!collects((*live)->state)) fire_due(head.run, now);
  }
  return {};
}

Result<void> Runtime::drive(const RunId& root) {
  ++driven_[root];
  CR_TRY(const std::vector<RunHead> heads, log_.heads());
  for (const RunHead& head : heads) {
    if (head.summary.root != root || head.summary.mode == RunMode::finished) continue;
    CR_CHECK(load(head.run));
  }
  std::vector<RunId> tree;
  for (const auto& [run, live] : live_)
    if (live->state.start.root == root) tree.push_back(run);
  for (const RunId& run : tree) carry_out(run);
  grant_waiting();
  return {};
}

std::vector<RunId> Runtime::driven() const {
  std::vector<RunId> roots;
  for (const auto& [root, followers] : driven_) roots.push_back(root);
  return roots;
}

void Runtime::stop_driving(const RunId& root) {
  const auto found = driven_.find(root);
  if (found == driven_.end() || --found->second > 0) return;
  driven_.erase(found);
  std::erase_if(timers_, [&](const auto& armed) {
    const auto live = live_.find(armed.first.first);
    return live == live_.end() || live->second->state.start.root == root;
  });
}

// ---------------------------------------------------------------------------- deciding

void Runtime::submit(Command command, Reply reply) {
  const auto refuse = [&](Error error) {
    CommandReply answer;
    answer.error = std::move(error);
    if (reply) asio::post(io_, [reply = std::move(reply), answer] { reply(answer); });
  };
  if (fatal_) return refuse(*fatal_);
  Result<Live*> loaded = load(command.run);
  if (!loaded) return refuse(loaded.error());
  Live& live = **loaded;
  if (const auto* start = std::get_if<StartRun>(&command.body); start && !live.definition) {
    auto definition = definitions_.definition(start->definition);
    if (!definition) {
      live_.erase(command.run);
      return refuse(definition.error());
    }
    live.definition = *definition;
    live.resources = lease_resources(**definition);
  }
  if (!live.definition) {
    live_.erase(command.run);
    return refuse(
        Error{ErrorCode::not_found,
              "there is no run '" + command.run.value + "' here; `checkride ls` lists them",
              {}});
  }
  const auto* starting = std::get_if<StartRun>(&command.body);
  const bool absent = live.state.mode == RunMode::absent;
  const RunId& root = absent && starting != nullptr ? starting->root : live.state.start.root;
  if (live.resources && driven_.contains(root))
    command.offer =
        leases_.offer(*live.resources, [this](const RunId& run) { return may_start(run); });
  if (command.offer) command.offer->boot_id = options_.boot_id;
  Decision decision = decide(live.state, *live.definition, command);
  const bool stillborn = !decision.accepted && live.state.mode == RunMode::absent;
  if (decision.repeated || stillborn) {
    CommandReply answer;
    answer.accepted = decision.accepted;
    answer.repeated = decision.repeated;
    answer.sequence = decision.sequence;
    answer.reason = decision.reason;
    if (stillborn) live_.erase(command.run);  // a run that never began leaves nothing in the log
    if (reply) asio::post(io_, [reply = std::move(reply), answer] { reply(answer); });
    return;
  }
  enqueue(live, std::move(decision), command, std::move(reply));
}

void Runtime::enqueue(Live& live, Decision decision, const Command& command, Reply reply) {
  Waiting waiting;
  waiting.reply = std::move(reply);
  waiting.answer.accepted = decision.accepted;
  waiting.answer.reason = decision.reason;
  waiting.answer.sequence = decision.sequence;
  waiting.append.record = to_record(decision, command, options_.build);
  live.state = std::move(decision.next);
  waiting.append.summary = summarize(live.state);
  for (const Event& event : waiting.append.record.events) {
    if (const auto* finished = std::get_if<JobFinished>(&event))
      waiting.append.facts = finished->command.outcome.facts;
    if (const auto* intended = std::get_if<JobIntended>(&event);
        intended && !needs_lease(intended->spec))
      fresh_.insert(intended->spec.token);
  }
  note_leases(command.run, waiting.append.record.events);
  const bool resting = live.state.finished() || waits_for_person(live.state);
  if (resting || live.state.last.value - live.snapshot_at.value >= options_.snapshot_events) {
    waiting.append.snapshot = std::make_shared<const RunState>(live.state);
    live.snapshot_at = live.state.last;
  }
  ++live.pending;
  queue_.push_back(std::move(waiting));
  write_next();
}

// One write is under way at a time; what is decided meanwhile goes with the next sync.
void Runtime::write_next() {
  if (writing_ || queue_.empty() || fatal_) return;
  writing_ = true;
  const std::size_t count = std::min(queue_.size(), options_.batch_records_max);
  auto batch = std::make_shared<std::vector<Waiting>>(
      std::make_move_iterator(queue_.begin()),
      std::make_move_iterator(queue_.begin() + static_cast<std::ptrdiff_t>(count)));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  asio::post(writer_, [this, batch, alive = std::weak_ptr(alive_)] {
    std::vector<Append> appends;
    appends.reserve(batch->size());
    for (Waiting& waiting : *batch) appends.push_back(std::move(waiting.append));
    auto result = log_.append(appends);
    for (std::size_t i = 0; i < batch->size(); ++i) (*batch)[i].append = std::move(appends[i]);
    asio::post(io_, [this, batch, alive, result = std::move(result)]() mutable {
      if (!alive.expired()) committed(std::move(*batch), std::move(result));
    });
  });
}

void Runtime::committed(std::vector<Waiting> batch, Result<std::vector<Committed>> result) {
  writing_ = false;
  if (!result) {
    fail_fatally(result.error());
    return;
  }
  ++syncs_;
  std::set<RunId> touched;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Waiting& waiting = batch[i];
    Record& record = waiting.append.record;
    record.global = (*result)[i].global;
    record.chain = (*result)[i].chain;
    ++records_committed_;
    const auto live = live_.find(record.run);
    CR_ASSERT(live != live_.end() && live->second->pending > 0, record.run);
    --live->second->pending;
    live->second->chain = record.chain;
    touched.insert(record.run);
    note_places(record);
    for (const Event& event : record.events) forget_ended(event);
    for (const Observer& observer : observers_) observer(record, live->second->state);
    if (waiting.reply) waiting.reply(waiting.answer);
  }
  for (const RunId& run : touched) carry_out(run);
  grant_waiting();
  write_next();
}

// ---------------------------------------------------------------------------- carrying out

void Runtime::carry_out(const RunId& run) {
  const auto found = live_.find(run);
  // Only what is durable may have effects; the commit of what is pending calls again.
  if (found == live_.end() || found->second->pending > 0 || stopping_ || fatal_) return;
  const RunState state = found->second->state;
  drop_timers(state);
  release_rebooted(state);
  if (runner_ != nullptr)
    for (const Obligation& obligation : outstanding(state))
      std::visit([&](const auto& owed) { carry_out(state, owed); }, obligation);
  if (state.finished() && state.start.parent) deliver_to_parent(state);
}

// What was kept about an attempt whose end is durable.
void Runtime::forget_ended(const Event& event) {
  const auto forget = [this](const Token& token) {
    settling_.erase(token);
    cancelled_.erase(token);
    fresh_.erase(token);
  };
  if (const auto* finished = std::get_if<JobFinished>(&event)) forget(finished->command.token);
  if (const auto* stale = std::get_if<StaleResultRejected>(&event)) forget(stale->command.token);
}

void Runtime::carry_out(const RunState& state, const RunJob& job) {
  JobSpec spec = job.intent->spec;
  if (active_.contains(spec.token) || settling_.contains(spec.token)) return;
  const auto lease = state.leases.find(spec.token);
  const bool holds = lease != state.leases.end() && !lease->second.units.empty();
  if (holds) spec.leased = lease->second.units;
  if (state.paused &&
      (fresh_.contains(spec.token) || runner_->look(spec.token) == AttemptTrace::absent))
    return;  // nothing starts in a paused run
  if (driven_.contains(state.start.root)) {
    active_[spec.token] = state.run;
    if (fresh_.erase(spec.token) > 0)
      runner_->start(spec);
    else
      recover_attempt(spec);
    return;
  }
  // Nobody drives: collect what has ended, start nothing. What holds units that others may want is
  // watched, or given up if it never started.
  if (fresh_.contains(spec.token)) {
    if (!holds) return;
    fresh_.erase(spec.token);
    deliver_unstarted(state, *job.intent);
    return;
  }
  if (holds || runner_->look(spec.token) == AttemptTrace::finished) {
    active_[spec.token] = state.run;
    recover_attempt(spec);
  }
}

void Runtime::recover_attempt(const JobSpec& spec) {
  if (runner_->look(spec.token) == AttemptTrace::finished) collecting_.insert(spec.token);
  runner_->recover(spec);
}

void Runtime::carry_out(const RunState& state, const StopJob& job) {
  const JobSpec& spec = job.intent->spec;
  if (settling_.contains(spec.token)) return;
  if (job.intent->performer == JobSignature::Performer::machine) {
    const RunId child(spec.token.value);
    const auto loaded = load(child);
    if (!loaded) return;  // its definition is out of reach: whether it ended cannot be told
    if ((*loaded)->state.mode == RunMode::absent) {
      live_.erase(child);
      deliver_unstarted(state, *job.intent);
    } else if ((*loaded)->state.finished()) {
      if ((*loaded)->pending == 0) deliver_to_parent((*loaded)->state);
    } else if (cancelled_.insert(spec.token).second) {
      submit(engine_command(child, "cancel-" + spec.token.value,
                            CancelRun{"its parent no longer needs it"}));
    }
    return;
  }
  const bool unasked = needs_lease(spec) && !state.leases.contains(spec.token);
  if ((fresh_.erase(spec.token) > 0 || unasked) && !active_.contains(spec.token)) {
    deliver_unstarted(state, *job.intent);
    return;
  }
  if (!active_.contains(spec.token)) {
    active_[spec.token] = state.run;
    runner_->recover(spec);
  }
  if (cancelled_.insert(spec.token).second) runner_->cancel(spec.token);
}

// The attempt was given up before anything of it started.
void Runtime::deliver_unstarted(const RunState& parent, const JobIntended& intent) {
  if (!settling_.insert(intent.spec.token).second) return;
  FinishJob finish;
  finish.token = intent.spec.token;
  finish.outcome.cancelled = true;
  finish.outcome.never_started = true;
  finish.outcome.message = "cancelled before it started";
  finish.outcome.started = finish.outcome.ended = clock_.now();
  submit(engine_command(parent.run, "finish-" + intent.spec.token.value, std::move(finish)));
}

void Runtime::carry_out(const RunState& state, const StartChild& child) {
  const Token& token = child.intent->spec.token;
  if (settling_.contains(token)) return;
  const RunId run(token.value);
  const auto head = log_.head(run);
  if (!head) return fail_fatally(head.error());
  const auto found = live_.find(run);
  const bool exists = *head || (found != live_.end() && found->second->pending > 0);
  if (!exists) {
    if (driven_.contains(state.start.root) && !state.paused) start_child(state, *child.intent);
    return;
  }
  if (found != live_.end()) {
    if (found->second->pending == 0 && found->second->state.finished())
      deliver_to_parent(found->second->state);
    else
      pass_pause_on(state, *found->second);
  } else if ((*head)->summary.mode == RunMode::finished) {
    if (const auto loaded = load(run)) deliver_to_parent((*loaded)->state);
  }
}

// A verb on a run means its tree.
void Runtime::pass_pause_on(const RunState& parent, Live& child) {
  const RunState& state = child.state;
  if (state.mode != RunMode::running) return;
  const std::string occasion = state.run.value + "-" + to_string(state.last);
  if (parent.paused && !state.paused)
    submit(engine_command(state.run, "pause-" + occasion, PauseRun{parent.paused->reason, true}));
  else if (!parent.paused && state.paused && state.paused->by_parent)
    submit(engine_command(state.run, "resume-" + occasion, ResumeRun{"its parent goes on", true}));
}

void Runtime::start_child(const RunState& parent, const JobIntended& intent) {
  StartRun start;
  start.definition = intent.machine;
  start.params = intent.spec.inputs;
  start.root = parent.start.root;
  start.parent = ParentLink{parent.run, intent.spec.token};
  start.folder = parent.start.folder;
  start.environment = parent.start.environment;
  start.environment_names = parent.start.environment_names;
  const auto definition = definitions_.definition(intent.machine);
  if (!definition) return fail_fatally(definition.error());
  start.definition_name = (*definition)->name;
  Command command = engine_command(RunId(intent.spec.token.value),
                                   "start-" + intent.spec.token.value, std::move(start));
  command.actor = parent.author;
  submit(std::move(command));
}

void Runtime::deliver_to_parent(const RunState& child) {
  const Token token = child.start.parent->token;
  const auto parent = load(child.start.parent->run);
  if (!parent || !(*parent)->state.jobs.contains(token) || !settling_.insert(token).second) return;
  const auto live = live_.find(child.run);
  const Digest chain = live == live_.end() ? Digest{} : live->second->chain;
  submit(engine_command(child.start.parent->run, "finish-" + token.value,
                        finish_of_child(child, *live_.at(child.run)->definition, chain)));
}

// ---------------------------------------------------------------------------- runners report

void Runtime::on_started(const Token& token, const ProcessIdentity& identity, bool adopted) {
  const auto active = active_.find(token);
  if (active == active_.end() || settling_.contains(token)) return;
  if (adopted)
    submit(engine_command(active->second,
                          "adopt-" + token.value + "-" + std::to_string(log_.epoch().value),
                          AdoptJob{token, identity}));
  else
    submit(
        engine_command(active->second, "started-" + token.value, MarkJobStarted{token, identity}));
}

void Runtime::on_finished(const Token& token, const JobOutcome& outcome) {
  const auto active = active_.find(token);
  if (active == active_.end() || !settling_.insert(token).second) return;
  const RunId run = active->second;
  // What it left behind is durable before the event that names it.
  asio::post(workers_, [this, token, run, alive = std::weak_ptr(alive_),
                        outcome = JobOutcome(outcome)]() mutable {
    const Result<void> kept = artifacts_.keep(token, outcome.artifacts);
    if (!kept) {
      outcome.completed = false;
      outcome.status = JobStatus::error;
      outcome.failure = FailureClass::resource;
      outcome.message = "its output could not be kept: " + kept.error().text();
      outcome.artifacts.clear();
    }
    asio::post(io_, [this, token, run, alive, outcome = std::move(outcome)]() mutable {
      if (alive.expired() || fatal_) return;
      FinishJob finish;
      finish.token = token;
      finish.outcome = std::move(outcome);
      active_.erase(token);
      if (collecting_.erase(token) > 0) fire_due(run, finish.outcome.ended);
      submit(engine_command(run, "finish-" + token.value, std::move(finish)));
    });
  });
}

void Runtime::on_unknown(const Token& token, const std::string& findings) {
  const auto active = active_.find(token);
  if (active == active_.end()) return;
  const RunId run = active->second;
  active_.erase(active);
  collecting_.erase(token);
  cancelled_.erase(token);  // found again, it must be told again
  submit(engine_command(run, "unknown-" + token.value, ReportJobUnknown{token, findings}));
}

// ---------------------------------------------------------------------------- rest

bool Runtime::at_rest(const RunId& root) const {
  const auto top = live_.find(root);
  if (top == live_.end()) return true;
  for (const auto& [run, live] : live_) {
    if (live->state.start.root != root) continue;
    if (live->pending > 0) return false;
  }
  if (top->second->state.finished()) return true;
  for (const auto& [run, live] : live_) {
    const RunState& state = live->state;
    if (state.start.root != root || state.finished()) continue;
    for (const Obligation& obligation : outstanding(state))
      if (std::visit([&](const auto& owed) { return moves(state, owed); }, obligation))
        return false;
  }
  return true;
}

// A child moves by itself; what it waits for is asked of the child. One that has ended owes the
// parent its end.
bool Runtime::child_moves(const JobIntended& intent) const {
  const auto child = live_.find(RunId(intent.spec.token.value));
  return child == live_.end() || child->second->state.finished();
}
bool Runtime::moves(const RunState& state, const StartChild& child) const {
  static_cast<void>(state);
  return child_moves(*child.intent);
}
bool Runtime::moves(const RunState& state, const StopJob& job) const {
  static_cast<void>(state);
  return job.intent->performer != JobSignature::Performer::machine || child_moves(*job.intent);
}
bool Runtime::moves(const RunState& state, const RunJob& job) const {
  return !state.paused || active_.contains(job.intent->spec.token);
}
// Reminders and expiries are about a person who is waited for.
bool Runtime::moves(const RunState& state, const AwaitTimer& timer) const {
  return moves_run(state.timers.at(timer.timer).purpose);
}

}  // namespace checkride
