// Three arrays and the kernels that stream over them: what bw.device measures, on a device or on
// the host's threads. The order of kernels and the values they leave follow BabelStream (copy c=a,
// scale b=s*c, triad a=b+s*c), with read, write and a repeated read of a buffer that stays in L2.
// Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/base/result.h"

namespace checkride::kernels::bandwidth {

enum class Kernel : std::uint8_t { copy, scale, triad, read, write, l2_read };
inline constexpr Kernel all_kernels[] = {Kernel::copy, Kernel::scale, Kernel::triad,
                                         Kernel::read, Kernel::write, Kernel::l2_read};
std::string_view to_string(Kernel kernel);

// Bytes read and written by one run over arrays of `array_bytes`; those of l2_read are its own.
std::uint64_t bytes_moved(Kernel kernel, std::uint64_t array_bytes);

inline constexpr std::uint64_t l2_buffer_bytes = 16ULL << 20;
inline constexpr int l2_passes = 128;

enum class Array : std::uint8_t { a, b, c };

class Streams {
 public:
  virtual ~Streams() = default;
  // Elements of 8 bytes in each array.
  virtual std::uint64_t elements() const = 0;
  // Fills an array with k * base.
  virtual Result<void> fill(Array array, double k) = 0;
  virtual Result<void> poison(Array array) = 0;  // every byte 0xff
  // Runs a kernel once and gives its time in seconds. write leaves k * base in c.
  virtual Result<double> run(Kernel kernel, double scalar, double k) = 0;
  // The sum that the last read (of a) or l2_read (of the first elements of a, once) found.
  virtual Result<double> last_sum() = 0;
  // Largest relative_error of an array's elements against k * base.
  virtual Result<double> largest_error(Array array, double k) = 0;
};

// `array_bytes` is a multiple of 8; `offset_elements` shifts every array's start (for tests of
// addressing). Errors: no_space, unavailable, internal.
Result<std::unique_ptr<Streams>> host_streams(std::uint64_t array_bytes, int threads);
#ifdef CR_CUDA
Result<std::unique_ptr<Streams>> device_streams(std::uint64_t array_bytes,
                                                std::uint64_t offset_elements = 0);
#endif

}  // namespace checkride::kernels::bandwidth
