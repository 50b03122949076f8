#include "store/rocksdb/status.h"

namespace checkride {

namespace {

ErrorCode code_of(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace)
    return ErrorCode::no_space;
  // After a failed write RocksDB answers with the first failure's text only.
  if (status.ToString().find("No space left") != std::string::npos) return ErrorCode::no_space;
  switch (status.code()) {
    case rocksdb::Status::kCorruption: return ErrorCode::corrupt;
    case rocksdb::Status::kNotFound: return ErrorCode::not_found;
    case rocksdb::Status::kBusy: return ErrorCode::locked;
    case rocksdb::Status::kTimedOut: return ErrorCode::timeout;
    case rocksdb::Status::kNotSupported: return ErrorCode::unsupported;
    case rocksdb::Status::kInvalidArgument: return ErrorCode::internal;
    default: return ErrorCode::io;
  }
}

std::string_view advice_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::no_space: return "; make room on the disk and start again";
    case ErrorCode::corrupt: return "; `checkride verify` says what can still be read";
    default: return "";
  }
}

}  // namespace

tl::unexpected<Error> fail_rocksdb(const rocksdb::Status& status, std::string_view doing) {
  const ErrorCode code = code_of(status);
  return fail(code, "cannot " + std::string(doing) + ": " + status.ToString() +
                        std::string(advice_for(code)));
}

}  // namespace checkride
