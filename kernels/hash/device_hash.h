// The position-mixed hash of device memory, the same bits as on the host.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels {

// Queues the hash of `bytes` bytes at `data` (aligned to 16 bytes) into *sum, 8 bytes of device
// memory, which is set to zero first. finished_hash(*sum, bytes) is the hash.
Result<void> queue_device_hash(const void* data, std::size_t bytes, std::uint64_t* sum,
                               CUstream_st* stream);

// Queues, waits and finishes; needs no memory of the caller.
Result<std::uint64_t> device_hash(const void* data, std::size_t bytes, CUstream_st* stream);

}  // namespace checkride::kernels
