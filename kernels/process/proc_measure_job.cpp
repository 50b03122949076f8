#include "kernels/process/proc_measure_job.h"

#include <unistd.h>

#include <boost/json/value.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "engine/base/digest.h"
#include "kernels/job/inputs.h"
#include "kernels/process/child.h"
#include "kernels/process/gpu_watch.h"
#include "kernels/process/step_lines.h"
#include "kernels/statistics/samples.h"

namespace checkride::kernels::process {

namespace {

constexpr std::int64_t log_bytes_max = 16 << 20;
constexpr std::size_t tail_bytes_max = 2048;

// The first log_bytes_max bytes of output go to a file, the last few stay in memory.
class OutputLog {
 public:
  static Result<OutputLog> open(const std::filesystem::path& path) {
    OutputLog log;
    log.file_.reset(std::fopen(path.c_str(), "we"));
    if (!log.file_) return fail_errno("write", path.string());
    return log;
  }

  void add(std::string_view bytes) {
    const auto room = static_cast<std::size_t>(std::max<std::int64_t>(0, log_bytes_max - bytes_));
    const std::string_view kept = bytes.substr(0, room);
    if (std::fwrite(kept.data(), 1, kept.size(), file_.get()) != kept.size()) whole_ = false;
    bytes_ += static_cast<std::int64_t>(bytes.size());
    tail_ += bytes.substr(bytes.size() - std::min(bytes.size(), tail_bytes_max));
    if (tail_.size() > tail_bytes_max) tail_.erase(0, tail_.size() - tail_bytes_max);
  }

  Result<void> close() {
    const bool failed = std::fclose(file_.release()) != 0 || !whole_;
    if (failed) return fail(ErrorCode::io, "output.log could not be written in whole");
    return {};
  }

