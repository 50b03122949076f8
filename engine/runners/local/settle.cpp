#include "engine/runners/local/settle.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/ports/clock.h"
#include "engine/ports/job_kind.h"
#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/claim.h"
#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr Duration kill_patience = std::chrono::seconds(10);
// Between a supervisor's death and its child's a lock may be seen held for a moment.
constexpr int looks_max = 100;
constexpr Duration look_again_after = std::chrono::milliseconds(20);

AttemptFindings unknown(AttemptFindings findings, std::string text) {
  findings.trace = AttemptTrace::unknown;
  findings.text = std::move(text);
  return findings;
}

// Claimed, its supervisor gone, no manifest.
AttemptFindings look_at_remains(AttemptFindings findings, const Token& token) {
  const ProcessIdentity& identity = findings.identity;
  const auto boot_id = current_boot_id();
  if (!boot_id) return unknown(std::move(findings), boot_id.error().text());
  if (identity.boot_id != *boot_id) {
    if (identity.host != current_host())
      return unknown(std::move(findings), "it ran on " + identity.host +
                                              ", which is not this machine (" + current_host() +
                                              "), and left no result");
    findings.trace = AttemptTrace::lost;
    findings.text = "the machine was rebooted while it ran";
    return findings;
  }
  const auto living = attempt_processes(identity, token);
  if (living.empty()) {
    findings.trace = AttemptTrace::lost;
    findings.text = "its supervisor, process " + std::to_string(identity.pid) +
                    ", died, and no process of it is left";
    return findings;
  }
  std::string pids;
  for (const ProcessStat& stat : living) pids += " " + std::to_string(stat.pid);
  return unknown(std::move(findings), "its supervisor, process " + std::to_string(identity.pid) +
                                          ", is gone, but processes of it live:" + pids);
}

// The digest of what a lost attempt had printed, so that its log is not lost with it.
void add_partial_output(JobOutcome& outcome, const fs::path& folder) {
  for (const char* name : {"stdout", "stderr"}) {
    const FileDescriptor file(::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;
    Sha256 digest;
    Artifact artifact;
    artifact.name = name;
    std::array<char, 1 << 16> block;
    ssize_t got = 0;
    while ((got = ::read(file.get(), block.data(), block.size())) != 0) {
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) break;
      digest.update(std::string_view(block.data(), static_cast<std::size_t>(got)));
      artifact.bytes += static_cast<std::uint64_t>(got);
    }
    if (got < 0) continue;
    artifact.digest = digest.finish();
    outcome.artifacts.push_back(std::move(artifact));
  }
}

Settlement ended(JobOutcome outcome) {
  Settlement settlement;
  settlement.kind = Settlement::Kind::ended;
  settlement.outcome = std::move(outcome);
  return settlement;
}

Settlement never_started() {
  JobOutcome outcome =
      not_completed(JobStatus::error, FailureClass::none,
                    "it never started: no supervisor had claimed it, and now none can");
  outcome.never_started = true;
  outcome.ended = SystemClock().now();
  return ended(std::move(outcome));
}

Settlement lost(const AttemptFindings& findings, const fs::path& folder) {
  JobOutcome outcome = not_completed(JobStatus::error, FailureClass::lost, findings.text);
  outcome.started = findings.identity.started;
  outcome.ended = SystemClock().now();
  add_partial_output(outcome, folder);
  Settlement settlement = ended(std::move(outcome));
  settlement.identity = findings.identity;
  settlement.started = findings.started;
  return settlement;
}

}  // namespace

AttemptFindings look_at_attempt(const fs::path& folder, const Token& token) {
  AttemptFindings findings;
  const auto collect = [&] {
    auto outcome = read_outcome(folder, manifest_file, token);
    if (outcome) {
      findings.trace = AttemptTrace::finished;
      findings.outcome = *std::move(outcome);
      return true;
    }
    if (outcome.error().code == ErrorCode::not_found) return false;
    findings = unknown(findings, "its manifest cannot be read: " + outcome.error().text());
    return true;
  };
  if (collect()) return findings;
  auto claim = look_at_claim(folder);
  if (!claim) return unknown(findings, "its claim cannot be read: " + claim.error().text());
  if (claim->state == ClaimState::absent) return findings;
  if (claim->state == ClaimState::voided) {
    findings.trace = AttemptTrace::voided;
    return findings;
  }
  findings.identity = std::move(claim->supervisor);
  if (auto identity = read_identity(folder)) {
    findings.identity = *std::move(identity);
    findings.started = true;
  }
  if (claim->state == ClaimState::locked) {
    findings.trace = AttemptTrace::running;
    return findings;
  }
  // It may have written its manifest and left since the first look.
  if (collect()) return findings;
  return look_at_remains(std::move(findings), token);
}

Settlement settle_attempt(const fs::path& folder, const Token& token) {
  Settlement settlement;
  for (int look = 0; look < looks_max; ++look) {
    AttemptFindings findings = look_at_attempt(folder, token);
    settlement.identity = findings.identity;
    settlement.started = findings.started;
    switch (findings.trace) {
      case AttemptTrace::finished: {
        Settlement collected = ended(std::move(findings.outcome));
        if (auto identity = read_identity(folder)) {
          collected.identity = *std::move(identity);
          collected.started = true;
        }
        return collected;
      }
      case AttemptTrace::voided: return never_started();
      case AttemptTrace::absent: {
        const auto voided = void_claim(folder);
        if (voided) return never_started();
        if (voided.error().code == ErrorCode::already_exists) continue;  // somebody was faster
        settlement.findings = "its claim could not be made void: " + voided.error().text();
        return settlement;
      }
      case AttemptTrace::running: {
        auto supervisor = open_process(findings.identity.pid, findings.identity.start_ticks);
        if (supervisor) {
          settlement.kind = Settlement::Kind::adopt;
          settlement.supervisor = *std::move(supervisor);
          return settlement;
        }
        settlement.findings = "its claim is locked, but its supervisor, process " +
                              std::to_string(findings.identity.pid) + " of " +
                              findings.identity.host + ", cannot be found";
        break;  // it is about to go: look again
      }
      case AttemptTrace::lost: return lost(findings, folder);
      case AttemptTrace::unknown: {
        settlement.findings = findings.text;
        const auto boot_id = current_boot_id();
        if (!boot_id || findings.identity.boot_id != *boot_id) return settlement;
        // Ours to end: the supervisor that answered for them is gone.
        if (!kill_attempt(findings.identity, token, kill_patience).empty()) return settlement;
        break;
      }
    }
    std::this_thread::sleep_for(look_again_after);
  }
  return settlement;
}

}  // namespace checkride
