#include "kernels/statistics/verdict.h"

#include <algorithm>
#include <cmath>

namespace checkride::kernels::statistics {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::regressed: return "regressed";
    case Verdict::incomparable: return "incomparable";
    case Verdict::noisy_environment: return "noisy_environment";
    case Verdict::inconclusive: return "inconclusive";
    case Verdict::suspect: return "suspect";
    case Verdict::not_suspect: return "not_suspect";
    case Verdict::not_regressed: return "not_regressed";
    case Verdict::improved: return "improved";
  }
  return "inconclusive";
}

namespace {

// What one look says, Holm aside.
Verdict read(const Estimate& e, const Margins& margins) {
  if (e.sd > noisy_sd) return Verdict::noisy_environment;
  if (e.low > std::log1p(margins.bad)) return Verdict::regressed;
  if (e.high < std::log1p(-margins.bad)) return Verdict::improved;
  if (e.high < std::log1p(margins.ok)) return Verdict::not_regressed;
  return Verdict::inconclusive;
}

bool open(Verdict verdict) {
  return verdict == Verdict::inconclusive || verdict == Verdict::noisy_environment;
}

// A cell that cannot be claimed to have regressed takes no part of the family's alpha.
double claim(const Judgement& judgement) {
  const bool claims = judgement.estimate.k >= looks.front() && judgement.estimate.sd <= noisy_sd;
  return claims ? judgement.estimate.p : 1.0;
}

// Adjusts p over the family; a regression that does not stand among so many stays open.
void adjust(std::vector<Judgement>& all) {
  std::vector<double> p;
  for (const Judgement& one : all) p.push_back(claim(one));
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].holm_p = adjusted[i];
    const bool regressed = all[i].verdict == Verdict::regressed || all[i].held_by_holm;
    all[i].held_by_holm = regressed && adjusted[i] > family_alpha;
    if (regressed)
      all[i].verdict = all[i].held_by_holm ? Verdict::inconclusive : Verdict::regressed;
  }
}

}  // namespace

std::vector<Judgement> judge(std::span<const Paired> cells) {
  std::vector<Judgement> all(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    all[i].estimate = estimate(cells[i].thetas, std::log1p(cells[i].margins.bad));
    all[i].blocks_wanted = looks.front();
  }
  for (const int look : looks) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      Judgement& one = all[i];
      if (!open(one.verdict) || cells[i].thetas.size() < static_cast<std::size_t>(look)) continue;
      const std::span<const double> seen(cells[i].thetas.data(), static_cast<std::size_t>(look));
      one.estimate = estimate(seen, std::log1p(cells[i].margins.bad));
      one.verdict = read(one.estimate, cells[i].margins);
      one.held_by_holm = false;
      one.blocks_wanted = look == looks.back() ? 0 : 2 * look;
    }
    adjust(all);
  }
  for (Judgement& one : all)
    if (!open(one.verdict)) one.blocks_wanted = 0;
  return all;
}

}  // namespace checkride::kernels::statistics
