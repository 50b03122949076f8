// The claim of an attempt: a file that exists at most once and so decides who may start the job
// (docs/decisions/0004-claims.md). A supervisor that takes it holds a lock on it as long as it
// lives; an engine that recovers an attempt nobody claimed takes it void, and a late supervisor
// then leaves without starting anything.
//
// The file is created under a private name (O_CREAT|O_EXCL), locked, written and synced, and then
// linked to its real name, which fails if that exists. So a claim is never seen unlocked or empty
// while its owner lives: there is no moment to misread between creation and lock.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

enum class ClaimState : std::uint8_t {
  absent,
  voided,
  locked,    // its supervisor lives
  unlocked,  // its supervisor is gone
};

struct ClaimTrace {
  ClaimState state = ClaimState::absent;
  ProcessIdentity supervisor;  // job fields 0; empty when absent or void
};

// Takes the claim for the calling process. The descriptor holds the lock, close-on-exec; drop it
// only at the end of the process. `already_exists` when somebody claimed or voided the attempt
// before.
Result<FileDescriptor> take_claim(const std::filesystem::path& folder,
                                  const ProcessIdentity& supervisor);

// Makes sure that the attempt never starts. Creates the folder where there is none.
// `already_exists` when there is a claim: look at it.
Result<void> void_claim(const std::filesystem::path& folder);

// Changes nothing. `corrupt` when the claim cannot be read.
Result<ClaimTrace> look_at_claim(const std::filesystem::path& folder);

}  // namespace checkride
