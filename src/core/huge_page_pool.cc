#include "core/huge_page_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/huge_pages.h"
#include "core/rounding.h"

namespace vernier {
namespace {

constexpr size_t kAlignment = 64;

// Bytes from `p` to the next multiple of `step`.
size_t BytesUpTo(size_t step, const void* p) {
  const auto address = reinterpret_cast<uintptr_t>(p);
  return RoundUp(address, step) - address;
}

// Of addresses, which cost nothing until they are written to. Larger pieces have a mapping of their
// own.
constexpr size_t kMappingBytes = size_t{128} << 20;

}  // namespace

class HugePagePool::Mapping {
 public:
  /// Null where the system refuses it.
  static std::shared_ptr<Mapping> Make(size_t bytes) {
    const size_t reserved = RoundUp(bytes, kHugePage) + kHugePage;
    void* base =
        mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return nullptr;
    return std::make_shared<Mapping>(base, reserved);
  }

  Mapping(void* base, size_t reserved)
      : base_(static_cast<char*>(base)), reserved_(reserved), used_(BytesUpTo(kHugePage, base)) {
    AdviseHugePages(base_ + used_, reserved_ - used_);
  }
  ~Mapping() { munmap(base_, reserved_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// Null where too little is left.
  char* Take(size_t bytes) {
    if (reserved_ - used_ < bytes) return nullptr;
    char* taken = base_ + used_;
    used_ += RoundUp(bytes, kAlignment);
    return taken;
  }

  /// The pages that lie within these bytes; others' bytes may share the first and the last.
  static void GiveBack(char* begin, size_t bytes) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t before = BytesUpTo(page, begin);
    if (bytes < before + page) return;
    madvise(begin + before, (bytes - before) / page * page, MADV_DONTNEED);
  }

 private:
  char* base_;
  size_t reserved_;
  size_t used_;
};

std::shared_ptr<void> HugePagePool::Allocate(size_t bytes) {
  std::shared_ptr<Mapping> mapping;
  char* piece = nullptr;
  {
    std::lock_guard lock(mutex_);
    mapping = open_;
    if (mapping != nullptr) piece = mapping->Take(bytes);
    if (piece == nullptr) {
      const bool alone = bytes >= kMappingBytes;
      mapping = Mapping::Make(alone ? bytes : kMappingBytes);
      if (mapping == nullptr) return nullptr;
      piece = mapping->Take(bytes);
      if (!alone) open_ = mapping;
    }
  }
  return {piece, [mapping, bytes](void* of_piece) {
            Mapping::GiveBack(static_cast<char*>(of_piece), bytes);
          }};
}

}  // namespace vernier
