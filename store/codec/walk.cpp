#include "store/codec/walk.h"

namespace checkride::codec {

tl::unexpected<Error> Walk::damaged(const std::string& what) const {
  return fail(ErrorCode::corrupt, "the log of run '" + head_.run.value + "' is damaged: " + what +
                                      "; `checkride verify` lists all damage");
}

Result<DecodedRecord> Walk::next(Sequence first, std::string_view value) {
  if (begun_ && first != last_.next())
    return damaged("after sequence " + std::to_string(last_.value) + " comes " +
                   std::to_string(first.value));
  CR_TRY(DecodedRecord decoded, decode_record(value, head_.run, first));
  const Record& record = decoded.record;
  const bool linked = begun_             ? record.previous == chain_
                      : first.value == 1 ? record.previous.zero()
                                         : !record.previous.zero();
  if (!linked)
    return damaged("the record at sequence " + std::to_string(first.value) +
                   " does not carry the chain hash of the one before");
  if (first == head_.record && record.chain != head_.chain)
    return damaged("the chain hash of its newest record, at sequence " +
                   std::to_string(first.value) + ", is not that of its head");
  begun_ = true;
  last_ = record.last();
  chain_ = record.chain;
  return decoded;
}

Result<void> Walk::finish(bool complete) const {
  if (complete && begun_ && last_ < head_.last)
    return damaged("it ends at sequence " + std::to_string(last_.value) + " but its head is at " +
                   std::to_string(head_.last.value));
  return {};
}

}  // namespace checkride::codec
