#include "workflows/jobs/kind.h"

#include <exception>
#include <new>

#include "engine/base/assert.h"
#include "engine/cel/type.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

JobSignature signature_of(const KindText& text) {
  JobSignature signature;
  signature.name = text.name;
  signature.title = text.title;
  auto inputs = cel::parse_type(text.inputs);
  CR_ASSERT(inputs.has_value(), text.name, inputs ? "" : inputs.error().text());
  auto result = cel::parse_type(text.result);
  CR_ASSERT(result.has_value(), text.name, result ? "" : result.error().text());
  signature.inputs = *std::move(inputs);
  signature.result = *std::move(result);
  signature.repeat = text.repeat;
  signature.supervised = text.supervised;
  return signature;
}

JobOutcome outcome_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::unavailable:
      return not_completed(JobStatus::unavailable, FailureClass::unavailable, error.text());
    case ErrorCode::no_space:
      return not_completed(JobStatus::error, FailureClass::resource, error.text());
    case ErrorCode::timeout:
      return not_completed(JobStatus::error, FailureClass::timeout, error.text());
    case ErrorCode::io:
    case ErrorCode::locked:
      return not_completed(JobStatus::error, FailureClass::infra, error.text());
    default: return not_completed(JobStatus::error, FailureClass::code, error.text());
  }
}

namespace {

class OwnKind final : public JobKind {
 public:
  OwnKind(JobSignature promised, RunFunction function, LookAt look)
      : signature_(std::move(promised)), run_(function), look_(std::move(look)) {}

  const JobSignature& signature() const override { return signature_; }

  JobOutcome run(const JobSpec& spec, const JobContext& context) const override {
    return guarded(run_, spec, context);
  }
  std::optional<JobOutcome> look(const JobSpec& spec, const JobContext& context) const override {
    if (look_.function == nullptr) return std::nullopt;
    for (const std::string& path : look_.paths)
      if (!cel::Value(spec.inputs).string_or(path, "").starts_with('/')) return std::nullopt;
    return guarded(look_.function, spec, context);
  }

 private:
  JobOutcome guarded(RunFunction function, const JobSpec& spec, const JobContext& context) const {
    try {
      auto outcome = function(spec, context);
      if (!outcome) return outcome_of(outcome.error());
      if (!outcome->completed) return *std::move(outcome);
      if (cel::size_bytes(outcome->result) > result_bytes_max)
        return not_completed(JobStatus::error, FailureClass::resource,
                             signature_.name + ": the result is larger than the log may hold; " +
                                 "narrow its inputs");
      const auto fits = cel::conforms(outcome->result, signature_.result);
      CR_ASSERT(fits.has_value(), signature_.name, fits ? "" : fits.error().text());
      return *std::move(outcome);
    } catch (const std::bad_alloc&) {
      return not_completed(JobStatus::error, FailureClass::resource,
                           signature_.name + ": out of memory");
    } catch (const std::exception& problem) {
      return not_completed(JobStatus::error, FailureClass::infra,
                           signature_.name + ": " + problem.what());
    }
  }

  JobSignature signature_;
  RunFunction run_;
  LookAt look_;
};

}  // namespace

std::unique_ptr<JobKind> own_kind(const KindText& text, RunFunction run, LookAt look) {
  return std::make_unique<OwnKind>(signature_of(text), run, std::move(look));
}

std::vector<std::string> strings(const cel::Value& record, std::string_view field) {
  std::vector<std::string> all;
  const cel::Value* list = record.field(field);
  if (list == nullptr || list->kind() != cel::Kind::list) return all;
  for (const cel::Value& item : list->as_list())
    if (item.kind() == cel::Kind::string) all.push_back(item.as_string());
  return all;
}

fs::path path_of(const std::string& text, const fs::path& base) {
  const fs::path path(text);
  return path.is_absolute() ? path : base / path;
}

Result<fs::path> path_within(const std::string& text, const fs::path& base) {
  const fs::path path = fs::path(text).lexically_normal();
  if (text.empty() || path.is_absolute() || *path.begin() == "..")
    return fail(ErrorCode::invalid_argument,
                "'" + text + "' must be a path inside " + base.string());
  return base / path;
}

bool lies_within(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const fs::path inner = fs::weakly_canonical(path, ignored).lexically_normal();
  const fs::path outer = fs::weakly_canonical(folder, ignored).lexically_normal();
  if (inner.empty() || outer.empty()) return false;
  auto at = inner.begin();
  for (const fs::path& part : outer) {
    if (part.empty()) continue;  // a trailing slash
    if (at == inner.end() || *at != part) return false;
    ++at;
  }
  return true;
}

}  // namespace checkride::jobs
