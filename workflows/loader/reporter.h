// Collects what is wrong with a document, all of it: a person fixes ten mistakes at once, not one a
// run of the linter. Suggestions come from edit distance.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/definition.h"
#include "workflows/loader/load.h"

namespace checkride::loader {

// The candidate nearest to `wrong`, close enough to be a slip of the fingers; empty: none is.
std::string nearest(std::string_view wrong, const std::vector<std::string>& candidates);
// "did you mean 'x'?" for the nearest, or empty.
std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates);
// All diagnostics of one load, over all its documents.
struct Diagnostics {
  std::vector<LoadDiagnostic> list;
  std::size_t left_out = 0;  // beyond diagnostics_max
  std::size_t errors = 0;    // counted, left out or not

  // Sorted by source and place, repeats removed.
  std::vector<LoadDiagnostic> sorted() const;
};

// Writes the diagnostics of one document.
class Reporter {
 public:
  Reporter(Diagnostics& diagnostics, std::string source_name)
      : diagnostics_(diagnostics), source_name_(std::move(source_name)) {}

  void error(Place place, std::string_view rule, std::string message, std::string suggestion = {});
  void warning(Place place, std::string_view rule, std::string message,
               std::string suggestion = {});
  // The same, but empty once findings are only counted, so
  // that ten thousand slips cost no more than two hundred.
  std::string did_you_mean(std::string_view wrong,
                           const std::vector<std::string>& candidates) const;
  // The document is refused and further findings are only counted: what is dear to check may be
  // left unchecked.
  bool hopeless() const {
    return diagnostics_.errors > 0 && diagnostics_.list.size() >= diagnostics_max;
  }
  std::size_t errors() const { return diagnostics_.errors; }
  const std::string& source_name() const { return source_name_; }

 private:
  void add(LoadDiagnostic::Severity severity, Place place, std::string_view rule,
           std::string message, std::string suggestion);

  Diagnostics& diagnostics_;
  std::string source_name_;
};

}  // namespace checkride::loader
