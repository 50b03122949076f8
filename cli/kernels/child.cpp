#include "cli/kernels/child.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstring>
#include <iostream>
#include <iterator>
#include <new>

#include "cli/context.h"
#include "engine/base/pipe.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"

namespace checkride::cli {

namespace {

namespace json = kernels::json;
using kernels::JobReport;
using kernels::JobRequest;
using kernels::RunTimes;
using Clock = std::chrono::steady_clock;

constexpr std::size_t report_bytes_max = 4 << 20;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string text_of(const JobRequest& request) {
  json::object all;
  all["inputs"] = request.inputs;
  all["where"] = static_cast<std::int64_t>(request.where);
  all["seed"] = request.seed;
  all["folder"] = request.folder.string();
  return json::serialize(all);
}

Result<JobRequest> request_from(std::string_view text) {
  boost::system::error_code problem;
  const json::value value = json::parse({text.data(), text.size()}, problem);
  if (problem || !value.is_object())
    return fail(ErrorCode::invalid_argument,
                "kernel-job is how checkride runs a job itself; use `checkride kernel run`");
  const json::object& all = value.get_object();
  JobRequest request;
  request.inputs = all.at("inputs").as_object();
  request.where = static_cast<JobRequest::Where>(all.at("where").to_number<int>());
  request.seed = all.at("seed").to_number<std::uint64_t>();
  request.folder = std::string(all.at("folder").as_string());
  return request;
}

JobReport failed(std::string reason, std::string message) {
  JobReport report;
  report.reasons.push_back(std::move(reason));
  report.message = std::move(message);
  return report;
}

// Starts the child; it dies with its parent.
Result<pid_t> start(const kernels::Job& job, const FileDescriptor& input, const Pipe& output) {
  const std::string name(job.name);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start a process for", name);
  if (pid > 0) return pid;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  if (::dup2(input.get(), STDIN_FILENO) < 0 || ::dup2(output.write.get(), STDOUT_FILENO) < 0)
    ::_exit(127);
  ::execl("/proc/self/exe", "checkride", "kernel-job", name.c_str(), nullptr);
  ::_exit(127);
}

// Ctrl-C at a terminal reaches this process alone: what the child started is in the child's group.
volatile std::sig_atomic_t group_of_child = 0;
void end_with_child(int signal) {
  ::kill(-group_of_child, SIGKILL);
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

// All it says until its end, or what there is at the deadline.
std::string read_until(int fd, std::optional<Clock::time_point> deadline, bool& in_time) {
  std::string text;
  in_time = true;
  while (text.size() < report_bytes_max) {
    int wait_ms = -1;
    if (deadline) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - Clock::now()).count();
      in_time = left > 0;
      if (!in_time) return text;
      wait_ms = static_cast<int>(std::min<std::int64_t>(left + 1, 1 << 30));
    }
    pollfd ready{fd, POLLIN, 0};
    const int count = ::poll(&ready, 1, wait_ms);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) continue;
    char buffer[1 << 14];
    const ssize_t bytes = ::read(fd, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
  return text;
}

JobReport ended_without_report(int status, bool in_time,
                               std::optional<std::chrono::seconds> timeout) {
  if (!in_time)
    return failed("timeout",
                  "it ran longer than " + std::to_string(timeout->count()) +
                      " s; give it more with --timeout (in a procedure `timeout:`), or less to do");
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    return failed("killed", "somebody or the system killed it; is the machine out of memory?");
  if (WIFSIGNALED(status))
    return failed("crashed", "signal " + std::to_string(WTERMSIG(status)) + " (" +
                                 ::strsignal(WTERMSIG(status)) + ") ended it");
  return failed("no_report", "it ended with exit code " + std::to_string(WEXITSTATUS(status)) +
                                 " and no report");
}

}  // namespace

Result<json::object> run_in_child(const kernels::Job& job, const JobRequest& request,
                                  std::optional<std::chrono::seconds> timeout) {
  RunTimes times{now_ns(), 0};
  CR_TRY(const FileDescriptor input, input_file(text_of(request)));
  CR_TRY(Pipe output, make_pipe());
  CR_TRY(const pid_t pid, start(job, input, output));
  output.write.reset();
  group_of_child = pid;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, end_with_child);
  std::optional<Clock::time_point> deadline;
  if (timeout) deadline = Clock::now() + *timeout;
  bool in_time = true;
  const std::string text = read_until(output.read.get(), deadline, in_time);
  // Its group: what it started must not outlive it either.
  if (!in_time || text.size() >= report_bytes_max) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
  times.end_ns = now_ns();
  boost::system::error_code problem;
  json::value value = json::parse(text, problem);
  if (!problem && value.is_object() && in_time) return std::move(value.get_object());
  return envelope(job, request, ended_without_report(status, in_time, timeout), times);
}

json::object run_here(const kernels::Job& job, const JobRequest& request) {
  RunTimes times{now_ns(), 0};
  JobReport report;
  try {
    auto found = job.run(request);
    report = found ? *std::move(found) : kernels::report_of(found.error());
  } catch (const std::bad_alloc&) {
    report = failed("out_of_memory", "the host has not enough memory for it");
  } catch (const std::exception& problem) {
    report = failed("exception", problem.what());
  }
  times.end_ns = now_ns();
  return envelope(job, request, report, times);
}

int kernel_job(std::string_view name) {
  const kernels::Job* job = kernels::find_job(name);
  // Libraries may print; standard output is the report's alone.
  const FileDescriptor out(::dup(STDOUT_FILENO));
  if (job == nullptr || !out || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return exit_usage;
  const std::string text{std::istreambuf_iterator<char>(std::cin),
                         std::istreambuf_iterator<char>()};
  const auto request = request_from(text);
  if (!request) {
    std::cerr << "checkride: " << request.error().text() << "\n";
    return exit_usage;
  }
  const json::object report = run_here(*job, *request);
  const std::string line = json::serialize(report) + "\n";
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t bytes = ::write(out.get(), line.data() + written, line.size() - written);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return exit_engine;
    written += static_cast<std::size_t>(bytes);
  }
  return report.at("status") == "pass" ? exit_ok : exit_failed;
}

}  // namespace checkride::cli
