// The folder of one attempt, `<store>/attempts/<token>/`, and the files in it. It is all that
// engine, supervisor and a later engine share; every file but the two streams and the log is
// written whole (temporary, fsync, rename) or not at all.
//
//   spec.json       the JobSpec, written by the engine before it starts the supervisor
//   claim           who may start it (claim.h)
//   identity.json   the ProcessIdentity, durable before the job runs its first instruction
//   stdout, stderr  what the job printed, secrets masked; artifacts of the same names
//   result.json     outcome of a kind of our own, written by the job's process
//   manifest.json   the JobOutcome; its presence proves the end
//   supervisor.log  complaints of the supervisor itself; empty when all is well
//   reserve         space given back when the disk is full, so that the manifest has room
#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

inline constexpr std::string_view spec_file = "spec.json";
inline constexpr std::string_view claim_file = "claim";
inline constexpr std::string_view identity_file = "identity.json";
inline constexpr std::string_view result_file = "result.json";
inline constexpr std::string_view manifest_file = "manifest.json";
inline constexpr std::string_view supervisor_log_file = "supervisor.log";
inline constexpr std::string_view reserve_file = "reserve";

inline constexpr std::size_t attempt_file_bytes_max = 16 << 20;

// JSON texts of the three values; each reads back to an equal one. Decoding: `corrupt`.
std::string spec_to_json(const JobSpec& spec);
Result<JobSpec> spec_from_json(std::string_view text);
std::string identity_to_json(const ProcessIdentity& identity);
Result<ProcessIdentity> identity_from_json(std::string_view text);
std::string outcome_to_json(const Token& token, const JobOutcome& outcome);
// An outcome of another token is `corrupt`: the file was moved here by somebody.
Result<JobOutcome> outcome_from_json(const Token& token, std::string_view text);

// Creates the folder durably and writes the spec into it. The spec itself is not synced: it is read
// by the supervisor about to start, and an engine recovering after a power cut has it from the log.
Result<void> prepare_attempt(const std::filesystem::path& folder, const JobSpec& spec);
Result<JobSpec> read_spec(const std::filesystem::path& folder);

Result<void> write_identity(const std::filesystem::path& folder, const ProcessIdentity& identity);
Result<ProcessIdentity> read_identity(const std::filesystem::path& folder);

// `name` is result_file or manifest_file. Reading: `not_found` while there is none, `corrupt` when
// it is damaged.
Result<void> write_outcome(const std::filesystem::path& folder, std::string_view name,
                           const Token& token, const JobOutcome& outcome);
Result<JobOutcome> read_outcome(const std::filesystem::path& folder, std::string_view name,
                                const Token& token);

}  // namespace checkride
