#include "kernels/statistics/perf_compare_job.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"
#include "kernels/statistics/comparison.h"

namespace checkride::kernels::statistics {

namespace {

constexpr std::size_t files_max = 1024;
constexpr std::size_t side_bytes_max = 256u << 20;
// A report has to fit into what is kept of a job's output.
constexpr std::size_t cells_bytes_max = 36u << 10;

Result<std::vector<NamedSamples>> read_side(const json::object& inputs, std::string_view name,
                                            Sha256& digest) {
  const std::vector<std::string> paths = texts(inputs, name);
  if (paths.empty() || paths.size() > files_max)
    return fail(ErrorCode::invalid_argument, std::string(name) + " lists " +
                                                 std::to_string(paths.size()) +
                                                 " sample files; give 1 to 1024");
  std::vector<NamedSamples> all;
  std::size_t room = side_bytes_max;
  for (const std::string& path : paths) {
    CR_TRY(const std::string text, file_text(path, std::min(sample_file_bytes_max, room)));
    room -= text.size();
    digest.update(text);
    Result<SampleFile> file = samples_of(text);
    if (!file) return fail(file.error(), path);
    all.push_back({path, std::move(*file)});
  }
  return all;
}

Result<std::map<std::string, Margins>> margins_of(const json::object& inputs) {
  std::map<std::string, Margins> all;
  const json::value* found = inputs.if_contains("margins");
  if (found == nullptr || !found->is_object()) return all;
  for (const auto& [key, value] : found->get_object()) {
    const std::string metric(key.data(), key.size());
    const json::object given = value.is_object() ? value.get_object() : json::object();
    const Margins margins{number(given, "bad_pct", 1.0) / 100.0,
                          number(given, "ok_pct", 3.0) / 100.0};
    if (!(margins.bad > 0.0 && margins.bad < 1.0 && margins.ok > 0.0 && margins.ok < 10.0))
      return fail(ErrorCode::invalid_argument,
                  "margins of '" + metric + "' must lie above 0, bad_pct below 100");
    all[metric] = margins;
  }
  return all;
}

bool good(Verdict verdict) {
  return verdict == Verdict::not_regressed || verdict == Verdict::improved ||
         verdict == Verdict::not_suspect;
}

// The verdict that asks for most attention leads; where all are good, the first.
const Comparison& leading(const std::vector<Comparison>& all) {
  return *std::ranges::min_element(all, {}, &Comparison::verdict);
}

Result<void> write_text(JobReport& report, const std::filesystem::path& folder,
                        const std::vector<Comparison>& all) {
  std::string lines;
  for (const Comparison& one : all) lines += to_text(one) + "\n";
  CR_CHECK(write_file_atomic(folder / "comparison.txt", lines));
  report.artifacts.emplace_back("comparison.txt");
  return {};
}

// As many as there is room for, those that ask for most attention first: what a guard asks of all
// cells then holds for those left out, too.
void list_cells(const std::vector<Comparison>& all, json::object& fields) {
  std::vector<const Comparison*> order;
  for (const Comparison& one : all) order.push_back(&one);
  std::ranges::stable_sort(order, {}, [](const Comparison* one) { return one->verdict; });
  json::array cells;
  std::size_t room = cells_bytes_max;
  for (const Comparison* one : order) {
    json::object cell = to_json(*one);
    const std::size_t bytes = json::serialize(cell).size();
    if (bytes > room) break;
    room -= bytes;
    cells.push_back(std::move(cell));
  }
  fields["cells_judged"] = static_cast<std::int64_t>(all.size());
  fields["cells_left_out"] = static_cast<std::int64_t>(all.size() - cells.size());
  fields["cells"] = std::move(cells);
}

JobReport report_of_all(const std::vector<Comparison>& all) {
  JobReport report;
  report.status = Status::pass;
  const Comparison& lead = leading(all);
  report.fields = to_json(lead);
  std::set<std::string> reasons;
  std::size_t bad = 0;
  for (const Comparison& one : all) {
    if (good(one.verdict)) continue;
    ++bad;
    reasons.insert(one.reasons.begin(), one.reasons.end());
  }
  list_cells(all, report.fields);
  for (const std::string& reason : reasons) report.fail_with(reason);
  if (bad > 0) report.message = to_text(lead);
  if (bad > 1)
    report.message +=
        "; and " + std::to_string(bad - 1) + " more of " + std::to_string(all.size()) + " cells";
  return report;
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  Sha256 digest;
  CR_TRY(std::vector<NamedSamples> base, read_side(inputs, "base", digest));
  CR_TRY(std::vector<NamedSamples> cand, read_side(inputs, "cand", digest));
  CompareOptions options;
  CR_TRY(const std::string mode, choice(inputs, "mode", "blocks", {"blocks", "quick"}));
  options.quick = mode == "quick";
  CR_TRY(options.margins, margins_of(inputs));
  options.quantile = number(inputs, "quantile", 0.5);
  if (!(options.quantile > 0.0 && options.quantile < 1.0))
    return fail(ErrorCode::invalid_argument, "quantile must lie between 0 and 1");
  CR_TRY(const std::int64_t replicates,
         whole_within(inputs, "bootstrap_replicates", 0, 0, bootstrap_replicates_max));
  options.seed = request.seed;
  Backend backend = Backend::parse;
  if (replicates > 0) {
    CR_TRY(backend, choose_backend(request));
    const auto count = static_cast<std::uint32_t>(replicates);
    options.bootstrap = [&,
                         count](const BootstrapInput& input) -> Result<std::vector<std::uint32_t>> {
#ifdef CR_CUDA
      if (backend == Backend::cuda) return bootstrap_device(input, count);
#endif
      return bootstrap_host(input, count);
    };
  }
  CR_TRY(const std::vector<Comparison> all,
         compare(cells_of(std::move(base), std::move(cand)), options));
  JobReport report = report_of_all(all);
  report.backend = backend;
  report.perf_valid = std::ranges::all_of(all, &Comparison::perf_valid);
  report.inputs_sha256 = to_hex(digest.finish());
  CR_CHECK(write_text(report, request.folder, all));
  return report;
}

}  // namespace

Job perf_compare_job() {
  static const std::string result = "{" + std::string(comparison_fields) +
                                    ", cells_judged: int, cells_left_out: int, cells: list<{" +
                                    std::string(comparison_fields) + "}>}";
  Job job;
  job.name = "perf.compare";
  job.title = "whether a candidate's recorded samples regressed against a base's";
  job.inputs =
      "{base: list<path>, cand: list<path>, mode?: string, "
      "margins?: map<string, {bad_pct: double, ok_pct: double}>, "
      "quantile?: double, bootstrap_replicates?: int}";
  job.result = result;
  job.timeout = std::chrono::seconds(120);
  job.run = run;
  return job;
}

}  // namespace checkride::kernels::statistics
