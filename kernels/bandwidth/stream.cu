// The kernels of bw.device, by 16-byte accesses. Those that read and write have one access a thread
// and a block for every 4 KiB: that keeps reads and writes of the whole device close together, and
// was 17 % faster than 4 accesses a thread on a grid that stays resident (README). Those that only
// read or only write have 4 accesses a thread. Compiled without fused multiply-add, so that the
// values are the host's.
#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "kernels/bandwidth/stream.h"
#include "kernels/bandwidth/stream_math.h"
#include "kernels/cuda/check.h"
#include "kernels/math/tile_walk.h"

namespace checkride::kernels::bandwidth {
namespace {

using cuda::check;
using cuda::DeviceBuffer;

constexpr int threads = 256;
constexpr int mapped_at_once = 1;
constexpr int read_blocks_per_multiprocessor = 64;
constexpr int l2_blocks_per_multiprocessor = 8;  // all of them resident, or some would read alone

__device__ Place this_place() {
  return {blockIdx.x, gridDim.x, threadIdx.x, blockDim.x};
}

// Streamed data is not read again before it has left the cache.
__device__ double2 load(const double2* at) {
  return __ldcs(at);
}
__device__ void store(double2* at, double2 value) {
  __stcs(at, value);
}

// out[i] = op(x[i], y[i], i) for one array to write and one or two to read, all aligned alike.
template <int reads, int at_once, class Op>
__device__ void map_elements(double* out, const double* x, const double* y, std::uint64_t elements,
                             Op op) {
  const ElementSplit split = split_of(reinterpret_cast<std::uint64_t>(out), elements);
  const auto* xv = reinterpret_cast<const double2*>(x + split.head);
  const auto* yv = reinterpret_cast<const double2*>(y + split.head);
  auto* outv = reinterpret_cast<double2*>(out + split.head);
  const auto both = [&](double2 p, double2 q, std::uint64_t vector) {
    const std::uint64_t index = split.head + 2 * vector;
    return double2{op(p.x, q.x, index), op(p.y, q.y, index + 1)};
  };
  walk_vectors<at_once>(
      split.vectors, this_place(),
      [&](std::uint64_t first, std::uint64_t step) {
        double2 p[at_once] = {};
        double2 q[at_once] = {};
        CR_UNROLL
        for (int j = 0; j < at_once; ++j) {
          if (reads > 0) p[j] = load(xv + first + j * step);
          if (reads > 1) q[j] = load(yv + first + j * step);
        }
        CR_UNROLL
        for (int j = 0; j < at_once; ++j)
          store(outv + first + j * step, both(p[j], q[j], first + j * step));
      },
      [&](std::uint64_t i) {
        store(outv + i,
              both(reads > 0 ? load(xv + i) : double2{}, reads > 1 ? load(yv + i) : double2{}, i));
      });
  if (blockIdx.x != 0 || threadIdx.x > 1) return;
  const std::uint64_t edge = threadIdx.x == 0 ? 0 : elements - 1;
  if (threadIdx.x == 0 ? split.head != 0 : split.tail != 0)
    out[edge] = op(reads > 0 ? x[edge] : 0.0, reads > 1 ? y[edge] : 0.0, edge);
}

__global__ void __launch_bounds__(threads)
    bandwidth_copy(double* c, const double* a, std::uint64_t n) {
  map_elements<1, mapped_at_once>(c, a, a, n, [](double p, double, std::uint64_t) { return p; });
}
__global__ void __launch_bounds__(threads)
    bandwidth_scale(double* b, const double* c, std::uint64_t n, double scalar) {
  map_elements<1, mapped_at_once>(
      b, c, c, n, [=](double p, double, std::uint64_t) { return scaled(scalar, p); });
}
__global__ void __launch_bounds__(threads)
    bandwidth_triad(double* a, const double* b, const double* c, std::uint64_t n, double scalar) {
  map_elements<2, mapped_at_once>(
      a, b, c, n, [=](double p, double q, std::uint64_t) { return triad(p, scalar, q); });
}
__global__ void __launch_bounds__(threads) bandwidth_write(double* c, std::uint64_t n, double k) {
  map_elements<0, vectors_at_once>(
      c, c, c, n, [=](double, double, std::uint64_t index) { return k * base_value(index); });
}

// The block's sum or maximum lands in partial[block].
template <class Join>
__device__ void join_block(double value, double* partial, Join join) {
  __shared__ double warps[threads / 32];
  for (int lane = 16; lane > 0; lane /= 2) value = join(value, __shfl_down_sync(~0u, value, lane));
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int warp = 1; warp < threads / 32; ++warp) value = join(value, warps[warp]);
  partial[blockIdx.x] = value;
}

__device__ double add(double x, double y) {
  return x + y;
}

__global__ void __launch_bounds__(threads)
    bandwidth_read(const double* a, std::uint64_t n, double* partial) {
  const ElementSplit split = split_of(reinterpret_cast<std::uint64_t>(a), n);
  const auto* v = reinterpret_cast<const double2*>(a + split.head);
  double sum[vectors_at_once] = {};
  walk_vectors(
      split.vectors, this_place(),
      [&](std::uint64_t first, std::uint64_t step) {
        double2 p[vectors_at_once];
        CR_UNROLL
        for (int j = 0; j < vectors_at_once; ++j) p[j] = load(v + first + j * step);
        CR_UNROLL
        for (int j = 0; j < vectors_at_once; ++j) sum[j] += p[j].x + p[j].y;
      },
      [&](std::uint64_t i) {
        const double2 p = load(v + i);
        sum[0] += p.x + p.y;
      });
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    if (split.head != 0) sum[1] += a[0];
    if (split.tail != 0) sum[2] += a[n - 1];
  }
  join_block((sum[0] + sum[1]) + (sum[2] + sum[3]), partial, add);
}

