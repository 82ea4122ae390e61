#include "bench/configuration.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Grid, HoldsAllCombinationsWithBatchesFastest) {
  const auto grid = Expand({.dtypes = {"f32", "bf16"},
                            .threads = {1, 2},
                            .streams = {1},
                            .parallel_branches = {false, true},
                            .sizes = {{224, 224}},
                            .batches = {1, 4, 8}});
  ASSERT_THAT(grid, SizeIs(24));
  EXPECT_EQ(grid[1].batch, 4);
  EXPECT_TRUE(grid[1].SharesSession(grid[0]));
  EXPECT_FALSE(grid[3].SharesSession(grid[2]));
  EXPECT_EQ(grid[3].parallel_branches, true);
  EXPECT_EQ(grid[23].dtype, "bf16");
  EXPECT_THAT(Expand({.dense_top_features = {false, true}}), SizeIs(2));
}

TEST(Configuration, SaysWhatIsUnusual) {
  EXPECT_EQ(InWords(Configuration{}), "f32, 1 thread, batch 1");
  EXPECT_EQ(InWords({"bf16", 4, 2, true, true, 224, 448, 0, 8}),
            "bf16, 4 threads, 2 streams, branches in parallel, dense top features, 224x448, batch "
            "8");
  EXPECT_EQ(InWords({.patches = 512}), "f32, 1 thread, 512 patches, batch 1");
}

TEST(Configuration, DividesTheThreadsAmongStreams) {
  SessionOptions base;
  base.model = "m";
  const SessionOptions stream = OptionsOfStream(
      base, {.dtype = "bf16", .threads = 4, .streams = 2, .dense_top_features = true});
  EXPECT_EQ(stream.threads, 2);
  EXPECT_TRUE(stream.dense_top_features);
  EXPECT_EQ(stream.dtype, "bf16");
  EXPECT_EQ(stream.model, "m");
  EXPECT_EQ(MessageOf([&] { OptionsOfStream(base, {.threads = 1, .streams = 2}); }),
            "2 streams cannot share 1 thread equally");
}

}  // namespace
}  // namespace vernier
