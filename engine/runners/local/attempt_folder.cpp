#include "engine/runners/local/attempt_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "engine/base/files.h"
#include "engine/runners/local/value_json.h"

namespace checkride {

namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t format_version = 1;

// Reads the fields of one JSON object; the first field that is absent or of another kind is kept as
// the error, so that callers read all fields plainly and ask once.
class Fields {
 public:
  Fields(const json::value& json, std::string_view what) : what_(what) {
    if (json.is_object())
      object_ = &json.get_object();
    else
      complain("is no object");
  }

  std::string text(std::string_view name) {
    const json::value* field = find(name);
    if (field == nullptr) return {};
    if (!field->is_string()) return complain(name), std::string();
    return {field->get_string().data(), field->get_string().size()};
  }
  std::int64_t integer(std::string_view name) {
    const json::value* field = find(name);
    if (field == nullptr) return 0;
    if (!field->is_int64()) return complain(name), 0;
    return field->get_int64();
  }
  // Fields that a file of an older version does not have.
  bool has(std::string_view name) const {
    return object_ != nullptr && object_->contains({name.data(), name.size()});
  }
  std::optional<std::int64_t> maybe_integer(std::string_view name) {
    const json::value* field = find(name);
    if (field == nullptr || field->is_null()) return std::nullopt;
    return integer(name);
  }
  // Above int64's range a number is stored as its negative two's complement twin; see `number()`.
  std::uint64_t unsigned_integer(std::string_view name) {
    return static_cast<std::uint64_t>(integer(name));
  }
  bool boolean(std::string_view name) {
    const json::value* field = find(name);
    if (field == nullptr) return false;
    if (!field->is_bool()) return complain(name), false;
    return field->get_bool();
  }
  const json::array& array(std::string_view name) {
    static const json::array none;
    const json::value* field = find(name);
    if (field == nullptr) return none;
    if (!field->is_array()) return complain(name), none;
    return field->get_array();
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> list;
    for (const json::value& item : array(name)) {
      if (!item.is_string()) return complain(name), list;
      list.emplace_back(item.get_string().data(), item.get_string().size());
    }
    return list;
  }
  cel::Value value(std::string_view name) {
    const json::value* field = find(name);
    if (field == nullptr) return {};
    auto value = value_from_json(*field);
    if (!value) return complain(name), cel::Value();
    return *std::move(value);
  }
  cel::Map map(std::string_view name) {
    const cel::Value held = value(name);
    if (held.kind() != cel::Kind::map) return complain(name), cel::Map();
    return held.as_map();
  }
  const json::value& raw(std::string_view name) {
    static const json::value none;
    const json::value* field = find(name);
    return field == nullptr ? none : *field;
  }
  // Takes over a complaint about a part.
  void merge(const Fields& part) {
    if (problem_.empty()) problem_ = part.problem_;
  }
  void complain(std::string_view about) {
    if (problem_.empty()) problem_ = std::string(what_) + ": " + std::string(about);
  }
  Result<void> finish() const {
    if (problem_.empty()) return {};
    return fail(ErrorCode::corrupt, "damaged or missing field, " + problem_);
  }

 private:
  const json::value* find(std::string_view name) {
    if (object_ == nullptr) return nullptr;
    const json::value* field = object_->if_contains({name.data(), name.size()});
    if (field == nullptr) complain(name);
    return field;
  }
  std::string_view what_;
  const json::object* object_ = nullptr;
  std::string problem_;
};

json::value number(std::uint64_t n) {
  return static_cast<std::int64_t>(n);
}

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const std::string& item : list) array.push_back(json::string(item));
  return array;
}

