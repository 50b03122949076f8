#include "kernels/determinism/determinism_job.h"

#include <cstdio>
#include <optional>
#include <set>

#include "kernels/determinism/divergence.h"
#include "kernels/determinism/fresh_process.h"
#include "kernels/determinism/load.h"
#include "kernels/hash/position_hash.h"
#include "kernels/job/inputs.h"
#include "kernels/subjects/named.h"
#ifdef CR_CUDA
#include "kernels/hash/device_hash.h"
#endif

namespace checkride::kernels {

namespace {

using determinism::Divergence;

// Each costs a copy of the output to the host and a look at every element.
constexpr int outputs_compared_max = 8;
constexpr std::chrono::seconds second_process_timeout{120};

Result<std::uint64_t> hash_of(Subject& subject) {
#ifdef CR_CUDA
  if (subject.backend() == Backend::cuda && subject.output_address() != nullptr)
    return device_hash(subject.output_address(), subject.output_bytes(), nullptr);
#endif
  CR_TRY(const std::vector<std::byte> output, subject.output());
  return position_hash(output);
}

Result<std::uint64_t> one_run(Subject& subject, int set, determinism::Load* beside) {
  CR_CHECK(subject.poison());
  if (beside != nullptr) CR_CHECK(beside->start());
  CR_CHECK(subject.launch(nullptr, set));
  if (beside != nullptr) CR_CHECK(beside->finish());
  return hash_of(subject);
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

Result<std::unique_ptr<Subject>> subject_with_output(const JobRequest& request) {
  CR_TRY(std::unique_ptr<Subject> subject, named_subject(request));
  if (subject->output_bytes() == 0)
    return fail(ErrorCode::invalid_argument,
                "'" + text(request.inputs, "subject") + "' has no output to compare");
  return subject;
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(const std::int64_t runs, whole_within(inputs, "runs", 100, 2, 100'000));
  const bool perturb = flag(inputs, "perturb", true);
  // Before this process touches the device, so that the child starts from nothing.
  std::optional<std::uint64_t> elsewhere;
  if (flag(inputs, "cross_process", true)) {
    const auto work = [&request]() -> Result<std::uint64_t> {
      CR_TRY(const std::unique_ptr<Subject> subject, subject_with_output(request));
      return one_run(*subject, 0, nullptr);
    };
    CR_TRY(elsewhere, determinism::in_fresh_process(work, second_process_timeout));
  }

  CR_TRY(const std::unique_ptr<Subject> subject, subject_with_output(request));
  std::unique_ptr<determinism::Load> load;
  if (perturb) {
    CR_TRY(load, determinism::load_on(subject->backend()));
  }
  CR_TRY(const std::uint64_t first_hash, one_run(*subject, 0, nullptr));
  CR_TRY(std::vector<std::byte> first, subject->output());
  Divergence divergence(std::move(first), subject->element_bytes());
  std::set<std::uint64_t> hashes{first_hash};
  std::optional<std::int64_t> first_divergent;
  int compared = 0;
  for (std::int64_t i = 1; i < runs; ++i) {
    const bool perturbed = perturb && i % 2 == 1;
    const int set = perturbed ? static_cast<int>(i / 2 % subject->input_sets()) : 0;
    CR_TRY(const std::uint64_t hash, one_run(*subject, set, perturbed ? load.get() : nullptr));
    hashes.insert(hash);
    if (hash == first_hash) continue;
    if (!first_divergent) first_divergent = i;
    if (compared++ >= outputs_compared_max) continue;
    CR_TRY(const std::vector<std::byte> other, subject->output());
    divergence.add(other);
  }

  JobReport report;
  report.status = Status::pass;
  report.backend = subject->backend();
  const std::int64_t unwritten = divergence.poisoned_elements();
  report.fields = {{"subject", text(inputs, "subject")},
                   {"runs", runs},
                   {"perturbed_runs", perturb ? runs / 2 : 0},
                   {"unique_hashes", static_cast<std::int64_t>(hashes.size())},
                   {"first_divergent_run",
                    first_divergent ? json::value(*first_divergent) : json::value(nullptr)},
                   {"diverging_elements", divergence.diverging_elements()},
                   {"max_ulp_between_runs", divergence.max_steps()},
                   {"cross_process_equal",
                    elsewhere ? json::value(*elsewhere == first_hash) : json::value(nullptr)},
                   {"hash_first", hex(first_hash)},
                   {"elements", divergence.elements()},
                   {"output_bytes", static_cast<std::int64_t>(subject->output_bytes())},
                   {"unwritten", unwritten}};
  if (hashes.size() > 1) {
    report.fail_with("nondeterministic");
    report.message = std::to_string(hashes.size()) + " different outputs in " +
                     std::to_string(runs) + " runs; run " + std::to_string(*first_divergent) +
                     " is the first that differs";
  }
  if (elsewhere && *elsewhere != first_hash) {
    report.fail_with("differs_between_processes");
    report.message = "a second process computed another output";
  }
  if (unwritten == divergence.elements()) {
    report.fail_with("nothing_written");
    report.message = "the subject wrote nothing over the poisoned output";
  }
  return report;
}

}  // namespace

Job determinism_job() {
  Job job;
  job.name = "determinism";
  job.title = "whether repeated runs give the same bits";
  job.inputs =
      "{subject: string, subject_inputs?: dyn, runs?: int, perturb?: bool, cross_process?: bool}";
  job.result =
      "{subject: string, runs: int, perturbed_runs: int, unique_hashes: int, "
      "first_divergent_run?: int, diverging_elements: int, max_ulp_between_runs: int, "
      "cross_process_equal?: bool, hash_first: string, elements: int, output_bytes: int, "
      "unwritten: int}";
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
