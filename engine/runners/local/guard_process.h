// A supervisor that is killed takes its job with it: the kernel kills the job itself (parent-death
// signal), and this small process, a fork of the supervisor in a session of its own, ends what the
// job had started. It does nothing but wait for the end of a pipe that only the supervisor holds.
// With it an attempt whose engine and supervisor both died still leaves nothing running unseen.
#pragma once

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

class GuardProcess {
 public:
  // Call from a single-threaded process. The identity has its job fields.
  static Result<GuardProcess> start(const ProcessIdentity& identity, const Token& token);
  GuardProcess(GuardProcess&&) noexcept = default;
  GuardProcess& operator=(GuardProcess&&) noexcept = default;

  pid_t pid() const { return pid_; }
  // The attempt has ended in order: dismisses and reaps the guard.
  void dismiss();

 private:
  GuardProcess() = default;
  pid_t pid_ = -1;
  FileDescriptor pipe_;
};

}  // namespace checkride
