// Progress read from what a program prints: a line that matches the pattern is a step done, at the
// moment it arrived. Measuring begins at the line that ends the warm-up, so that start-up and
// compilation are not in the figures. The pattern is RE2, whose time is linear in the line: output
// is not trusted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace re2 {
class RE2;
}

namespace checkride::kernels::process {

struct StepOptions {
  // Group `step` (or the first one without a name) is the number of the step where lines do not
  // come at every step; group `samples` is how many samples the line stands for.
  std::string regex;
  std::int64_t warmup_steps = 1;  // 0: measured from the start of the process
  double samples_per_step = 1.0;  // where there is no group `samples`
};

struct StepSummary {
  std::int64_t steps = 0;           // in all, the warm-up among them
  std::int64_t measured_steps = 0;  // after it
  std::optional<double> samples_per_s;
  std::optional<double> wall_s_per_1k_steps;
  // The same between one line and the next, at most interval_max of them.
  std::vector<double> interval_samples_per_s;
  std::vector<double> interval_wall_s_per_1k_steps;
  std::int64_t odd_lines = 0;  // matched, but with a number that is none or goes backwards
  std::int64_t cut_lines = 0;  // longer than line_bytes_max, looked at up to there
};

class StepLines {
 public:
  static constexpr std::size_t line_bytes_max = std::size_t{64} << 10;
  static constexpr std::size_t regex_bytes_max = 4096;
  static constexpr std::size_t interval_max = 100'000;

  // Error: invalid_argument for a pattern that is none.
  static Result<StepLines> create(const StepOptions& options);
  StepLines(StepLines&&) noexcept;
  ~StepLines();

  // Bytes in the order they came, `seconds` since the process started.
  void feed(std::string_view bytes, double seconds);
  // The end of output: what is left without an end of line is a line.
  void end(double seconds);
  const StepSummary& summary() const { return summary_; }

 private:
  struct Mark {
    std::int64_t step = 0;
    double samples = 0.0;
    double seconds = 0.0;
  };

  explicit StepLines(const StepOptions& options);
  void line(double seconds);
  void step_done(std::int64_t step, double samples, double seconds);
  void end_interval(const Mark& now);

  StepOptions options_;
  std::unique_ptr<re2::RE2> regex_;
  int step_group_ = 0;     // 0: none
  int samples_group_ = 0;  // 0: none
  std::string line_;
  bool cut_ = false;
  double samples_ = 0.0;      // up to the last line
  std::optional<Mark> zero_;  // where measuring began
  Mark last_;                 // the last line that ended an interval
  Mark before_;               // the line that began it
  StepSummary summary_;
};

}  // namespace checkride::kernels::process
