// The one allocator of a store: who holds which units of which resource, who waits, and who is
// next. Grants follow the global sequence of JobIntended: an attempt takes all its needs at once,
// and no later one overtakes it on a resource it waits for, so nothing can deadlock and nobody
// starves. It decides nothing durable: the runtime turns a grant into a GrantLease command, and
// what is held is what the states say. One thread; no I/O but through `units_of`.
// docs/decisions/0013-leases.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/decider/lease.h"
#include "engine/decider/state.h"

namespace checkride {

struct Definition;

// Every resource that an attempt of the definition may need; nothing where none waits for a lease.
std::optional<std::set<std::string>> lease_resources(const Definition& definition);

class LeaseAllocator {
 public:
  // The names of a resource's units on this machine; empty where there is no such resource.
  using UnitsOf = std::function<std::vector<std::string>(const std::string& resource)>;
  explicit LeaseAllocator(UnitsOf units_of) : units_of_(std::move(units_of)) {}

  // Where a JobIntended stands in the log; attempts not yet written follow all that are, in the
  // order they were decided.
  struct Place {
    std::uint64_t global = UINT64_MAX;  // of its record
    std::uint64_t order = 0;            // within it, or of its decision
    auto operator<=>(const Place&) const = default;
  };

  void wait(const RunId& run, const Token& token, ResourceNeeds needs, Place place);
  void placed(const Token& token, Place place);  // it is written now
  void hold(const RunId& run, const Token& token, const LeaseRecord& lease);
  void end(const Token& token);  // it holds and awaits nothing any more

  bool waiting(const Token& token) const { return waiting_.contains(token); }
  bool idle() const { return waiting_.empty(); }

  // What may be taken at once by attempts of which the named resources are all they need: free
  // units for which nobody waits.
  using MayStart = std::function<bool(const RunId& run)>;
  LeaseOffer offer(const std::set<std::string>& resources, const MayStart& may_start);

  struct Grant {
    RunId run;
    Token token;
    std::vector<LeasedUnit> units;
    bool exclusive = false;
  };
  struct Impossible {
    RunId run;
    Token token;
    std::string reason;  // one sentence: what it needs and what there is
  };
  struct Round {
    std::vector<Grant> grants;
    std::vector<Impossible> impossible;
  };
  // All that can be granted now, in order. Runs that may not start anything are passed over.
  Round round(const MayStart& may_start);

  // The attempts that hold something a waiting one needs.
  std::vector<std::pair<RunId, Token>> holders_for(const Token& token) const;

 private:
  struct Waiter {
    RunId run;
    ResourceNeeds needs;
    Place place;
  };
  struct Holder {
    RunId run;
    std::vector<LeasedUnit> units;
    bool exclusive = false;
  };
  LeaseOffer free_units(const std::set<std::string>& resources);
  const std::vector<std::string>& units(const std::string& resource, bool look_again = false);
  std::string impossible(const ResourceNeeds& needs);

  UnitsOf units_of_;
  std::map<std::string, std::vector<std::string>> units_;  // as far as somebody asked
  std::map<Token, Waiter> waiting_;
  std::map<Place, Token> queue_;  // of waiting_
  std::map<Token, Holder> holding_;
};

}  // namespace checkride
