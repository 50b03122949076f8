// Foreign programs: shell, exec and notify; and the two small ones beside them, wait and note.
#include <cerrno>
#include <ctime>

#include "workflows/jobs/bounded.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace {

constexpr const char* process_result =
    "{exit_code: int, stdout: string, stderr: string, values: map<string, dyn>}";

// What shell and exec have in common: environment, folder, and how an end is read.
class ProgramKind : public JobKind {
 public:
  explicit ProgramKind(const KindText& text) : signature_(signature_of(text)) {}
  const JobSignature& signature() const override { return signature_; }

  JobOutcome finish(const JobSpec& spec, const ProcessEnd& end) const override {
    static_cast<void>(spec);
    if (end.signal || !end.exit_code)
      return not_completed(JobStatus::error, FailureClass::code,
                           end.signal ? "signal " + std::to_string(*end.signal) + " ended it"
                                      : "it ended without an exit code");
    if (!end.unmet.empty()) {
      std::string all;
      for (const std::string& sentence : end.unmet) all += (all.empty() ? "" : "; ") + sentence;
      return not_completed(JobStatus::fail, FailureClass::code, front_of(all, 2048));
    }
    cel::Map result;
    result.set("exit_code", *end.exit_code);
    result.set("stdout", end_of(end.stdout_tail, 16 << 10));
    result.set("stderr", end_of(end.stderr_tail, 16 << 10));
    result.set("values", cel::Value(end.values));
    return completed(std::move(result));
  }

 protected:
  static ProcessCommand command_for(const cel::Value& in, const JobContext& context) {
    ProcessCommand command;
    command.folder = path_of(in.string_or("cwd", "."), context.run_folder);
    command.input = in.string_or("input", "");
    const cel::Value* env = in.field("env");
    if (env != nullptr && env->kind() == cel::Kind::map)
      for (const auto& [name, value] : env->as_map())
        command.env.emplace_back(name.as_string(), value.as_string());
    return command;
  }

  static std::optional<Result<ProcessCommand>> checked(ProcessCommand command) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(command.folder, ignored))
      return Result<ProcessCommand>(
          fail(ErrorCode::not_found,
               "there is no folder " + command.folder.string() + " to run in; correct `cwd`"));
    return Result<ProcessCommand>(std::move(command));
  }

 private:
  JobSignature signature_;
};

class ShellKind final : public ProgramKind {
 public:
  ShellKind()
      : ProgramKind({"shell", "A script, values passed by env",
                     "{script: string, env?: map<string, string>, cwd?: string, shell?: string}",
                     process_result, Repeat::ask}) {}

  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext& context) const override {
    const cel::Value in(spec.inputs);
    ProcessCommand command = command_for(in, context);
    command.argv = {in.string_or("shell", "sh"), "-c", in.string_or("script", "")};
    return checked(std::move(command));
  }
};

class ExecKind final : public ProgramKind {
 public:
  ExecKind()
      : ProgramKind({"exec", "A program with its arguments, no shell between",
                     "{argv: list<string>, env?: map<string, string>, cwd?: string, "
                     "input?: string}",
                     process_result, Repeat::ask}) {}

  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext& context) const override {
    const cel::Value in(spec.inputs);
    ProcessCommand command = command_for(in, context);
    command.argv = strings(in, "argv");
    if (command.argv.empty())
      return Result<ProcessCommand>(
          fail(ErrorCode::invalid_argument, "argv is empty: name the program to run"));
    return checked(std::move(command));
  }
};

// A message to people through a program the definition names; without one it only stands in the
// log.
class NotifyKind final : public JobKind {
 public:
  NotifyKind()
      : signature_(signature_of({"notify", "Tell somebody, by a command that gets the message",
                                 "{message: string, command?: list<string>}",
                                 "{sent: bool, exit_code: int}", Repeat::safe})) {}
  const JobSignature& signature() const override { return signature_; }

  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext& context) const override {
    const cel::Value in(spec.inputs);
    ProcessCommand command;
    command.argv = strings(in, "command");
    if (command.argv.empty()) return std::nullopt;
    command.folder = context.run_folder;
    command.input = in.string_or("message", "") + "\n";
    command.env = {{"CHECKRIDE_MESSAGE", in.string_or("message", "")}};
    return Result<ProcessCommand>(std::move(command));
  }

  JobOutcome finish(const JobSpec& spec, const ProcessEnd& end) const override {
    static_cast<void>(spec);
    if (!end.exit_code || *end.exit_code != 0)
      return not_completed(JobStatus::fail, FailureClass::code,
                           "the message was not sent: " + end_of(end.stderr_tail, 500));
    return told(true);
  }

  JobOutcome run(const JobSpec& spec, const JobContext& context) const override {
    static_cast<void>(spec);
    static_cast<void>(context);
    return told(false);
  }

 private:
  static JobOutcome told(bool sent) {
    cel::Map result;
    result.set("sent", sent);
    result.set("exit_code", 0);
    return completed(std::move(result));
  }
  JobSignature signature_;
};

// A wait within one attempt, in a process of its own so that it can be cancelled; waits that must
// outlive a reboot exactly are a state's `after`.
Result<JobOutcome> wait(const JobSpec& spec, const JobContext& context) {
  static_cast<void>(context);
  CR_TRY(const Duration duration,
         parse_duration(cel::Value(spec.inputs).string_or("duration", "0s")));
  timespec left{static_cast<std::time_t>(duration.count() / 1'000'000'000),
                static_cast<long>(duration.count() % 1'000'000'000)};
  while (::nanosleep(&left, &left) != 0)
    if (errno != EINTR) return fail_errno("wait", "");
  cel::Map result;
  result.set("waited", duration);
  return completed(std::move(result));
}

Result<JobOutcome> note(const JobSpec& spec, const JobContext& context) {
  static_cast<void>(context);
  cel::Map result;
  result.set("text", front_of(cel::Value(spec.inputs).string_or("text", ""), 64 << 10));
  return completed(std::move(result));
}

}  // namespace

void add_process_kinds(JobCatalog& catalog) {
  catalog.add(std::make_unique<ShellKind>());
  catalog.add(std::make_unique<ExecKind>());
  catalog.add(std::make_unique<NotifyKind>());
  catalog.add(own_kind(
      {"wait", "Wait within one attempt", "{duration: string}", "{waited: duration}", Repeat::safe},
      wait));
  catalog.add(own_kind({"note", "Put a text in the history", "{text: string}", "{text: string}",
                        Repeat::safe, false},
                       note));
}

}  // namespace checkride::jobs
