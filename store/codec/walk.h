// Reads a run's records one after another and checks what ties them together: each decodes, follows
// the one before without a gap, and carries its chain hash; the last agrees with the run's head.
// Used by every reader, so that damage reads the same everywhere.
#pragma once

#include <string_view>

#include "engine/ports/event_log.h"
#include "store/codec/codec.h"

namespace checkride::codec {

class Walk {
 public:
  explicit Walk(const RunHead& head) : head_(head) {}

  // The next value, found under `first`. The first call may start anywhere.
  Result<DecodedRecord> next(Sequence first, std::string_view value);
  // After the last one; an error when the head tells of more. `complete` is false where the reader
  // stopped early.
  Result<void> finish(bool complete) const;

 private:
  tl::unexpected<Error> damaged(const std::string& what) const;

  RunHead head_;
  Sequence last_;  // of the record before; 0 before the first
  Digest chain_;   // of the record before
  bool begun_ = false;
};

}  // namespace checkride::codec
