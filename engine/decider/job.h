// Jobs as values: what a job kind promises (its signature), what one attempt is asked to do (its
// spec) and how it ended (its outcome). These are recorded in events, handed to runners and read by
// guards, so they hold no pointers and no behaviour.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "engine/cel/type.h"
#include "engine/cel/value.h"

namespace checkride {

enum class JobStatus : std::uint8_t { pass, fail, error, unavailable, skipped };
std::string_view to_string(JobStatus status);
Result<JobStatus> parse_job_status(std::string_view text);

// Why an attempt ended in fail or error.
enum class FailureClass : std::uint8_t {
  none,
  code,      // the job ran and said no, or broke
  infra,     // the machine around it failed: cannot start, disk, network
  flaky,     // known to come and go
  resource,  // out of memory, disk quota, output that could not be matched whole
  timeout,
  lost,         // it is provably gone and left no result
  unavailable,  // a program, device or service it needs is not here
};
std::string_view to_string(FailureClass failure);
Result<FailureClass> parse_failure_class(std::string_view text);

// What may be done after an attempt was lost or never reported: start it again, ask a probe, or ask
// a person.
enum class Repeat : std::uint8_t { safe, probe, ask };
std::string_view to_string(Repeat repeat);

// The contract of a job kind, checked against definitions when they are loaded.
struct JobSignature {
  std::string name;  // "git.status"
  std::uint32_t version = 1;
  std::string title;       // one line for `lint` and the reference
  cel::Type inputs;        // a record; optional fields may be left out
  cel::Type result;        // a record: what guards see as `result`
  bool supervised = true;  // false: runs in the engine's pool, repeat safe, bounded time
  Repeat repeat = Repeat::ask;
  // Who ends it: a runner, a child run, or a person.
  enum class Performer : std::uint8_t { runner, machine, person } performer = Performer::runner;
};
// Hash over everything above; recorded in the canonical form of definitions.
Digest schema_digest(const JobSignature& signature);

// A number or text taken out of a finished job: by regular expression over the whole stream (first
// capture group, last match wins) or by JSON pointer in a file.
struct ParseRule {
  std::string name;
  cel::Type type;       // double, int or string
  std::string regex;    // RE2, or empty
  std::string file;     // for `pointer`, relative to the job's folder; empty: standard output
  std::string pointer;  // RFC 6901, or empty
  bool operator==(const ParseRule&) const = default;
};

// What must hold for an attempt to count as done; matched on the whole stream as it passes.
struct Expectation {
  std::vector<std::int64_t> exit_codes = {0};
  std::vector<std::string> log_contains;  // substrings of standard output or error
  std::vector<std::string> log_lacks;
  std::vector<std::string> files;  // must exist afterwards, relative to the job's folder
  bool operator==(const Expectation&) const = default;
};

struct JobLimits {
  std::optional<Duration> run_timeout;
  Duration grace = std::chrono::seconds(10);      // between TERM and KILL
  std::uint64_t output_bytes_max = 256ULL << 20;  // per stream; first and last parts are kept
  std::optional<Duration> queue_timeout;          // from the intent to its lease
  std::optional<Duration> start_timeout;    // from the request to start to the job's first step
  std::optional<Duration> silence_timeout;  // without a byte of output while it runs
  bool operator==(const JobLimits&) const = default;
};

// The limit that ended an attempt of class timeout.
enum class TimeLimit : std::uint8_t { none, queue, start, run, silence };
std::string_view to_string(TimeLimit limit);
Result<TimeLimit> parse_time_limit(std::string_view text);

// What an attempt leases before it starts, all of it at once: so many units of each resource.
// `exclusive`: while it runs nobody else holds any unit of these resources.
struct ResourceNeeds {
  std::map<std::string, std::uint32_t> units;  // by resource, each at least 1
  bool exclusive = false;
  bool operator==(const ResourceNeeds&) const = default;
};

// One unit of a resource: {"gpu", "GPU-6d2c..."}, {"port", "8001"}.
struct LeasedUnit {
  std::string resource;
  std::string name;
  auto operator<=>(const LeasedUnit&) const = default;
};

// One attempt, complete: JobIntended records it and the runner needs nothing else.
struct JobSpec {
  Token token;
  RunId run;
  RunId root;         // owner of the worktree and tools; equals run at the top
  std::string state;  // id of the invoking state
  std::string kind;
  std::uint32_t kind_version = 1;
  cel::Map inputs;  // `with:` evaluated; conforms to the signature, defaults not filled in
  Expectation expect;
  std::vector<ParseRule> parse;
  JobLimits limits;
  std::vector<std::string>
      secrets;         // names in the engine's environment passed on and masked in output
  std::string folder;  // the root run's own folder, absolute
  ResourceNeeds needs;
  // The units it was given; filled in by the engine when it starts, empty in JobIntended.
  std::vector<LeasedUnit> leased;
  bool operator==(const JobSpec&) const = default;
};
Digest spec_digest(const JobSpec& spec);
// Whether it may start only after a LeaseGranted: it needs resources, or its wait has a limit.
bool needs_lease(const JobSpec& spec);

struct Artifact {
  std::string name;  // "stdout", "stderr", "report.json"
  Digest digest;
  std::uint64_t bytes = 0;
  bool operator==(const Artifact&) const = default;
};

// A typed fact for the search index: "patch.applied", "test.passed", "regression.found".
struct JobFact {
  std::string type;
  cel::Map fields;
  bool operator==(const JobFact&) const = default;
};

// Which process an attempt is: enough to know it again after a crash or a reboot.
struct ProcessIdentity {
  std::string host;
  std::string boot_id;
  std::int64_t pid = 0;           // the supervisor
  std::uint64_t start_ticks = 0;  // /proc/PID/stat field 22
  std::int64_t job_pid = 0;       // the job, leader of its process group; 0 before it started
  std::uint64_t job_start_ticks = 0;
  Timestamp started;
  bool operator==(const ProcessIdentity&) const = default;
};

struct JobOutcome {
  JobStatus status = JobStatus::error;
  FailureClass failure = FailureClass::none;
  // A result of the kind's type exists and `expect` held: the state sees `done`, else `error`.
  bool completed = false;
  bool cancelled = false;  // ended because it was asked to
  bool never_started =
      false;            // provably: the engine voided the claim; asked for again, not counted
  cel::Value result;    // conforms to the signature's result when completed
  std::string message;  // why it is not completed, one sentence
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  std::vector<Artifact> artifacts;
  std::vector<JobFact> facts;
  Timestamp started;
  Timestamp ended;
  TimeLimit limit = TimeLimit::none;  // with class timeout: which
  bool operator==(const JobOutcome&) const = default;
};

inline constexpr std::size_t result_bytes_max = 256 << 10;  // larger results end `resource`

}  // namespace checkride
