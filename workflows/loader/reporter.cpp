#include "workflows/loader/reporter.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace checkride {

bool LoadDiagnostic::operator==(const LoadDiagnostic& other) const {
  return source_name == other.source_name && place.line == other.place.line &&
         place.column == other.place.column && severity == other.severity && rule == other.rule &&
         message == other.message && suggestion == other.suggestion;
}

std::string to_string(const LoadDiagnostic& d) {
  std::string text = d.source_name + ":" + std::to_string(d.place.line) + ":" +
                     std::to_string(d.place.column) + ": ";
  text += d.severity == LoadDiagnostic::Severity::error ? "error: " : "warning: ";
  text += d.message;
  if (!d.suggestion.empty()) text += "; " + d.suggestion;
  return text + " [" + d.rule + "]";
}

namespace loader {
namespace {

// Edit distance with swapped neighbours counted once (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string nearest(std::string_view wrong, const std::vector<std::string>& candidates) {
  constexpr std::size_t length_max = 64;  // nobody mistypes a name this long; bounds the work
  if (wrong.empty() || wrong.size() > length_max) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.empty() || candidate.size() > length_max || candidate == wrong) continue;
    const std::size_t longer = std::max(candidate.size(), wrong.size());
    if (longer - std::min(candidate.size(), wrong.size()) >= best_distance) continue;
    const std::size_t distance = edit_distance(wrong, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view wrong, const std::vector<std::string>& candidates) {
  const std::string best = nearest(wrong, candidates);
  return best.empty() ? "" : "did you mean '" + best + "'?";
}

std::string Reporter::did_you_mean(std::string_view wrong,
                                   const std::vector<std::string>& candidates) const {
  if (diagnostics_.list.size() >= diagnostics_max) return {};
  return loader::did_you_mean(wrong, candidates);
}

std::vector<LoadDiagnostic> Diagnostics::sorted() const {
  std::vector<LoadDiagnostic> result = list;
  const auto key = [](const LoadDiagnostic& d) {
    return std::tie(d.source_name, d.place.line, d.place.column, d.rule, d.message);
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  result.erase(std::unique(result.begin(), result.end()), result.end());
  if (left_out > 0)
    result.push_back(
        {result.back().source_name,
         result.back().place,
         LoadDiagnostic::Severity::error,
         "too-many",
         "at least " + std::to_string(left_out) + " more findings are left out; fix these first",
         {}});
  return result;
}

void Reporter::add(LoadDiagnostic::Severity severity, Place place, std::string_view rule,
                   std::string message, std::string suggestion) {
  if (severity == LoadDiagnostic::Severity::error) ++diagnostics_.errors;
  if (diagnostics_.list.size() >= diagnostics_max) {
    ++diagnostics_.left_out;
    return;
  }
  diagnostics_.list.push_back({source_name_, place, severity, std::string(rule), std::move(message),
                               std::move(suggestion)});
}

void Reporter::error(Place place, std::string_view rule, std::string message,
                     std::string suggestion) {
  add(LoadDiagnostic::Severity::error, place, rule, std::move(message), std::move(suggestion));
}

void Reporter::warning(Place place, std::string_view rule, std::string message,
                       std::string suggestion) {
  add(LoadDiagnostic::Severity::warning, place, rule, std::move(message), std::move(suggestion));
}

}  // namespace loader
}  // namespace checkride
