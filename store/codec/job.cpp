#include "store/codec/job.h"

#include "store/codec/enums.h"
#include "store/codec/value.h"

namespace checkride::codec {

// Static rather than unnamed: put_list and read_list find them through their arguments.
static void write(schema::ParseRule::Builder to, const ParseRule& rule, Trouble& trouble) {
  using B = schema::ParseRule::Builder;
  const auto& [name, type, regex, file, pointer] = rule;
  put_text(to, &B::setName, name);
  write(to.initType(), type, trouble);
  put_text(to, &B::setRegex, regex);
  put_text(to, &B::setFile, file);
  put_text(to, &B::setPointer, pointer);
}
static void read(schema::ParseRule::Reader from, ParseRule& rule, Trouble& trouble) {
  auto& [name, type, regex, file, pointer] = rule;
  name = string_of(from.getName());
  read(from.getType(), type, trouble);
  regex = string_of(from.getRegex());
  file = string_of(from.getFile());
  pointer = string_of(from.getPointer());
}

static void write(schema::Expectation::Builder to, const Expectation& expect) {
  using B = schema::Expectation::Builder;
  const auto& [exit_codes, log_contains, log_lacks, files] = expect;
  put_scalars(to, &B::initExitCodes, exit_codes);
  put_scalars(to, &B::initLogContains, log_contains);
  put_scalars(to, &B::initLogLacks, log_lacks);
  put_scalars(to, &B::initFiles, files);
}
static void read(schema::Expectation::Reader from, Expectation& expect) {
  auto& [exit_codes, log_contains, log_lacks, files] = expect;
  read_scalars(from.getExitCodes(), exit_codes);
  read_scalars(from.getLogContains(), log_contains);
  read_scalars(from.getLogLacks(), log_lacks);
  read_scalars(from.getFiles(), files);
}

static void write(schema::JobLimits::Builder to, const JobLimits& limits) {
  using B = schema::JobLimits::Builder;
  const auto& [run_timeout, grace, output_bytes_max, queue_timeout, start_timeout,
               silence_timeout] = limits;
  put_optional(to, &B::initRunTimeout, run_timeout);
  to.setGrace(grace.count());
  to.setOutputBytesMax(output_bytes_max);
  put_optional(to, &B::initQueueTimeout, queue_timeout);
  put_optional(to, &B::initStartTimeout, start_timeout);
  put_optional(to, &B::initSilenceTimeout, silence_timeout);
}
static void read(schema::JobLimits::Reader from, JobLimits& limits) {
  auto& [run_timeout, grace, output_bytes_max, queue_timeout, start_timeout, silence_timeout] =
      limits;
  run_timeout.reset();
  if (from.hasRunTimeout()) run_timeout = Duration(from.getRunTimeout().getValue());
  queue_timeout.reset();
  if (from.hasQueueTimeout()) queue_timeout = Duration(from.getQueueTimeout().getValue());
  start_timeout.reset();
  if (from.hasStartTimeout()) start_timeout = Duration(from.getStartTimeout().getValue());
  silence_timeout.reset();
  if (from.hasSilenceTimeout()) silence_timeout = Duration(from.getSilenceTimeout().getValue());
  grace = Duration(from.getGrace());
  output_bytes_max = from.getOutputBytesMax();
}

static void write(schema::ResourceCount::Builder to,
                  const std::pair<const std::string, std::uint32_t>& entry, Trouble&) {
  put_text(to, &schema::ResourceCount::Builder::setResource, entry.first);
  to.setUnits(entry.second);
}
static void write(schema::ResourceNeeds::Builder to, const ResourceNeeds& needs, Trouble& trouble) {
  const auto& [units, exclusive] = needs;
  put_list(to, &schema::ResourceNeeds::Builder::initUnits, units, trouble);
  to.setExclusive(exclusive);
}
static void read(schema::ResourceNeeds::Reader from, ResourceNeeds& needs, Trouble& trouble) {
  auto& [units, exclusive] = needs;
  units.clear();
  for (const auto element : from.getUnits()) {
    std::string resource = string_of(element.getResource());
    if (!units.empty() && !(units.rbegin()->first < resource))
      return trouble.note("the resources of an attempt are not in order");
    units.emplace_hint(units.end(), std::move(resource), element.getUnits());
  }
  exclusive = from.getExclusive();
}

void write(schema::LeasedUnit::Builder to, const LeasedUnit& unit, Trouble&) {
  const auto& [resource, name] = unit;
  put_text(to, &schema::LeasedUnit::Builder::setResource, resource);
  put_text(to, &schema::LeasedUnit::Builder::setName, name);
}
void read(schema::LeasedUnit::Reader from, LeasedUnit& unit, Trouble&) {
  auto& [resource, name] = unit;
  resource = string_of(from.getResource());
  name = string_of(from.getName());
}

static void write(schema::Artifact::Builder to, const Artifact& artifact, Trouble&) {
  using B = schema::Artifact::Builder;
  const auto& [name, digest, bytes] = artifact;
  put_text(to, &B::setName, name);
  put_digest(to, &B::setDigest, digest);
  to.setBytes(bytes);
}
static void read(schema::Artifact::Reader from, Artifact& artifact, Trouble& trouble) {
  auto& [name, digest, bytes] = artifact;
  name = string_of(from.getName());
  read(from.getDigest(), digest, trouble);
  bytes = from.getBytes();
}

void write(schema::JobSpec::Builder to, const JobSpec& spec, Trouble& trouble) {
  using B = schema::JobSpec::Builder;
  const auto& [token, run, root, state, kind, kind_version, inputs, expect, parse, limits, secrets,
               folder, needs, leased] = spec;
  put_text(to, &B::setToken, token);
  put_text(to, &B::setRun, run);
  put_text(to, &B::setRoot, root);
  put_text(to, &B::setState, state);
  put_text(to, &B::setKind, kind);
  to.setKindVersion(kind_version);
  put_map(to, &B::initInputs, inputs, trouble);
  write(to.initExpect(), expect);
  put_list(to, &B::initParse, parse, trouble);
  write(to.initLimits(), limits);
  put_scalars(to, &B::initSecrets, secrets);
  put_text(to, &B::setFolder, folder);
  if (needs != ResourceNeeds{}) write(to.initNeeds(), needs, trouble);
  put_list(to, &B::initLeased, leased, trouble);
}
void read(schema::JobSpec::Reader from, JobSpec& spec, Trouble& trouble) {
  auto& [token, run, root, state, kind, kind_version, inputs, expect, parse, limits, secrets,
         folder, needs, leased] = spec;
  read(from.getToken(), token, trouble);
  read(from.getRun(), run, trouble);
  read(from.getRoot(), root, trouble);
  state = string_of(from.getState());
  kind = string_of(from.getKind());
  kind_version = from.getKindVersion();
  read_map(from.getInputs(), inputs, trouble);
  read(from.getExpect(), expect);
  read_list(from.getParse(), parse, trouble);
  read(from.getLimits(), limits);
  read_scalars(from.getSecrets(), secrets);
  folder = string_of(from.getFolder());
  read(from.getNeeds(), needs, trouble);
  read_list(from.getLeased(), leased, trouble);
}

void write(schema::JobFact::Builder to, const JobFact& fact, Trouble& trouble) {
  const auto& [type, fields] = fact;
  put_text(to, &schema::JobFact::Builder::setType, type);
  put_map(to, &schema::JobFact::Builder::initFields, fields, trouble);
}
void read(schema::JobFact::Reader from, JobFact& fact, Trouble& trouble) {
  auto& [type, fields] = fact;
  type = string_of(from.getType());
  read_map(from.getFields(), fields, trouble);
}

void write(schema::ProcessIdentity::Builder to, const ProcessIdentity& identity, Trouble&) {
  using B = schema::ProcessIdentity::Builder;
  const auto& [host, boot_id, pid, start_ticks, job_pid, job_start_ticks, started] = identity;
  put_text(to, &B::setHost, host);
  put_text(to, &B::setBootId, boot_id);
  to.setPid(pid);
  to.setStartTicks(start_ticks);
  to.setJobPid(job_pid);
  to.setJobStartTicks(job_start_ticks);
  to.setStarted(started.ns);
}
void read(schema::ProcessIdentity::Reader from, ProcessIdentity& identity, Trouble&) {
  auto& [host, boot_id, pid, start_ticks, job_pid, job_start_ticks, started] = identity;
  host = string_of(from.getHost());
  boot_id = string_of(from.getBootId());
  pid = from.getPid();
  start_ticks = from.getStartTicks();
  job_pid = from.getJobPid();
  job_start_ticks = from.getJobStartTicks();
  started.ns = from.getStarted();
}

void write(schema::JobOutcome::Builder to, const JobOutcome& outcome, Trouble& trouble) {
  using B = schema::JobOutcome::Builder;
  const auto& [status, failure, completed, cancelled, never_started, result, message, exit_code,
               signal, artifacts, facts, started, ended, limit] = outcome;
  to.setStatus(to_disk<schema::JobStatus>(status));
  to.setFailure(to_disk<schema::FailureClass>(failure));
  to.setCompleted(completed);
  to.setCancelled(cancelled);
  to.setNeverStarted(never_started);
  if (!result.is_null()) write(to.initResult(), result, trouble);
  put_text(to, &B::setMessage, message);
  put_optional(to, &B::initExitCode, exit_code);
  put_optional(to, &B::initSignal, signal);
  put_list(to, &B::initArtifacts, artifacts, trouble);
  put_list(to, &B::initFacts, facts, trouble);
  to.setStarted(started.ns);
  to.setEnded(ended.ns);
  to.setLimit(to_disk<schema::TimeLimit>(limit));
}
void read(schema::JobOutcome::Reader from, JobOutcome& outcome, Trouble& trouble) {
  auto& [status, failure, completed, cancelled, never_started, result, message, exit_code, signal,
         artifacts, facts, started, ended, limit] = outcome;
  read_enum(from.getStatus(), status, trouble);
  read_enum(from.getFailure(), failure, trouble);
  completed = from.getCompleted();
  cancelled = from.getCancelled();
  never_started = from.getNeverStarted();
  read(from.getResult(), result, trouble);
  message = string_of(from.getMessage());
  exit_code.reset();
  if (from.hasExitCode()) exit_code = from.getExitCode().getValue();
  signal.reset();
  if (from.hasSignal()) signal = from.getSignal().getValue();
  read_list(from.getArtifacts(), artifacts, trouble);
  read_list(from.getFacts(), facts, trouble);
  started.ns = from.getStarted();
  ended.ns = from.getEnded();
  read_enum(from.getLimit(), limit, trouble);
}

}  // namespace checkride::codec