// Past L1 each time, whatever was read before.
__device__ double2 load_l2(const double2* at) {
  double2 value;
  asm volatile("ld.global.cg.v2.f64 {%0, %1}, [%2];" : "=d"(value.x), "=d"(value.y) : "l"(at));
  return value;
}

// `vectors` of them, read `passes` times; each pass a block starts elsewhere, as other readers
// would.
__global__ void __launch_bounds__(threads)
    bandwidth_l2_read(const double2* v, std::uint64_t vectors, int passes, double* partial) {
  double sum[vectors_at_once] = {};
  for (int pass = 0; pass < passes; ++pass) {
    Place place = this_place();
    place.block = (place.block + static_cast<unsigned>(pass)) % place.blocks;
    walk_vectors(
        vectors, place,
        [&](std::uint64_t first, std::uint64_t step) {
          double2 p[vectors_at_once];
          CR_UNROLL
          for (int j = 0; j < vectors_at_once; ++j) p[j] = load_l2(v + first + j * step);
          CR_UNROLL
          for (int j = 0; j < vectors_at_once; ++j) sum[j] += p[j].x + p[j].y;
        },
        [&](std::uint64_t i) {
          const double2 p = load_l2(v + i);
          sum[0] += p.x + p.y;
        });
  }
  join_block((sum[0] + sum[1]) + (sum[2] + sum[3]), partial, add);
}

__global__ void __launch_bounds__(threads)
    bandwidth_check(const double* x, std::uint64_t n, double k, double* partial) {
  double largest = 0.0;
  const std::uint64_t step = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  for (std::uint64_t i = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
       i += step)
    largest = max(largest, relative_error(x[i], k * base_value(i)));
  join_block(largest, partial, [](double x1, double x2) { return max(x1, x2); });
}

