// RocksDB's options for the log, each with its reason.
#pragma once

#include <rocksdb/options.h>

#include "store/rocksdb/database.h"

namespace checkride {

rocksdb::DBOptions database_options(DatabaseMode mode);
rocksdb::ColumnFamilyOptions table_options(Table table,
                                           const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace checkride
