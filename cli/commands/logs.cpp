#include "cli/commands/logs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <set>

#include "cli/commands/load.h"
#include "cli/commands/output.h"
#include "cli/render/event_line.h"
#include "engine/cel/text.h"

namespace checkride::cli {

namespace {

constexpr std::uint64_t json_tail_bytes = 64 << 10;
constexpr std::size_t line_bytes_max = 1 << 20;  // a longer line is printed in pieces

struct Attempt {
  std::shared_ptr<const JobIntended> intent;
  const RunTree* run = nullptr;
  Timestamp intended;
  std::optional<JobOutcome> outcome;
  std::string end;  // words
  bool live = true;
};

Result<void> collect(const LogReader& reader, const RunTree& run, std::vector<Attempt>& all) {
  std::map<Token, std::size_t> by_token;
  const auto ended = [&](const FinishJob& finish, const std::string& suffix) {
    const auto found = by_token.find(finish.token);
    if (found == by_token.end()) return;
    all[found->second].outcome = finish.outcome;
    all[found->second].live = false;
    all[found->second].end = outcome_words(run.view, finish.outcome) + suffix;
  };
  CR_CHECK(reader.read(run.state.run, Sequence(1), [&](const Record& record) {
    for (const Event& event : record.events) {
      if (const auto* intent = std::get_if<JobIntended>(&event)) {
        if (intent->performer != JobSignature::Performer::runner) continue;
        by_token[intent->spec.token] = all.size();
        all.push_back(
            {std::make_shared<const JobIntended>(*intent), &run, record.time, {}, "still running"});
      } else if (const auto* finished = std::get_if<JobFinished>(&event)) {
        ended(finished->command, "");
      } else if (const auto* stale = std::get_if<StaleResultRejected>(&event)) {
        ended(stale->command, " (its result was not taken)");
      } else if (const auto* unknown = std::get_if<JobUnknown>(&event)) {
        if (const auto found = by_token.find(unknown->command.token); found != by_token.end()) {
          all[found->second].end = "end unknown";
          all[found->second].live = false;
        }
      }
    }
    return true;
  }));
  for (const RunTree& child : run.children) CR_CHECK(collect(reader, child, all));
  return {};
}

// Prints a stream with secrets masked, line by line; false when there is nothing to print.
class StreamPrinter {
 public:
  StreamPrinter(const Context& context, const Mask& mask, std::uint64_t tail_bytes)
      : context_(context), mask_(mask), tail_bytes_(tail_bytes) {}

  bool print(const std::filesystem::path& path, std::string_view heading) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return false;
    in.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
    if (size == 0) return false;
    const std::uint64_t from = tail_bytes_ != 0 && size > tail_bytes_ ? size - tail_bytes_ : 0;
    in.seekg(static_cast<std::streamoff>(from));
    context_.out << heading;
    if (from != 0) context_.out << "… " << bytes_text(from) << " before this are left out\n";
    std::string pending;
    char buffer[64 << 10];
    while (in) {
      in.read(buffer, sizeof buffer);
      pending.append(buffer, static_cast<std::size_t>(in.gcount()));
      const std::size_t end = pending.rfind('\n');
      if (end == std::string::npos && pending.size() < line_bytes_max) continue;
      const std::size_t length = end == std::string::npos ? pending.size() : end + 1;
      put(pending.substr(0, length));
      pending.erase(0, length);
    }
    if (!pending.empty()) put(pending + "\n");
    return true;
  }

 private:
  // On a terminal, a job's control characters must not do anything but break lines and set tabs.
  void put(const std::string& text) {
    std::string shown = mask_.text(text);
    if (context_.terminal)
      for (char& c : shown)
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = '?';
    context_.out << shown;
  }

  const Context& context_;
  const Mask& mask_;
  std::uint64_t tail_bytes_;
};

json::object attempt_json(const Context& context, const Attempt& attempt, std::uint64_t tail) {
  const JobSpec& spec = attempt.intent->spec;
  const std::filesystem::path folder = context.attempts() / spec.token.value;
  json::object object{{"token", spec.token.value},
                      {"run", spec.run.value},
                      {"state", spec.state},
                      {"kind", spec.kind},
                      {"purpose", to_string(attempt.intent->purpose)},
                      {"attempt", attempt.intent->attempt},
                      {"intended", as_json(attempt.intended)},
                      {"end", attempt.end},
                      {"folder", folder.string()}};
  if (attempt.outcome) object["status"] = to_string(attempt.outcome->status);
  for (const char* stream : {"stdout", "stderr"})
    object[stream] = attempt.run->view.text(tail_of(folder / stream, tail));
  return object;
}

Result<std::vector<Attempt>> find_attempts(const LogReader& reader, const RunTree& tree,
                                           const LogsOptions& options) {
  std::vector<Attempt> all;
  CR_CHECK(collect(reader, tree, all));
  if (!options.state.empty()) {
    std::vector<std::string> states;
    for (const Attempt& attempt : all) states.push_back(attempt.intent->spec.state);
    std::erase_if(
        all, [&](const Attempt& attempt) { return attempt.intent->spec.state != options.state; });
    if (all.empty()) {
      const std::string hint = cel::did_you_mean(options.state, states);
      return fail(ErrorCode::not_found, "no state '" + options.state + "' of run '" +
                                            tree.state.run.value + "' started a job" +
                                            (hint.empty() ? "" : "; " + hint));
    }
  }
  if (options.last) {
    std::map<std::pair<RunId, std::string>, Token> newest;
    for (const Attempt& attempt : all)
      newest[{attempt.intent->spec.run, attempt.intent->spec.state}] = attempt.intent->spec.token;
    std::erase_if(all, [&](const Attempt& attempt) {
      return newest[{attempt.intent->spec.run, attempt.intent->spec.state}] !=
             attempt.intent->spec.token;
    });
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Attempt& a, const Attempt& b) { return a.intended < b.intended; });
  return all;
}

