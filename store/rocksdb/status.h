// The one place where RocksDB's failures become Errors.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "engine/base/result.h"

namespace checkride {

// `doing` completes "cannot ..."; corruption -> corrupt, no space -> no_space, busy -> locked, the
// rest -> io. Not for ok.
tl::unexpected<Error> fail_rocksdb(const rocksdb::Status& status, std::string_view doing);

inline Result<void> to_result(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return fail_rocksdb(status, doing);
}

}  // namespace checkride