class DeviceStreams final : public Streams {
 public:
  DeviceStreams() = default;
  DeviceStreams(const DeviceStreams&) = delete;
  DeviceStreams& operator=(const DeviceStreams&) = delete;
  ~DeviceStreams() override {
    if (begin_ != nullptr) cudaEventDestroy(begin_);
    if (end_ != nullptr) cudaEventDestroy(end_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  Result<void> allocate(std::uint64_t array_bytes, std::uint64_t offset) {
    elements_ = array_bytes / sizeof(double);
    offset_ = offset;
    for (DeviceBuffer& array : arrays_) {
      CR_TRY(array, DeviceBuffer::allocate(array_bytes + offset * sizeof(double)));
    }
    int device = 0;
    int multiprocessors = 0;
    CR_CHECK(check(cudaGetDevice(&device), "the device in use"));
    CR_CHECK(check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                   "the number of multiprocessors"));
    read_blocks_ = static_cast<unsigned>(multiprocessors * read_blocks_per_multiprocessor);
    l2_blocks_ = static_cast<unsigned>(multiprocessors * l2_blocks_per_multiprocessor);
    map_blocks_ = blocks_for(mapped_at_once);
    write_blocks_ = blocks_for(vectors_at_once);
    read_blocks_ = std::min(read_blocks_, write_blocks_);
    l2_blocks_ = std::min(l2_blocks_, write_blocks_);
    CR_TRY(partial_, DeviceBuffer::allocate(read_blocks_ * sizeof(double)));
    CR_CHECK(check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream"));
    CR_CHECK(check(cudaEventCreate(&begin_), "create an event"));
    return check(cudaEventCreate(&end_), "create an event");
  }

  std::uint64_t elements() const override { return elements_; }

  Result<void> fill(Array array, double k) override {
    bandwidth_write<<<write_blocks_, threads, 0, stream_>>>(at(array), elements_, k);
    CR_CHECK(check(cudaGetLastError(), "fill an array"));
    return check(cudaStreamSynchronize(stream_), "fill an array");
  }

  Result<void> poison(Array array) override {
    CR_CHECK(check(cudaMemsetAsync(at(array), 0xff, elements_ * sizeof(double), stream_),
                   "poison an array"));
    return check(cudaStreamSynchronize(stream_), "poison an array");
  }

  Result<double> run(Kernel kernel, double scalar, double k) override {
    CR_CHECK(clear_partials());
    CR_CHECK(check(cudaEventRecord(begin_, stream_), "record an event"));
    launch(kernel, scalar, k);
    CR_CHECK(check(cudaGetLastError(), "launch a bandwidth kernel"));
    CR_CHECK(check(cudaEventRecord(end_, stream_), "record an event"));
    CR_CHECK(check(cudaEventSynchronize(end_), "run a bandwidth kernel"));
    float milliseconds = 0.0f;
    CR_CHECK(check(cudaEventElapsedTime(&milliseconds, begin_, end_), "read a time"));
    passes_ = kernel == Kernel::l2_read ? l2_passes : 1;
    return static_cast<double>(milliseconds) / 1000.0;
  }

  Result<double> last_sum() override {
    CR_TRY(const std::vector<double> sums, partials());
    double sum = 0.0;
    for (const double part : sums) sum += part;
    return sum / passes_;
  }

  Result<double> largest_error(Array array, double k) override {
    bandwidth_check<<<read_blocks_, threads, 0, stream_>>>(at(array), elements_, k, partial());
    CR_CHECK(check(cudaGetLastError(), "check an array"));
    CR_CHECK(check(cudaStreamSynchronize(stream_), "check an array"));
    CR_TRY(const std::vector<double> errors, partials());
    return *std::max_element(errors.begin(), errors.end());
  }

 private:
  // One tile a block, and one more for what is left of a last tile.
  unsigned blocks_for(int at_once) const {
    const auto tile_elements = 2ULL * threads * static_cast<unsigned>(at_once);
    return static_cast<unsigned>(elements_ / tile_elements + 1);
  }
  double* at(Array array) {
    return static_cast<double*>(arrays_[static_cast<int>(array)].data()) + offset_;
  }
  double* partial() { return static_cast<double*>(partial_.data()); }

  Result<std::vector<double>> partials() {
    std::vector<double> host(read_blocks_);
    CR_CHECK(partial_.download(host.data()));
    return host;
  }

  // A kernel that sums leaves as many sums as it has blocks; those beyond stay 0.
  Result<void> clear_partials() {
    return check(cudaMemsetAsync(partial(), 0, partial_.bytes(), stream_), "clear the sums");
  }

  void launch(Kernel kernel, double scalar, double k) {
    double* const a = at(Array::a);
    double* const b = at(Array::b);
    double* const c = at(Array::c);
    const std::uint64_t n = elements_;
    switch (kernel) {
      case Kernel::copy: bandwidth_copy<<<map_blocks_, threads, 0, stream_>>>(c, a, n); break;
      case Kernel::scale:
        bandwidth_scale<<<map_blocks_, threads, 0, stream_>>>(b, c, n, scalar);
        break;
      case Kernel::triad:
        bandwidth_triad<<<map_blocks_, threads, 0, stream_>>>(a, b, c, n, scalar);
        break;
      case Kernel::read:
        bandwidth_read<<<read_blocks_, threads, 0, stream_>>>(a, n, partial());
        break;
      case Kernel::write: bandwidth_write<<<write_blocks_, threads, 0, stream_>>>(c, n, k); break;
      case Kernel::l2_read:
        bandwidth_l2_read<<<l2_blocks_, threads, 0, stream_>>>(
            reinterpret_cast<const double2*>(a + offset_ % 2),
            std::min<std::uint64_t>(l2_buffer_bytes / sizeof(double2), (n - offset_ % 2) / 2),
            l2_passes, partial());
        break;
    }
  }

  std::uint64_t elements_ = 0;
  std::uint64_t offset_ = 0;
  unsigned map_blocks_ = 0;
  unsigned write_blocks_ = 0;
  unsigned read_blocks_ = 0;
  unsigned l2_blocks_ = 0;
  int passes_ = 1;
  DeviceBuffer arrays_[3];
  DeviceBuffer partial_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<Streams>> device_streams(std::uint64_t array_bytes,
                                                std::uint64_t offset_elements) {
  auto streams = std::make_unique<DeviceStreams>();
  CR_CHECK(streams->allocate(array_bytes, offset_elements));
  return streams;
}

}  // namespace checkride::kernels::bandwidth
