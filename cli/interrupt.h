// Ctrl-C for verbs that wait: while one of these lives, SIGINT, SIGTERM and SIGHUP only set a flag.
// One at a time. Slow system calls go on (SA_RESTART) but for poll and sleeps, so the flag is
// looked at soon and no read is cut in half.
#pragma once

namespace checkride::cli {

class Interruption {
 public:
  Interruption();
  ~Interruption();  // the handlers of before are back
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  bool came() const;
};

}  // namespace checkride::cli
