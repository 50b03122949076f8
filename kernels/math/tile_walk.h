// How a grid of threads shares out an array of 8-byte elements in 16-byte vectors: a head of at
// most one element up to the first 16-byte boundary, vectors, a tail of at most one element.
// Vectors are dealt out in tiles of a few a thread, so that each thread has as many independent
// loads under way; what is left of a last tile goes one at a time. Shared by bandwidth and memtest,
// compiled for the host in tests: every element is visited exactly once.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels {

struct ElementSplit {
  std::uint64_t head = 0;     // 0 or 1 element before the first vector
  std::uint64_t vectors = 0;  // of two elements
  std::uint64_t tail = 0;     // 0 or 1 element after the last vector
};

// `address` is a multiple of 8.
CR_HOST_DEVICE ElementSplit split_of(std::uint64_t address, std::uint64_t elements) {
  ElementSplit split;
  split.head = elements > 0 && address % 16 != 0 ? 1 : 0;
  split.vectors = (elements - split.head) / 2;
  split.tail = (elements - split.head) % 2;
  return split;
}

struct Place {  // of one thread in the grid
  std::uint32_t block = 0, blocks = 1;
  std::uint32_t thread = 0, threads = 1;
};

constexpr int vectors_at_once = 4;  // where nothing else is said

// some(first, step): vectors first, first + step, ..., `at_once` of them; one(index).
template <int at_once = vectors_at_once, class Some, class One>
CR_HOST_DEVICE void walk_vectors(std::uint64_t vectors, const Place& place, Some&& some,
                                 One&& one) {
  const std::uint64_t step = place.threads;
  const std::uint64_t tile = step * at_once;
  const std::uint64_t tiles = vectors / tile;
  for (std::uint64_t t = place.block; t < tiles; t += place.blocks)
    some(t * tile + place.thread, step);
  // The remainder, shorter than a tile, goes to the block whose turn it is.
  if (tiles % place.blocks == place.block)
    for (std::uint64_t i = tiles * tile + place.thread; i < vectors; i += step) one(i);
}

}  // namespace checkride::kernels