std::string heading_of(const Attempt& attempt, const RunTree& top) {
  const JobSpec& spec = attempt.intent->spec;
  std::string what = spec.state + "  " + spec.kind;
  if (attempt.intent->purpose != JobPurpose::invoke)
    what += " (" + std::string(to_string(attempt.intent->purpose)) + ")";
  if (attempt.intent->attempt > 1) what += "  attempt " + std::to_string(attempt.intent->attempt);
  if (attempt.run != &top) what += "  in " + attempt.run->label;
  return what;
}

// `before`: what had ended when the following began; what ended since was perhaps never seen alive.
ToFollow to_follow(const Context& context, const RunTree& tree,
                   const std::vector<Attempt>& attempts, const LogsOptions& options,
                   const std::set<Token>& before) {
  ToFollow now;
  for (const Attempt& attempt : attempts) {
    const JobSpec& spec = attempt.intent->spec;
    if (before.contains(spec.token)) continue;
    std::error_code ignored;  // inline jobs keep no output
    if (!attempt.live && !std::filesystem::exists(context.attempts() / spec.token.value, ignored))
      continue;
    now.attempts.push_back({spec.token, spec.run, spec.state, heading_of(attempt, tree),
                            context.attempts() / spec.token.value, attempt.run->view.mask()});
  }
  const auto driven = options.driven ? options.driven(tree.state.start.root) : std::nullopt;
  const Activity activity = activity_of(tree, driven);
  now.more = activity == Activity::running || activity == Activity::cancelling ||
             activity == Activity::rolling_back;
  return now;
}

Result<ToFollow> find_to_follow(const Context& context, const RunId& id,
                                const LogsOptions& options, const std::set<Token>& before) {
  CR_TRY(const auto reader, context.open_reader());
  RunLoader loader(context, *reader);
  CR_TRY(const RunTree tree, loader.tree(id));
  CR_TRY(const std::vector<Attempt> attempts, find_attempts(*reader, tree, options));
  return to_follow(context, tree, attempts, options, before);
}

// The exit code.
Result<int> print_logs(const Context& context, const LogsOptions& options) {
  CR_TRY(auto reader, context.open_reader());
  CR_TRY(const RunId typed, parse_run_id(options.run));
  CR_TRY(const RunId id, find_run(*reader, typed));
  RunLoader loader(context, *reader);
  CR_TRY(const RunTree tree, loader.tree(id));
  CR_TRY(const std::vector<Attempt> attempts, find_attempts(*reader, tree, options));
  if (options.follow) {
    std::set<Token> before;
    for (const Attempt& attempt : attempts)
      if (!attempt.live) before.insert(attempt.intent->spec.token);
    ToFollow now = to_follow(context, tree, attempts, options, before);
    if (!now.attempts.empty() || now.more) {
      reader.reset();  // who wants to own the store meanwhile may
      FollowHooks hooks = options.hooks;
      hooks.find = [&] { return find_to_follow(context, id, options, before); };
      return follow_output(context, std::move(now), options.tail_bytes, hooks);
    }
    context.err << "checkride: no job of '" << id.value << "' runs now; this is what was printed\n";
  }
  if (context.json) {
    json::array all;
    for (const Attempt& attempt : attempts)
      all.push_back(attempt_json(context, attempt,
                                 options.tail_bytes != 0 ? options.tail_bytes : json_tail_bytes));
    context.out << document(json::object{{"run", id.value}, {"attempts", std::move(all)}});
    return exit_ok;
  }
  const Style style = style_of(context);
  if (attempts.empty()) context.out << "run '" << id.value << "' has started no job yet\n";
  for (const Attempt& attempt : attempts) {
    const JobSpec& spec = attempt.intent->spec;
    const std::filesystem::path folder = context.attempts() / spec.token.value;
    context.out << style(Tone::bold, "── " + heading_of(attempt, tree)) << "  " << clean(attempt.end)
                << style(Tone::dim, "  " + time_text(attempt.intended) + "  " + spec.token.value)
                << "\n";
    StreamPrinter printer(context, attempt.run->view.mask(), options.tail_bytes);
    const bool out = printer.print(folder / "stdout", "");
    const bool err = printer.print(folder / "stderr", style(Tone::dim, "── standard error\n"));
    if (out || err) continue;
    std::error_code ignored;
    context.out << (std::filesystem::exists(folder, ignored)
                        ? style(Tone::dim, "(it printed nothing)")
                        : style(Tone::dim, "(no output kept; inline jobs print nothing)"))
                << "\n";
  }
  return exit_ok;
}

}  // namespace

int cmd_logs(const Context& context, const LogsOptions& options) {
  const auto code = print_logs(context, options);
  return code ? *code : report_error(context, code.error());
}

}  // namespace checkride::cli