  std::int64_t bytes() const { return bytes_; }
  // Printable ASCII; other bytes become '?', for a report is JSON.
  std::string tail() const {
    std::string text = tail_;
    for (char& c : text)
      if (c != '\n' && c != '\t' && (c < 0x20 || c > 0x7e)) c = c == '\r' ? '\n' : '?';
    return text;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::int64_t bytes_ = 0;
  bool whole_ = true;
  std::string tail_;
};

Result<ChildOptions> child_options(const json::object& inputs) {
  ChildOptions options;
  options.argv = texts(inputs, "argv");
  const bool script = has(inputs, "script");
  if (options.argv.empty() != script)
    return fail(ErrorCode::invalid_argument, "give either argv or script");
  if (script) options.argv = {"/bin/sh", "-eu", "-c", text(inputs, "script")};
  options.folder = text(inputs, "cwd");
  // What is written into a pipe would otherwise arrive in blocks, and times with it.
  options.env["PYTHONUNBUFFERED"] = "1";
  if (const json::value* env = inputs.if_contains("env"); env != nullptr && env->is_object())
    for (const auto& [name, value] : env->get_object())
      if (value.is_string())
        options.env[std::string(name.data(), name.size())] =
            std::string(value.get_string().data(), value.get_string().size());
  const double timeout_s = number(inputs, "timeout_s", 3600.0);
  if (!(timeout_s > 0.0 && timeout_s <= 86'400.0))
    return fail(ErrorCode::invalid_argument, "timeout_s must lie above 0 and be at most 86400");
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(1000.0 * timeout_s));
  return options;
}

Result<StepOptions> step_options(const json::object& inputs) {
  StepOptions options;
  options.regex = text(inputs, "work_regex");
  CR_TRY(options.warmup_steps, whole_within(inputs, "warmup_steps", 1, 0, 1'000'000'000));
  options.samples_per_step = number(inputs, "samples_per_step", 1.0);
  if (!(options.samples_per_step > 0.0 && options.samples_per_step <= 1e9))
    return fail(ErrorCode::invalid_argument, "samples_per_step must lie above 0");
  return options;
}

json::value value_of(const std::optional<double>& value) {
  return value ? finite(*value) : json::value(nullptr);
}

json::value bytes_of(const std::optional<std::uint64_t>& value) {
  return value ? json::value(static_cast<std::int64_t>(*value)) : json::value(nullptr);
}

// What makes two measurements comparable as far as it can be known from outside: the machine.
std::map<std::string, std::string> conditions(const JobRequest& request) {
  std::map<std::string, std::string> all;
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  all["host"] = host;
  all["cpus"] = std::to_string(std::thread::hardware_concurrency());
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  all["visible_devices"] = visible == nullptr ? "all" : visible;
  all["timing_mode"] = "process";
  all["device_uuid"] = "";
  for (const char* name : {"shape", "dtype", "inputs_sha256", "driver"}) all[name] = "";
  const json::value* given = request.inputs.if_contains("conditions");
  if (given != nullptr && given->is_object())
    for (const auto& [name, value] : given->get_object())
      if (value.is_string())
        all[std::string(name.data(), name.size())] =
            std::string(value.get_string().data(), value.get_string().size());
  return all;
}

struct Measured {
  ChildEnd end;
  StepSummary steps;
  GpuUse gpu;
};

// One sample file for each metric that was found, a block each, for perf.compare.
Result<void> write_sample_files(const JobRequest& request, const Measured& measured,
                                JobReport& report) {
  using statistics::Direction;
  const auto write = [&](const char* metric, const char* unit, Direction direction,
                         std::vector<double> samples) -> Result<void> {
    if (samples.empty()) return {};
    statistics::SampleFile file;
    file.metric = metric;
    file.unit = unit;
    file.direction = direction;
    file.cell = text(request.inputs, "cell");
    file.conditions = conditions(request);
    file.conditions["device_uuid"] = measured.gpu.device_uuid;
    file.perf_valid = true;
    file.blocks.push_back({std::move(samples), {}, 0, 0});
    const std::string name = std::string(metric) + ".samples.json";
    CR_CHECK(statistics::write_samples(request.folder / name, file));
    report.artifacts.push_back(name);
    return {};
  };
  const auto one = [](const std::optional<std::uint64_t>& value) {
    return value ? std::vector<double>{static_cast<double>(*value)} : std::vector<double>{};
  };
  CR_CHECK(write("samples_per_s", "samples/s", Direction::higher_is_better,
                 measured.steps.interval_samples_per_s));
  CR_CHECK(write("wall_s_per_1k_steps", "s", Direction::lower_is_better,
                 measured.steps.interval_wall_s_per_1k_steps));
  CR_CHECK(write("peak_rss_bytes", "bytes", Direction::lower_is_better,
                 one(measured.end.peak_rss_bytes)));
  return write("peak_hbm_bytes", "bytes", Direction::lower_is_better,
               one(measured.gpu.peak_hbm_bytes));
}

void fill(JobReport& report, const Measured& measured, const OutputLog& log) {
  json::object& fields = report.fields;
  fields["samples_per_s"] = value_of(measured.steps.samples_per_s);
  fields["wall_s_per_1k_steps"] = value_of(measured.steps.wall_s_per_1k_steps);
  fields["steps"] = measured.steps.steps;
  fields["measured_steps"] = measured.steps.measured_steps;
  fields["odd_lines"] = measured.steps.odd_lines;
  fields["cut_lines"] = measured.steps.cut_lines;
  fields["exit_code"] = measured.end.exit_code;
  fields["signal"] = measured.end.signal;
  fields["timed_out"] = measured.end.timed_out;
  fields["wall_s"] = measured.end.wall_s;
  fields["cpu_s"] = measured.end.cpu_s;
  fields["peak_rss_bytes"] = static_cast<std::int64_t>(measured.end.peak_rss_bytes);
  fields["peak_hbm_bytes"] = bytes_of(measured.gpu.peak_hbm_bytes);
  fields["gpu_util_pct_mean"] = value_of(measured.gpu.util_pct_mean);
  fields["output_bytes"] = log.bytes();
  fields["output_truncated"] = log.bytes() > log_bytes_max;
  fields["output_tail"] = log.tail();
}

// The first thing that is wrong gives the message.
void judge(JobReport& report, const Measured& measured, bool wants_steps) {
  const ChildEnd& end = measured.end;
  report.status = Status::pass;
  const auto wrong = [&](const char* reason, std::string message) {
    report.fail_with(reason);
    if (report.message.empty()) report.message = std::move(message);
  };
  if (end.timed_out)
    wrong("timeout", "the command was ended after its timeout_s; see output.log");
  else if (end.signal != 0)
    wrong("killed",
          "the command was killed by signal " + std::to_string(end.signal) + "; see output.log");
  else if (end.exit_code != 0)
    wrong("exit_code",
          "the command ended with exit code " + std::to_string(end.exit_code) + "; see output.log");
  if (wants_steps && measured.steps.steps == 0)
    wrong("no_steps", "no line of the output matches work_regex; see output.log");
  else if (wants_steps && !measured.steps.samples_per_s)
    wrong("too_few_steps",
          "there is no second step line after the warm-up; run more steps or lower warmup_steps");
}

Result<JobReport> run(const JobRequest& request) {
  CR_TRY(ChildOptions options, child_options(request.inputs));
  CR_TRY(const StepOptions step, step_options(request.inputs));
  const bool wants_steps = !step.regex.empty();
  CR_TRY(StepLines steps, StepLines::create(step));
  CR_TRY(OutputLog log, OutputLog::open(request.folder / "output.log"));
  GpuWatch gpu;
  options.on_output = [&](std::string_view bytes, double seconds) {
    log.add(bytes);
    if (wants_steps) steps.feed(bytes, seconds);
  };
  options.on_tick = [&](const std::set<int>& pids) { gpu.look(pids); };
  Measured measured;
  CR_TRY(measured.end, run_child(options));
  if (wants_steps) steps.end(measured.end.wall_s);
  CR_CHECK(log.close());
  measured.steps = steps.summary();
  measured.gpu = gpu.use();
  JobReport report;
  report.artifacts.emplace_back("output.log");
  judge(report, measured, wants_steps);
  fill(report, measured, log);
  if (report.status == Status::pass) CR_CHECK(write_sample_files(request, measured, report));
  return report;
}

}  // namespace

Job proc_measure_job() {
  Job job;
  job.name = "proc.measure";
  job.title = "a command: its steps per second, memory, exit code, and samples to compare";
  job.inputs =
      "{argv?: list<string>, script?: string, cwd?: path, env?: map<string, string>, "
      "work_regex?: string, warmup_steps?: int, samples_per_step?: double, timeout_s?: double, "
      "cell?: string, conditions?: map<string, string>}";
  job.result =
      "{samples_per_s?: double, wall_s_per_1k_steps?: double, steps: int, measured_steps: int, "
      "odd_lines: int, cut_lines: int, exit_code: int, signal: int, timed_out: bool, "
      "wall_s: double, cpu_s: double, peak_rss_bytes: int, peak_hbm_bytes?: int, "
      "gpu_util_pct_mean?: double, output_bytes: int, output_truncated: bool, "
      "output_tail: string}";
  job.timeout = std::chrono::seconds(86'400 + 60);
  job.run = run;
  return job;
}

}  // namespace checkride::kernels::process
