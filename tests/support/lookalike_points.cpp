// The integration points of the patches and the JSON forms that shell scripts and workflows read.
#include "engine/base/result.h"
#include "tests/support/lookalike.h"

namespace checkride::lookalike {
namespace {

#define HELPERS "simpletuner/helpers/"
constexpr std::string_view trainer = HELPERS "training/trainer.py";
constexpr std::string_view expected_package = "simpletuner.gh200";

using Kind = IntegrationPoint::Kind;

IntegrationPoint contains(std::size_t patch, std::string_view id, std::string_view what,
                          std::string_view file, std::string_view pattern) {
  return {patch_names.at(patch), id, what, Kind::contains, file, pattern, {}, {}};
}

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result + "\"";
}

template <class List>
std::string json_list(const List& list) {
  std::string result = "[";
  for (const auto& item : list) result += (result.size() > 1 ? ", " : "") + json_string(item);
  return result + "]";
}

}  // namespace

const std::vector<IntegrationPoint>& integration_points() {
  static const std::vector<IntegrationPoint> points = {
      contains(0, "01.1", "imports the three names of the package", trainer,
               R"((?s)^.*import \(?[^)]*gh200_uvm_enabled,\s+optimize_batch_for_gh200,\s+)"
               R"(set_uvm_hint_override)"),
      contains(0, "01.2", "defines the gradient ramp", trainer,
               R"((?m)^class GH200GradientRamp\b)"),
      contains(0, "01.3", "__init__ sets the ramp's attributes", trainer,
               R"((?s)def __init__\(self, config.*self\.gh200_ramp_scheduler = None\n\s+)"
               R"(self\._gh200_last_reported_ga = None\n)"),
      contains(0, "01.4", "calls the runtime configuration", trainer,
               R"((?m)^\s+self\._configure_gh200_runtime\(\))"),
      contains(0, "01.5", "defines the runtime configuration", trainer,
               R"((?m)^    def _configure_gh200_runtime\(self\):)"),
      contains(0, "01.6", "accumulation is set before the accumulate block", trainer,
               R"(self\._apply_dynamic_gradient_accumulation\(\)\s+with self\.accelerator\.)"
               R"(accumulate\()"),
      contains(0, "01.7", "the batch is optimised right after it is prepared", trainer,
               R"(= self\.prepare_batch\(.*\n\s+prepared_batch = )"
               R"(optimize_batch_for_gh200\(prepared_batch\))"),
      contains(0, "01.8a", "upstream's manual validation trigger is there", trainer,
               R"((?m)^    def register_manual_validation_trigger\()"),
      contains(0, "01.8b", "upstream's manual validation is asked for", trainer,
               R"((?m)^\s+self\._consume_manual_validation_request\(\))"),
      contains(0, "01.8c", "upstream's attention controller is applied and restored", trainer,
               R"((?s)self\.attention\.apply\(\).*self\.attention\.restore_default\(\))"),
      contains(1, "02.1", "the latent cache defines and calls its hook", HELPERS "caching/vae.py",
               R"((?s)self\._prepare_uvm_tensor\(.*def _prepare_uvm_tensor\()"),
      contains(1, "02.2", "the text cache defines and calls its hook",
               HELPERS "caching/text_embeds.py",
               R"((?s)self\._prepare_text_embed_tensor\(.*def _prepare_text_embed_tensor\()"),
      contains(2, "03.1", "defines set_raw_config", HELPERS "training/state_tracker.py",
               R"((?m)^    def set_raw_config\()"),
      contains(2, "03.2", "defines set_gh200_runtime_config", HELPERS "training/state_tracker.py",
               R"((?m)^    def set_gh200_runtime_config\()"),
      contains(3, "04.1", "the loader keeps the raw configuration",
               HELPERS "configuration/loader.py", R"(StateTracker\.set_raw_config\()"),
      contains(3, "04.2", "the JSON reader keeps the raw configuration",
               HELPERS "configuration/json_file.py", R"(StateTracker\.set_raw_config\()"),
      contains(4, "05.1", "the builder is registered", HELPERS "data_backend/builders/__init__.py",
               R"("in_memory":)"),
      contains(4, "05.2", "the builder is there", HELPERS "data_backend/builders/in_memory.py", ""),
      contains(4, "05.3", "the factory knows the backend", HELPERS "data_backend/factory.py",
               R"((?s)import GH200InMemoryBackend.*"in_memory")"),
      {patch_names[5],
       "06.1",
       "every import of the package finds its module",
       Kind::imports_resolve,
       {},
       {},
       expected_package,
       {trainer, HELPERS "caching/vae.py", HELPERS "caching/text_embeds.py",
        HELPERS "data_backend/builders/in_memory.py", HELPERS "data_backend/factory.py"}},
      contains(6, "07.1", "the guide names the upstream test", "documentation/GH200_TESTING.md",
               R"(test_upstream_features\.sh)"),
      contains(6, "07.2", "the guide names the GH200 test", "documentation/GH200_TESTING.md",
               R"(test_gh200_features\.sh)"),
      contains(6, "07.3", "the guide names the combined test", "documentation/GH200_TESTING.md",
               R"(test_combined_features\.sh)"),
  };
  return points;
}

std::string points_json() {
  std::string json = "[";
  for (const auto& point : integration_points()) {
    json += json.size() > 1 ? ",\n " : "\n ";
    json += "{\"patch\": " + json_string(point.patch) + ", \"id\": " + json_string(point.id) +
            ", \"what\": " + json_string(point.what);
    if (point.kind == Kind::contains)
      json += ", \"kind\": \"contains\", \"file\": " + json_string(point.file) +
              ", \"pattern\": " + json_string(point.pattern);
    else
      json += ", \"kind\": \"imports_resolve\", \"package\": " + json_string(point.package) +
              ", \"files\": " + json_list(point.files);
    json += "}";
  }
  return json + "\n]\n";
}

std::string lookalike_json(const Lookalike& place) {
  std::string json = "{\"fork\": " + json_string(place.fork.string()) +
                     ",\n \"upstream\": " + json_string(place.upstream.string()) +
                     ",\n \"fork_point\": " + json_string(place.fork_point) +
                     ",\n \"fork_head\": " + json_string(place.fork_head) +
                     ",\n \"patches\": " + json_list(patch_names) + ",\n \"commits\": {";
  for (const auto at : all_commits) {
    std::array<std::string_view, patch_names.size()> column;
    for (std::size_t i = 0; i < column.size(); ++i)
      column.at(i) = to_string(classes.at(i).at(static_cast<std::size_t>(at)));
    json += std::string(at == UpstreamCommit::base ? "" : ",") + "\n  " +
            json_string(to_string(at)) + ": {\"id\": " + json_string(place.commit(at)) +
            ", \"classes\": " + json_list(column) + "}";
  }
  return json + "}}\n";
}

}  // namespace checkride::lookalike
