#include "tests/unit/runners/test_kinds.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "engine/base/files.h"

namespace checkride {

namespace {

using cel::Type;

Type process_result() {
  return Type::record({{"exit_code", Type::integer(), true},
                       {"values", Type::map(Type::string(), Type::dyn()), false},
                       {"output", Type::string(), false},
                       {"unmet", Type::integer(), false}});
}

JobOutcome finish_process(const ProcessEnd& end) {
  cel::Map result;
  if (end.exit_code) result.set("exit_code", cel::Value(*end.exit_code));
  result.set("values", cel::Value(end.values));
  result.set("output", cel::Value(end.stdout_tail.substr(0, 4096)));
  result.set("unmet", cel::Value(static_cast<std::int64_t>(end.unmet.size())));
  return completed(std::move(result));
}

class Shell final : public JobKind {
 public:
  Shell() {
    signature_.name = "test.sh";
    signature_.inputs = Type::record({{"script", Type::string(), false},
                                      {"input", Type::string(), true},
                                      {"folder", Type::string(), true}});
    signature_.result = process_result();
  }
  const JobSignature& signature() const override { return signature_; }
  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext&) const override {
    const cel::Value inputs(spec.inputs);
    ProcessCommand command;
    command.argv = {"sh", "-c", inputs.string_or("script", "false")};
    command.input = inputs.string_or("input", "");
    command.folder = inputs.string_or("folder", spec.folder);
    return command;
  }
  JobOutcome finish(const JobSpec&, const ProcessEnd& end) const override {
    return finish_process(end);
  }

 private:
  JobSignature signature_;
};

class Program final : public JobKind {
 public:
  Program() {
    signature_.name = "test.exec";
    signature_.inputs = Type::record({{"argv", Type::list(Type::string()), false}});
    signature_.result = process_result();
  }
  const JobSignature& signature() const override { return signature_; }
  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext&) const override {
    const cel::Value* argv = spec.inputs.find(std::string_view("argv"));
    if (argv == nullptr || argv->as_list().empty())
      return Result<ProcessCommand>(fail(ErrorCode::unavailable, "no device for an empty program"));
    ProcessCommand command;
    for (const cel::Value& word : argv->as_list()) command.argv.push_back(word.as_string());
    command.folder = spec.folder;
    return command;
  }
  JobOutcome finish(const JobSpec&, const ProcessEnd& end) const override {
    return finish_process(end);
  }

 private:
  JobSignature signature_;
};

cel::Map echo_of(const cel::Value& value) {
  cel::Map result;
  result.set("echo", value);
  return result;
}

class Own final : public JobKind {
 public:
  Own() {
    signature_.name = "test.own";
    signature_.inputs =
        Type::record({{"do", Type::string(), false}, {"text", Type::string(), true}});
    signature_.result = Type::record({{"echo", Type::string(), false}});
  }
  const JobSignature& signature() const override { return signature_; }
  JobOutcome run(const JobSpec& spec, const JobContext& context) const override {
    const cel::Value inputs(spec.inputs);
    const std::string what = inputs.string_or("do", "");
    const std::string text = inputs.string_or("text", "");
    if (what == "throw") throw std::runtime_error("no reason");
    if (what == "abort") std::abort();
    if (what == "kill") ::raise(SIGKILL);
    if (what == "huge") return completed(echo_of(cel::Value(std::string(1 << 20, 'x'))));
    if (what == "misfit") return completed(echo_of(cel::Value(7)));
    if (what == "print") std::printf("%s\n", text.c_str());
    if (what == "token") return completed(echo_of(cel::Value(std::getenv("CHECKRIDE_TOKEN"))));
    if (what == "folder") return completed(echo_of(cel::Value(context.attempt_folder.native())));
    if (what == "skip") return not_completed(JobStatus::skipped, FailureClass::none, "not today");
    if (what == "hang")
      for (;;) ::pause();
    if (what == "children") [[maybe_unused]]
      const int started = std::system(text.c_str());
    JobOutcome outcome = completed(echo_of(cel::Value(text)));
    outcome.facts.push_back({"test.passed", echo_of(cel::Value(text))});
    return outcome;
  }

 private:
  JobSignature signature_;
};

class Inline final : public JobKind {
 public:
  Inline() {
    signature_.name = "test.inline";
    signature_.supervised = false;
    signature_.repeat = Repeat::safe;
    signature_.inputs = Type::record({{"do", Type::string(), false},
                                      {"text", Type::string(), true},
                                      {"fifo", Type::string(), true}});
    signature_.result = Type::record({{"echo", Type::string(), false}});
  }
  const JobSignature& signature() const override { return signature_; }
  JobOutcome run(const JobSpec& spec, const JobContext&) const override {
    const cel::Value inputs(spec.inputs);
    const std::string what = inputs.string_or("do", "");
    if (what == "throw") throw std::runtime_error("no reason");
    if (what == "misfit") return completed(echo_of(cel::Value(7)));
    if (what == "block") {
      // Until somebody writes to the fifo.
      const FileDescriptor fifo(::open(inputs.string_or("fifo", "").c_str(), O_RDONLY | O_CLOEXEC));
      char word = 0;
      [[maybe_unused]] const ssize_t got = ::read(fifo.get(), &word, 1);
    }
    return completed(echo_of(cel::Value(inputs.string_or("text", ""))));
  }

 private:
  JobSignature signature_;
};

}  // namespace

JobCatalog test_catalog() {
  JobCatalog catalog;
  catalog.add(std::make_unique<Shell>());
  catalog.add(std::make_unique<Program>());
  catalog.add(std::make_unique<Own>());
  catalog.add(std::make_unique<Inline>());
  return catalog;
}

}  // namespace checkride
