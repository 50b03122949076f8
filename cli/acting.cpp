#include "cli/acting.h"

#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include "cli/commands/load.h"
#include "cli/engine.h"
#include "cli/interrupt.h"
#include "cli/live.h"
#include "cli/owner/client.h"
#include "cli/resources.h"
#include "cli/store.h"

namespace checkride::cli {

namespace {

// How long an owner may take between holding the lock and listening, and the other way round.
constexpr int owner_tries_max = 100;
constexpr std::chrono::milliseconds owner_wait(100);

Actor actor_of(const std::string& claimed) {
  if (!claimed.empty()) return Actor{Actor::Kind::claimed, claimed};
  const passwd* entry = ::getpwuid(::getuid());
  return Actor{Actor::Kind::local,
               entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid())};
}

CommandId new_command_id() {
  std::random_device random;
  std::string id = "c-";
  static constexpr std::string_view digits = "0123456789abcdef";
  for (int i = 0; i < 24; ++i) id += digits[random() % 16];
  return CommandId(id);
}

std::vector<StoredDefinition> to_store(const Definition& definition) {
  const auto one = [](const Definition& d) {
    return StoredDefinition{d.hash, d.name, d.source_name, d.source, SystemClock().now()};
  };
  std::vector<StoredDefinition> all = {one(definition)};
  for (const auto& [hash, machine] : definition.machines) all.push_back(one(*machine));
  return all;
}

int report_refusal(const Context& context, const std::string& reason) {
  if (context.json) {
    std::string line = "{\"rejected\": ";
    cel::append_json_string(line, reason);
    context.out << line << "}\n";
  } else {
    context.err << "checkride: rejected: " << reason << "\n";
  }
  return exit_failed;
}

int report_interruption(const Context& context, const Act& act) {
  context.err << "checkride: interrupted; running jobs go on; go on with: checkride resume "
              << act.root.value << "\n";
  return exit_interrupted;
}

int act_as_owner(const Context& context, const Act& act, const CommandId& id, LiveView& view,
                 Engine& engine) {
  if (act.definition) {
    for (const StoredDefinition& definition : to_store(*act.definition))
      if (auto stored = engine.log().store_definition(definition); !stored)
        return report_error(context, stored.error());
    engine.definitions().remember(act.definition);
  }
  if (act.body) {
    view.skip_to_end(engine.log());
    const auto reply =
        engine.submit(engine.command(id, act.target, actor_of(act.claimed), *act.body));
    if (!reply) return report_error(context, reply.error());
    if (!reply->accepted) return report_refusal(context, reply->reason);
  }
  if (act.before_following) act.before_following(engine.log(), engine.runner());
  if (!act.follow) return exit_ok;
  if (!act.body) view.skip_to_end(engine.log());
  view.begin(engine.log());
  std::function<void()> tick;
  if (view.ticks()) tick = [&] { view.tick(); };
  const Result<void> followed = engine.follow(
      act.root, [&](const RunId& run) { view.moved(engine.log(), run); }, tick);
  if (!followed && followed.error().code != ErrorCode::timeout)
    return report_error(context, followed.error());
  view.finish(engine.log());
  if (!followed) return report_interruption(context, act);
  const int code = exit_code_of(engine.log(), act.root);
  // Others may follow runs that this process drives.
  if (auto served = engine.serve_followers();
      !served && served.error().code != ErrorCode::timeout)
    return report_error(context, served.error());
  return code;
}

// Nothing when the owner went away; the caller tries again.
std::optional<int> act_through_owner(const Context& context, const Act& act, const CommandId& id,
                                     LiveView& view, OwnerClient& client, bool& announced) {
  const auto lost = [](const Error& error) { return error.code == ErrorCode::unavailable; };
  if (act.definition)
    for (const StoredDefinition& definition : to_store(*act.definition))
      if (auto stored = client.store_definition(definition); !stored) {
        if (lost(stored.error())) return std::nullopt;
        return report_error(context, stored.error());
      }
  if (act.body) {
    if (!announced) view.skip_to_end(client);
    const auto reply = client.submit(id, act.target, act.claimed, *act.body);
    if (!reply) {
      if (lost(reply.error())) return std::nullopt;
      return report_error(context, reply.error());
    }
    if (!reply->accepted) return report_refusal(context, reply->reason);
    announced = true;
  }
  if (!act.follow) return exit_ok;
  // Reads go over a connection of their own; the following one carries notices only.
  auto reader = OwnerClient::connect(*owner_socket(context.store));
  if (!reader) return std::nullopt;
  if (!act.body) view.skip_to_end(**reader);
  view.begin(**reader);
  const Interruption interruption;
  const auto followed = client.follow(
      act.root, [&](const RunId& run) { view.moved(**reader, run); },
      [&] {
        view.tick();
        return !interruption.came();
      });
  const bool interrupted = !followed && followed.error().code == ErrorCode::timeout;
  if (!followed && !interrupted) {
    if (lost(followed.error())) return std::nullopt;
    return report_error(context, followed.error());
  }
  view.finish(**reader);
  return interrupted ? report_interruption(context, act) : exit_code_of(**reader, act.root);
}

}  // namespace

int act(const Context& context, const Act& act) {
  const CommandId id = new_command_id();
  LiveView view(context, act.root);
  bool announced = false;
  Error last;
  for (int tries = 0; tries < owner_tries_max; ++tries) {
    auto engine = Engine::open(context);
    if (!engine && engine.error().code != ErrorCode::locked)
      return report_error(context, engine.error());
    // The store exists now, whoever owns it.
    if (const auto declared = declare_resources(context.store, context.resources); !declared)
      return report_error(context, declared.error());
    if (engine) return act_as_owner(context, act, id, view, **engine);
    last = engine.error();
    // Whoever holds the lock may be making the store at this moment.
    const auto socket = owner_socket(context.store);
    if (!socket && socket.error().code != ErrorCode::not_found)
      return report_error(context, socket.error());
    auto client = socket ? OwnerClient::connect(*socket) : tl::unexpected(socket.error());
    if (client) {
      if (const auto code = act_through_owner(context, act, id, view, **client, announced))
        return *code;
      tries = 0;  // it was there and left: one of its followers takes over
    }
    std::this_thread::sleep_for(owner_wait);
  }
  return report_error(context, last);
}

int exit_code_of(const LogReader& log, const RunId& root) {
  const auto head = log.head(root);
  if (!head || !*head) return exit_engine;
  const RunSummary& summary = (*head)->summary;
  if (summary.mode == RunMode::finished)
    return summary.outcome == RunOutcome::succeeded ? exit_ok : exit_failed;
  return exit_waiting;
}

Result<RunHead> find_head(const LogReader& log, const std::string& run) {
  CR_TRY(const RunId typed, parse_run_id(run));
  CR_TRY(const RunId id, find_run(log, typed));
  CR_TRY(std::optional<RunHead> head, log.head(id));
  if (!head) return fail(ErrorCode::not_found, "run '" + id.value + "' is gone");
  return *std::move(head);
}

}  // namespace checkride::cli