json::value maybe(const std::optional<std::int64_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::array rules_json(const std::vector<ParseRule>& rules) {
  json::array array;
  for (const ParseRule& rule : rules)
    array.push_back(json::object{{"name", rule.name},
                                 {"type", cel::to_string(rule.type)},
                                 {"regex", rule.regex},
                                 {"file", rule.file},
                                 {"pointer", rule.pointer}});
  return array;
}

std::vector<ParseRule> rules_from(Fields& spec) {
  std::vector<ParseRule> rules;
  for (const json::value& item : spec.array("parse")) {
    Fields fields(item, "parse");
    ParseRule rule;
    rule.name = fields.text("name");
    rule.regex = fields.text("regex");
    rule.file = fields.text("file");
    rule.pointer = fields.text("pointer");
    auto type = cel::parse_type(fields.text("type"));
    if (type)
      rule.type = *type;
    else
      fields.complain("type");
    spec.merge(fields);
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

std::string spec_to_json(const JobSpec& spec) {
  json::array exit_codes;
  for (const std::int64_t code : spec.expect.exit_codes) exit_codes.push_back(code);
  json::object object{
      {"checkride_spec", format_version},
      {"token", spec.token.value},
      {"run", spec.run.value},
      {"root", spec.root.value},
      {"state", spec.state},
      {"kind", spec.kind},
      {"kind_version", static_cast<std::int64_t>(spec.kind_version)},
      {"inputs", value_to_json(cel::Value(spec.inputs))},
      {"exit_codes", std::move(exit_codes)},
      {"log_contains", texts(spec.expect.log_contains)},
      {"log_lacks", texts(spec.expect.log_lacks)},
      {"files", texts(spec.expect.files)},
      {"parse", rules_json(spec.parse)},
      {"run_timeout_ns", spec.limits.run_timeout ? json::value(spec.limits.run_timeout->count())
                                                 : json::value(nullptr)},
      {"grace_ns", spec.limits.grace.count()},
      {"output_bytes_max", number(spec.limits.output_bytes_max)},
      {"secrets", texts(spec.secrets)},
      {"folder", spec.folder}};
  const auto limit = [&](const char* name, const std::optional<Duration>& value) {
    if (value) object[name] = value->count();
  };
  limit("queue_timeout_ns", spec.limits.queue_timeout);
  limit("start_timeout_ns", spec.limits.start_timeout);
  limit("silence_timeout_ns", spec.limits.silence_timeout);
  if (!spec.needs.units.empty()) {
    json::object units;
    for (const auto& [resource, count] : spec.needs.units) units[resource] = count;
    object["needs"] = std::move(units);
  }
  if (spec.needs.exclusive) object["exclusive"] = true;
  if (!spec.leased.empty()) {
    json::array leased;
    for (const LeasedUnit& unit : spec.leased)
      leased.push_back(json::object{{"resource", unit.resource}, {"unit", unit.name}});
    object["leased"] = std::move(leased);
  }
  return json::serialize(object);
}

Result<JobSpec> spec_from_json(std::string_view text) {
  CR_TRY(const json::value parsed, parse_json(text));
  Fields fields(parsed, "spec");
  if (fields.integer("checkride_spec") != format_version) fields.complain("version");
  JobSpec spec;
  spec.token = Token(fields.text("token"));
  spec.run = RunId(fields.text("run"));
  spec.root = RunId(fields.text("root"));
  spec.state = fields.text("state");
  spec.kind = fields.text("kind");
  spec.kind_version = static_cast<std::uint32_t>(fields.integer("kind_version"));
  spec.inputs = fields.map("inputs");
  spec.expect.exit_codes.clear();
  for (const json::value& code : fields.array("exit_codes")) {
    if (!code.is_int64()) fields.complain("exit_codes");
    spec.expect.exit_codes.push_back(code.is_int64() ? code.get_int64() : 0);
  }
  spec.expect.log_contains = fields.texts("log_contains");
  spec.expect.log_lacks = fields.texts("log_lacks");
  spec.expect.files = fields.texts("files");
  spec.parse = rules_from(fields);
  if (const auto timeout = fields.maybe_integer("run_timeout_ns"))
    spec.limits.run_timeout = Duration(*timeout);
  spec.limits.grace = Duration(fields.integer("grace_ns"));
  spec.limits.output_bytes_max = fields.unsigned_integer("output_bytes_max");
  spec.secrets = fields.texts("secrets");
  spec.folder = fields.text("folder");
  const auto limit = [&](std::string_view name, std::optional<Duration>& value) {
    if (fields.has(name)) value = Duration(fields.integer(name));
  };
  limit("queue_timeout_ns", spec.limits.queue_timeout);
  limit("start_timeout_ns", spec.limits.start_timeout);
  limit("silence_timeout_ns", spec.limits.silence_timeout);
  if (fields.has("needs")) {
    const json::value& units = fields.raw("needs");
    if (!units.is_object()) fields.complain("needs");
    for (const auto& unit : units.is_object() ? units.get_object() : json::object()) {
      if (!unit.value().is_int64() || unit.value().get_int64() < 0 ||
          unit.value().get_int64() > UINT32_MAX)
        fields.complain("needs");
      else
        spec.needs.units[std::string(unit.key())] =
            static_cast<std::uint32_t>(unit.value().get_int64());
    }
  }
  if (fields.has("exclusive")) spec.needs.exclusive = fields.boolean("exclusive");
  if (fields.has("leased"))
    for (const json::value& item : fields.array("leased")) {
      Fields part(item, "leased");
      spec.leased.push_back(LeasedUnit{part.text("resource"), part.text("unit")});
      fields.merge(part);
    }
  CR_CHECK(fields.finish());
  return spec;
}

std::string identity_to_json(const ProcessIdentity& identity) {
  json::object object{{"checkride_identity", format_version},
                      {"host", identity.host},
                      {"boot_id", identity.boot_id},
                      {"pid", identity.pid},
                      {"start_ticks", number(identity.start_ticks)},
                      {"job_pid", identity.job_pid},
                      {"job_start_ticks", number(identity.job_start_ticks)},
                      {"started_ns", identity.started.ns}};
  return json::serialize(object);
}

Result<ProcessIdentity> identity_from_json(std::string_view text) {
  CR_TRY(const json::value parsed, parse_json(text));
  Fields fields(parsed, "identity");
  if (fields.integer("checkride_identity") != format_version) fields.complain("version");
  ProcessIdentity identity;
  identity.host = fields.text("host");
  identity.boot_id = fields.text("boot_id");
  identity.pid = fields.integer("pid");
  identity.start_ticks = fields.unsigned_integer("start_ticks");
  identity.job_pid = fields.integer("job_pid");
  identity.job_start_ticks = fields.unsigned_integer("job_start_ticks");
  identity.started = Timestamp{fields.integer("started_ns")};
  CR_CHECK(fields.finish());
  return identity;
}

std::string outcome_to_json(const Token& token, const JobOutcome& outcome) {
  json::array artifacts;
  for (const Artifact& artifact : outcome.artifacts)
    artifacts.push_back(json::object{{"name", artifact.name},
                                     {"sha256", to_hex(artifact.digest)},
                                     {"bytes", number(artifact.bytes)}});
  json::array facts;
  for (const JobFact& fact : outcome.facts)
    facts.push_back(
        json::object{{"type", fact.type}, {"fields", value_to_json(cel::Value(fact.fields))}});
  json::object object{{"checkride_outcome", format_version},
                      {"token", token.value},
                      {"status", std::string(to_string(outcome.status))},
                      {"failure", std::string(to_string(outcome.failure))},
                      {"completed", outcome.completed},
                      {"cancelled", outcome.cancelled},
                      {"never_started", outcome.never_started},
                      {"result", value_to_json(outcome.result)},
                      {"message", outcome.message},
                      {"exit_code", maybe(outcome.exit_code)},
                      {"signal", maybe(outcome.signal)},
                      {"artifacts", std::move(artifacts)},
                      {"facts", std::move(facts)},
                      {"started_ns", outcome.started.ns},
                      {"ended_ns", outcome.ended.ns}};
  if (outcome.limit != TimeLimit::none) object["limit"] = std::string(to_string(outcome.limit));
  return json::serialize(object);
}

Result<JobOutcome> outcome_from_json(const Token& token, std::string_view text) {
  CR_TRY(const json::value parsed, parse_json(text));
  Fields fields(parsed, "outcome");
  if (fields.integer("checkride_outcome") != format_version) fields.complain("version");
  if (fields.text("token") != token.value) fields.complain("token of another attempt");
  JobOutcome outcome;
  const auto status = parse_job_status(fields.text("status"));
  const auto failure = parse_failure_class(fields.text("failure"));
  if (!status) fields.complain("status");
  if (!failure) fields.complain("failure");
  outcome.status = status.value_or(JobStatus::error);
  outcome.failure = failure.value_or(FailureClass::none);
  outcome.completed = fields.boolean("completed");
  outcome.cancelled = fields.boolean("cancelled");
  outcome.never_started = fields.boolean("never_started");
  outcome.result = fields.value("result");
  outcome.message = fields.text("message");
  if (fields.has("limit")) {
    const auto limit = parse_time_limit(fields.text("limit"));
    if (!limit) fields.complain("limit");
    outcome.limit = limit.value_or(TimeLimit::none);
  }
  outcome.exit_code = fields.maybe_integer("exit_code");
  outcome.signal = fields.maybe_integer("signal");
  for (const json::value& item : fields.array("artifacts")) {
    Fields part(item, "artifact");
    Artifact artifact;
    artifact.name = part.text("name");
    artifact.bytes = part.unsigned_integer("bytes");
    if (const auto digest = digest_from_hex(part.text("sha256")))
      artifact.digest = *digest;
    else
      part.complain("sha256");
    fields.merge(part);
    outcome.artifacts.push_back(std::move(artifact));
  }
  for (const json::value& item : fields.array("facts")) {
    Fields part(item, "fact");
    JobFact fact;
    fact.type = part.text("type");
    fact.fields = part.map("fields");
    fields.merge(part);
    outcome.facts.push_back(std::move(fact));
  }
  outcome.started = Timestamp{fields.integer("started_ns")};
  outcome.ended = Timestamp{fields.integer("ended_ns")};
  CR_CHECK(fields.finish());
  return outcome;
}

Result<void> prepare_attempt(const fs::path& folder, const JobSpec& spec) {
  CR_CHECK(make_folders(folder));
  if (!spec.folder.empty()) CR_CHECK(make_folders(spec.folder));  // the first job of a run finds none
  const fs::path path = folder / spec_file;
  // A leftover of an earlier start of the same token is the same spec: replace it.
  const fs::path temporary = path.native() + ".tmp";
  const std::string text = spec_to_json(spec);
  if (text.size() > attempt_file_bytes_max)
    return fail(ErrorCode::invalid_argument,
                "the inputs of the job have " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(attempt_file_bytes_max) + " can be handed to it");
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return fail_errno("create", temporary.native());
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t put = ::write(file.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("write", temporary.native());
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename to", path.native());
  return {};
}

Result<JobSpec> read_spec(const fs::path& folder) {
  CR_TRY(const std::string text, read_file(folder / spec_file, attempt_file_bytes_max));
  return spec_from_json(text);
}

Result<void> write_identity(const fs::path& folder, const ProcessIdentity& identity) {
  return write_file_atomic(folder / identity_file, identity_to_json(identity), 0600);
}

Result<ProcessIdentity> read_identity(const fs::path& folder) {
  CR_TRY(const std::string text, read_file(folder / identity_file, attempt_file_bytes_max));
  return identity_from_json(text);
}

Result<void> write_outcome(const fs::path& folder, std::string_view name, const Token& token,
                           const JobOutcome& outcome) {
  return write_file_atomic(folder / name, outcome_to_json(token, outcome), 0600);
}

Result<JobOutcome> read_outcome(const fs::path& folder, std::string_view name, const Token& token) {
  CR_TRY(const std::string text, read_file(folder / name, attempt_file_bytes_max));
  return outcome_from_json(token, text);
}

}  // namespace checkride
