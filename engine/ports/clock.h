// Time as the shell sees it: wall time for events and due times, a monotonic reading beside it so
// that a jump of the wall clock is noticed. The only other source of time is a test's fake.
#pragma once

#include "engine/base/time.h"

namespace checkride {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;       // UTC
  virtual Duration monotonic() const = 0;  // since some fixed point, never goes back
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  Duration monotonic() const override;
};

}  // namespace checkride
