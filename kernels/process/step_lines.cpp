#include "kernels/process/step_lines.h"

#include <re2/re2.h>

#include <charconv>
#include <cmath>

namespace checkride::kernels::process {

namespace {

// A number as programs print them, digits possibly grouped by commas; nothing for anything else.
std::optional<double> number_of(const re2::StringPiece& text) {
  std::string digits;
  for (const char c : text)
    if (c != ',') digits += c;
  double value = 0.0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0.0 || value > 1e15) return std::nullopt;
  return value;
}

}  // namespace

StepLines::StepLines(const StepOptions& options) : options_(options) {}
StepLines::StepLines(StepLines&&) noexcept = default;
StepLines::~StepLines() = default;

Result<StepLines> StepLines::create(const StepOptions& options) {
  if (options.regex.size() > regex_bytes_max)
    return fail(ErrorCode::invalid_argument, "work_regex is longer than 4096 bytes");
  StepLines lines(options);
  RE2::Options how;
  how.set_log_errors(false);
  how.set_encoding(RE2::Options::EncodingLatin1);
  lines.regex_ = std::make_unique<RE2>(options.regex, how);
  if (!lines.regex_->ok())
    return fail(ErrorCode::invalid_argument,
                "work_regex is no regular expression of RE2: " + lines.regex_->error());
  const auto& names = lines.regex_->NamedCapturingGroups();
  if (const auto step = names.find("step"); step != names.end()) lines.step_group_ = step->second;
  if (const auto samples = names.find("samples"); samples != names.end())
    lines.samples_group_ = samples->second;
  const bool unnamed = names.empty() && lines.regex_->NumberOfCapturingGroups() > 0;
  if (unnamed) lines.step_group_ = 1;
  if (options.warmup_steps == 0) lines.zero_ = Mark{};
  return lines;
}

void StepLines::feed(std::string_view bytes, double seconds) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\n\r");
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = line_bytes_max - line_.size();
    cut_ = cut_ || part.size() > room;
    line_ += part.substr(0, room);
    if (end == bytes.npos) return;
    line(seconds);
    bytes.remove_prefix(end + 1);
  }
}

void StepLines::end(double seconds) {
  if (!line_.empty()) line(seconds);
}

void StepLines::line(double seconds) {
  if (cut_) ++summary_.cut_lines;
  cut_ = false;
  const std::string text = std::exchange(line_, {});
  const int groups = regex_->NumberOfCapturingGroups() + 1;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups));
  if (!regex_->Match(text, 0, text.size(), RE2::UNANCHORED, found.data(), groups)) return;
  std::int64_t step = summary_.steps + 1;
  if (step_group_ > 0) {
    const auto number = number_of(found[static_cast<std::size_t>(step_group_)]);
    if (!number || *number != std::floor(*number)) {
      ++summary_.odd_lines;
      return;
    }
    step = static_cast<std::int64_t>(*number);
    // A progress bar prints its step again and again; one that goes back has begun anew.
    if (step == summary_.steps) return;
    if (step < summary_.steps) {
      ++summary_.odd_lines;
      return;
    }
  }
  double samples = static_cast<double>(step - summary_.steps) * options_.samples_per_step;
  if (samples_group_ > 0) {
    const auto number = number_of(found[static_cast<std::size_t>(samples_group_)]);
    if (!number) {
      ++summary_.odd_lines;
      return;
    }
    samples = *number;
  }
  step_done(step, samples, seconds);
}

void StepLines::step_done(std::int64_t step, double samples, double seconds) {
  summary_.steps = step;
  samples_ += samples;
  const Mark now{step, samples_, seconds};
  if (!zero_) {
    if (step < options_.warmup_steps) return;
    zero_ = last_ = now;
    return;
  }
  summary_.measured_steps = step - zero_->step;
  const double measured_s = seconds - zero_->seconds;
  if (measured_s <= 0.0) return;
  const double steps = static_cast<double>(summary_.measured_steps);
  summary_.samples_per_s = (samples_ - zero_->samples) / measured_s;
  summary_.wall_s_per_1k_steps = 1000.0 * measured_s / steps;
  end_interval(now);
}

// Lines that arrive together end one interval.
void StepLines::end_interval(const Mark& now) {
  std::vector<double>& rates = summary_.interval_samples_per_s;
  std::vector<double>& walls = summary_.interval_wall_s_per_1k_steps;
  const bool together = now.seconds <= last_.seconds;
  if (rates.size() >= interval_max || (together && rates.empty())) return;
  if (!together) {
    before_ = last_;
    rates.push_back(0.0);
    walls.push_back(0.0);
  }
  last_ = now;
  const double interval_s = now.seconds - before_.seconds;
  rates.back() = (now.samples - before_.samples) / interval_s;
  walls.back() = 1000.0 * interval_s / static_cast<double>(now.step - before_.step);
}

}  // namespace checkride::kernels::process
