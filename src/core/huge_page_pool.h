// Memory in huge pages for what is large together but not each by itself: a decoder's weights of
// some megabytes, between which a mapping of its own for each would leave half of them in pages of
// 4 KB. Streaming those looks up addresses more slowly than memory gives the bytes. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

namespace vernier {

class HugePagePool {
 public:
  /// `bytes` of zeros, at a multiple of 64 bytes; their pages return to the system with the last
  /// owner, whether the pool is still there or not. Null where the system refuses them.
  std::shared_ptr<void> Allocate(size_t bytes);

 private:
  class Mapping;

  std::mutex mutex_;
  std::shared_ptr<Mapping> open_;  // what is allocated next comes out of it, if it fits
};

}  // namespace vernier
