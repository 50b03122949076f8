#include "cli/commands/logs_follow.h"

#include <chrono>
#include <ostream>
#include <set>
#include <thread>

#include "cli/commands/load.h"
#include "cli/commands/output.h"

namespace checkride::cli {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds look_every(100);
constexpr std::chrono::milliseconds find_every(500);
constexpr std::chrono::seconds partial_after(1);  // an unfinished line is shown after so long
constexpr std::chrono::seconds start_wait(10);    // for an attempt that has not begun

struct Stream {
  std::string name;
  GrowingFile file;
  std::string pending;  // an unfinished line
  Clock::time_point grew;
};

struct Following {
  FollowedAttempt attempt;
  std::vector<Stream> streams;
  Clock::time_point since;
};

std::uint64_t first_byte(const std::filesystem::path& path, std::uint64_t tail_bytes) {
  std::error_code missing;
  const std::uint64_t size = std::filesystem::file_size(path, missing);
  return missing || tail_bytes == 0 || size < tail_bytes ? 0 : size - tail_bytes;
}

class Printer {
 public:
  explicit Printer(const Context& context) : context_(context), style_(style_of(context)) {}

  void print(const Following& from, const Stream& stream, const std::string& text) {
    std::string shown = from.attempt.mask.text(text);
    if (context_.json) {
      json::object piece{{"token", from.attempt.token.value},
                         {"run", from.attempt.run.value},
                         {"state", from.attempt.state},
                         {"stream", stream.name},
                         {"text", shown}};
      context_.out << serialized(piece) << "\n";
    } else {
      heading(from, stream.name);
      if (context_.terminal)
        for (char& c : shown)
          if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') c = '?';
      context_.out << shown;
      open_line_ = !shown.ends_with('\n');
    }
    context_.out.flush();
  }

  void ended(const Following& from, AttemptTrace trace) {
    if (context_.json) {
      json::object end{{"token", from.attempt.token.value},
                       {"run", from.attempt.run.value},
                       {"state", from.attempt.state},
                       {"ended", to_string(trace)}};
      context_.out << serialized(end) << "\n";
    } else {
      end_line();
      context_.out << style_(Tone::dim, "── " + from.attempt.state + " " + words(trace)) << "\n";
      shown_.clear();
    }
    context_.out.flush();
  }

  void end_line() {
    if (open_line_) context_.out << "\n";
    open_line_ = false;
  }

 private:
  static std::string words(AttemptTrace trace) {
    switch (trace) {
      case AttemptTrace::finished: return "has ended";
      case AttemptTrace::lost: return "is gone without a result";
      case AttemptTrace::unknown: return "cannot be seen any more";
      case AttemptTrace::absent:
      case AttemptTrace::voided:
      case AttemptTrace::running: return "has not begun";
    }
    return "has ended";
  }

  void heading(const Following& from, const std::string& stream) {
    const std::string now = from.attempt.token.value + " " + stream;
    if (now == shown_) return;
    end_line();
    const bool same = shown_.starts_with(from.attempt.token.value + " ");
    if (!same) context_.out << style_(Tone::bold, "── " + from.attempt.heading) << "\n";
    if (stream == "stderr") context_.out << style_(Tone::dim, "── standard error") << "\n";
    if (same && stream == "stdout") context_.out << style_(Tone::dim, "── standard output") << "\n";
    shown_ = now;
  }

  const Context& context_;
  Style style_;
  std::string shown_;  // attempt and stream printed last
  bool open_line_ = false;
};

// Whole lines; with `all`, or after a while, the unfinished one too. True when something came.
bool read_on(Following& from, Printer& printer, bool all) {
  bool any = false;
  for (Stream& stream : from.streams) {
    const std::string more = stream.file.more();
    if (!more.empty()) {
      any = true;
      stream.pending += more;
      stream.grew = Clock::now();
    }
    std::size_t length = stream.pending.find_last_of("\r\n");
    length = length == std::string::npos ? 0 : length + 1;
    if (all || Clock::now() - stream.grew > partial_after) length = stream.pending.size();
    if (length == 0) continue;
    printer.print(from, stream, stream.pending.substr(0, length));
    stream.pending.erase(0, length);
  }
  return any;
}

}  // namespace

Result<int> follow_output(const Context& context, ToFollow now, std::uint64_t tail_bytes,
                          const FollowHooks& hooks) {
  Printer printer(context);
  std::vector<Following> all;
  std::set<Token> known;
  const auto add = [&](std::vector<FollowedAttempt> attempts, std::uint64_t tail) {
    for (FollowedAttempt& attempt : attempts) {
      if (!known.insert(attempt.token).second) continue;
      Following following{std::move(attempt), {}, Clock::now()};
      for (const char* name : {"stdout", "stderr"}) {
        const std::filesystem::path path = following.attempt.folder / name;
        following.streams.push_back(
            {name, GrowingFile(path, first_byte(path, tail)), "", Clock::now()});
      }
      all.push_back(std::move(following));
    }
  };
  add(std::move(now.attempts), tail_bytes);
  Clock::time_point found = Clock::now();
  while (!all.empty() || now.more) {
    bool any = false;
    for (auto at = all.begin(); at != all.end();) {
      const AttemptTrace trace = hooks.look(at->attempt.token);
      const bool over = trace == AttemptTrace::absent ? Clock::now() - at->since > start_wait
                                                      : trace != AttemptTrace::running;
      any = read_on(*at, printer, false) || any;
      if (!over) {
        ++at;
        continue;
      }
      while (read_on(*at, printer, true)) {
      }
      printer.ended(*at, trace);
      at = all.erase(at);
      any = true;
    }
    if (hooks.interrupted()) {
      printer.end_line();
      return exit_interrupted;
    }
    if ((any && all.empty()) || Clock::now() - found > find_every) {
      CR_TRY(now, hooks.find());
      add(std::move(now.attempts), 0);
      found = Clock::now();
    }
    if (!any) std::this_thread::sleep_for(look_every);
  }
  return exit_ok;
}

}  // namespace checkride::cli
