#include "engine/runtime/lease_allocator.h"

#include <algorithm>

namespace checkride {

void LeaseAllocator::wait(const RunId& run, const Token& token, ResourceNeeds needs, Place place) {
  if (!waiting_.emplace(token, Waiter{run, std::move(needs), place}).second) return;
  queue_.emplace(place, token);
}

void LeaseAllocator::placed(const Token& token, Place place) {
  const auto waiter = waiting_.find(token);
  if (waiter == waiting_.end()) return;
  queue_.erase(waiter->second.place);
  waiter->second.place = place;
  queue_.emplace(place, token);
}

void LeaseAllocator::hold(const RunId& run, const Token& token, const LeaseRecord& lease) {
  end(token);
  holding_[token] = Holder{run, lease.units, lease.exclusive};
}

void LeaseAllocator::end(const Token& token) {
  holding_.erase(token);
  const auto waiter = waiting_.find(token);
  if (waiter == waiting_.end()) return;
  queue_.erase(waiter->second.place);
  waiting_.erase(waiter);
}

// Asked once per resource; again only where something needs more than there was.
const std::vector<std::string>& LeaseAllocator::units(const std::string& resource,
                                                      bool look_again) {
  const auto [place, is_new] = units_.try_emplace(resource);
  if ((is_new || look_again) && units_of_) {
    place->second = units_of_(resource);
    std::sort(place->second.begin(), place->second.end());
    place->second.erase(std::unique(place->second.begin(), place->second.end()),
                        place->second.end());
  }
  return place->second;
}

LeaseOffer LeaseAllocator::free_units(const std::set<std::string>& resources) {
  LeaseOffer offer;
  for (const std::string& resource : resources) {
    for (const std::string& name : units(resource)) offer.free.insert(LeasedUnit{resource, name});
    offer.whole.insert(resource);
  }
  for (const auto& [token, holder] : holding_) {
    for (const LeasedUnit& unit : holder.units) {
      offer.free.erase(unit);
      offer.whole.erase(unit.resource);
      if (!holder.exclusive) continue;
      ResourceNeeds alone;
      alone.units[unit.resource] = 1;
      block(offer, alone);
    }
  }
  return offer;
}

LeaseOffer LeaseAllocator::offer(const std::set<std::string>& resources,
                                 const MayStart& may_start) {
  LeaseOffer offer = free_units(resources);
  for (const auto& [token, waiter] : waiting_)
    if (may_start(waiter.run)) block(offer, waiter.needs);
  return offer;
}

std::string LeaseAllocator::impossible(const ResourceNeeds& needs) {
  for (const auto& [resource, wanted] : needs.units) {
    if (units(resource).size() >= wanted || units(resource, true).size() >= wanted) continue;
    const std::size_t there = units(resource).size();
    return "it needs " + std::to_string(wanted) + " of the resource '" + resource +
           "', and this store has " + (there == 0 ? "none" : std::to_string(there)) +
           "; declare what there is with --resource " + resource + "=N";
  }
  return {};
}

LeaseAllocator::Round LeaseAllocator::round(const MayStart& may_start) {
  Round round;
  std::set<std::string> resources;
  for (const auto& [token, waiter] : waiting_)
    for (const auto& [resource, wanted] : waiter.needs.units) resources.insert(resource);
  std::vector<Token> possible;
  for (const auto& [place, token] : queue_) {
    const Waiter& waiter = waiting_.at(token);
    if (!may_start(waiter.run)) continue;
    if (std::string reason = impossible(waiter.needs); !reason.empty())
      round.impossible.push_back(Impossible{waiter.run, token, std::move(reason)});
    else
      possible.push_back(token);
  }
  LeaseOffer offer = free_units(resources);
  for (const Token& token : possible) {
    const Waiter& waiter = waiting_.at(token);
    if (auto taken = take(offer, waiter.needs))
      round.grants.push_back(Grant{waiter.run, token, *std::move(taken), waiter.needs.exclusive});
    else
      block(offer, waiter.needs);
  }
  return round;
}

std::vector<std::pair<RunId, Token>> LeaseAllocator::holders_for(const Token& token) const {
  std::vector<std::pair<RunId, Token>> holders;
  const auto waiter = waiting_.find(token);
  if (waiter == waiting_.end()) return holders;
  for (const auto& [held, holder] : holding_)
    if (std::any_of(holder.units.begin(), holder.units.end(), [&](const LeasedUnit& unit) {
          return waiter->second.needs.units.contains(unit.resource);
        }))
      holders.emplace_back(holder.run, held);
  return holders;
}

}  // namespace checkride
