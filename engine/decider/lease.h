// Leases: how units of resources are taken for one attempt at once. Pure, and shared by the decider
// (which grants what is free at the moment of the intent) and by the runtime's allocator (which
// grants the rest, by global sequence of JobIntended). docs/decisions/0013-leases.md.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/decider/job.h"

namespace checkride {

// Units that may be taken now. `whole` names the resources of which nobody holds anything.
struct LeaseOffer {
  std::set<LeasedUnit> free;
  std::set<std::string> whole;
  std::string boot_id;
  bool operator==(const LeaseOffer&) const = default;
};

// Takes the lowest units that satisfy the needs, all or nothing.
std::optional<std::vector<LeasedUnit>> take(LeaseOffer& offer, const ResourceNeeds& needs);
// Withdraws the resources of a request that could not be granted, so that no later one overtakes
// it.
void block(LeaseOffer& offer, const ResourceNeeds& needs);

}  // namespace checkride
