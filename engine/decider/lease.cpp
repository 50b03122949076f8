#include "engine/decider/lease.h"

#include <algorithm>

namespace checkride {

namespace {

void withdraw(LeaseOffer& offer, const std::string& resource) {
  std::erase_if(offer.free, [&](const LeasedUnit& unit) { return unit.resource == resource; });
  offer.whole.erase(resource);
}

}  // namespace

std::optional<std::vector<LeasedUnit>> take(LeaseOffer& offer, const ResourceNeeds& needs) {
  std::vector<LeasedUnit> taken;
  for (const auto& [resource, wanted] : needs.units) {
    if (needs.exclusive && !offer.whole.contains(resource)) return std::nullopt;
    std::uint32_t found = 0;
    for (auto unit = offer.free.lower_bound(LeasedUnit{resource, {}});
         unit != offer.free.end() && unit->resource == resource && found < wanted; ++unit, ++found)
      taken.push_back(*unit);
    if (found < wanted) return std::nullopt;
  }
  for (const LeasedUnit& unit : taken) offer.free.erase(unit);
  for (const auto& [resource, wanted] : needs.units) {
    offer.whole.erase(resource);
    if (needs.exclusive) withdraw(offer, resource);
  }
  return taken;
}

void block(LeaseOffer& offer, const ResourceNeeds& needs) {
  for (const auto& [resource, wanted] : needs.units) withdraw(offer, resource);
}

}  // namespace checkride
