#include "core/huge_page_pool.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

namespace vernier {
namespace {

// Of this process, without what it maps from files.
int64_t ResidentPages() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0, shared = 0;
  file >> size >> resident >> shared;
  return resident - shared;
}

constexpr int64_t kPage = 4096;

TEST(HugePagePool, GivesZerosThatNobodyElseHas) {
  HugePagePool pool;
  const std::vector<size_t> sizes = {1, 64, 5000, 3 << 20, 100, size_t{1} << 20};
  std::vector<std::shared_ptr<void>> pieces;
  for (size_t i = 0; i < sizes.size(); ++i) {
    pieces.push_back(pool.Allocate(sizes[i]));
    const auto* begin = static_cast<const char*>(pieces.back().get());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(begin) % 64, 0u);
    EXPECT_TRUE(std::all_of(begin, begin + sizes[i], [](char c) { return c == 0; }));
    std::memset(pieces.back().get(), static_cast<int>(i) + 1, sizes[i]);
  }
  pieces[3].reset();
  for (size_t i = 0; i < sizes.size(); ++i) {
    const auto* begin = static_cast<const char*>(pieces[i].get());
    if (begin == nullptr) continue;
    const auto value = static_cast<char>(i + 1);
    EXPECT_TRUE(std::all_of(begin, begin + sizes[i], [&](char c) { return c == value; })) << i;
  }
}

TEST(HugePagePool, LaysPiecesBesideEachOtherSoThatTheyShareHugePages) {
  HugePagePool pool;
  const auto first = pool.Allocate(3 << 20), second = pool.Allocate(3 << 20);
  EXPECT_EQ(static_cast<char*>(first.get()) + (3 << 20), second.get());
}

TEST(HugePagePool, HasAMappingForWhatIsLargerThanMost) {
  HugePagePool pool;
  const auto before = pool.Allocate(1000);
  const size_t bytes = size_t{200} << 20;
  const auto large = pool.Allocate(bytes);
  const auto after = pool.Allocate(1000);
  ASSERT_NE(large, nullptr);
  static_cast<char*>(large.get())[bytes - 1] = 1;
  EXPECT_EQ(static_cast<char*>(before.get()) + 1024, after.get());
}

TEST(HugePagePool, ReturnsPagesWithAPiecesLastOwner) {
  HugePagePool pool;
  const size_t bytes = size_t{48} << 20;
  const auto stays = pool.Allocate(bytes);
  auto goes = pool.Allocate(bytes);
  std::memset(stays.get(), 1, bytes);
  std::memset(goes.get(), 1, bytes);
  const int64_t before = ResidentPages();
  goes.reset();
  EXPECT_LT(ResidentPages(), before - static_cast<int64_t>(bytes) / kPage * 3 / 4);
}

TEST(HugePagePool, IsOutlivedByItsPieces) {
  std::shared_ptr<void> piece;
  {
    HugePagePool pool;
    piece = pool.Allocate(5000);
  }
  std::memset(piece.get(), 1, 5000);
  EXPECT_EQ(static_cast<const char*>(piece.get())[4999], 1);
}

TEST(HugePagePool, SaysWhatTheSystemRefuses) {
  EXPECT_EQ(HugePagePool().Allocate(size_t{1} << 55), nullptr);
}

}  // namespace
}  // namespace vernier
