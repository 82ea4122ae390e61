#include "bench/profile.h"

#include <vector>

#include "io/json.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kMillion = 1'000'000;

const Peaks kPeaks{
    .threads = 1, .isa = "avx2", .f32_gflops = 100, .bf16_gflops = 200, .gb_per_s = 10};

PlacedNode Node(const std::string& name, const std::string& op, int64_t flops, int64_t bytes,
                const std::string& dtype = "f32") {
  return {.name = name,
          .op = op,
          .provider = "vernier",
          .isa = "avx2",
          .kernel = "k",
          .dtype = dtype,
          .flops = flops,
          .bytes = bytes};
}

// A product of 100 MFLOP (1 ms at the peak) in 2 ms, then a sum over 10 MB (1 ms) in 4 ms.
Profile TwoNodes() {
  const std::vector<PlacedNode> nodes = {Node("fc", "Linear", 100 * kMillion, 1000),
                                         Node("sum", "Add", 0, 10 * kMillion)};
  const std::vector<std::vector<NodeTime>> runs = {
      {{0, 1900}, {2500, 6500}}, {{0, 2000}, {2500, 6500}}, {{0, 2100}, {2500, 6500}}};
  return MakeProfile(nodes, runs, kPeaks);
}

TEST(Profile, HoldsEachNodeToTheRoofline) {
  const Profile profile = TwoNodes();
  EXPECT_EQ(profile.runs, 3);
  EXPECT_DOUBLE_EQ(profile.run_ms, 6.5);
  EXPECT_DOUBLE_EQ(profile.between_ms, 0.5);
  const WorkShare& product = profile.nodes[0].work;
  EXPECT_DOUBLE_EQ(product.ms, 2);
  EXPECT_DOUBLE_EQ(product.gflops, 50);
  EXPECT_DOUBLE_EQ(product.compute_share, 0.5);
  EXPECT_TRUE(product.compute_bound);
  EXPECT_DOUBLE_EQ(product.lost_ms, 1);
  const WorkShare& sum = profile.nodes[1].work;
  EXPECT_FALSE(sum.compute_bound);
  EXPECT_DOUBLE_EQ(sum.memory_share, 0.25);
  EXPECT_DOUBLE_EQ(sum.lost_ms, 3);
}

TEST(Profile, TakesThePeakOfTheNumbersThatANodeMultiplies) {
  const std::vector<PlacedNode> nodes = {Node("fc", "Linear", 200 * kMillion, 0, "bf16")};
  const std::vector<std::vector<NodeTime>> runs = {{{0, 1000}}};
  EXPECT_DOUBLE_EQ(MakeProfile(nodes, runs, kPeaks).nodes[0].work.compute_share, 1);
}

TEST(Profile, NamesTheMostWastefulNodesInWords) {
  EXPECT_THAT(
      TwoNodes().wasteful,
      ElementsAre("sum (Add, f32) takes 4.000 ms and could take 1.000: 10 MB at 2.5 GB/s, 25 % of "
                  "the memory's 10 GB/s",
                  "fc (Linear, f32) takes 2.000 ms and could take 1.000: 0.1 GFLOP at 50 GFLOP/s, "
                  "50 % of the peak"));
}

TEST(Profile, NamesTenNodesAtMost) {
  std::vector<PlacedNode> nodes;
  std::vector<NodeTime> times;
  for (int i = 0; i < 30; ++i) {
    nodes.push_back(Node(std::to_string(i), "Add", 0, 1000));
    times.push_back({i * 10.0, i * 10.0 + 5});
  }
  const std::vector<std::vector<NodeTime>> runs = {times};
  EXPECT_THAT(MakeProfile(nodes, runs, kPeaks).wasteful, SizeIs(10));
}

TEST(Profile, SumsNodesOfOneKindAndType) {
  const std::vector<PlacedNode> nodes = {Node("a", "Linear", 100 * kMillion, 0),
                                         Node("b", "Add", 0, kMillion),
                                         Node("c", "Linear", 100 * kMillion, 0)};
  const std::vector<std::vector<NodeTime>> runs = {{{0, 1000}, {1000, 1500}, {1500, 4500}}};
  const Profile profile = MakeProfile(nodes, runs, kPeaks);
  ASSERT_THAT(profile.ops, SizeIs(2));
  EXPECT_EQ(profile.ops[0].op, "Linear");
  EXPECT_EQ(profile.ops[0].count, 2);
  EXPECT_DOUBLE_EQ(profile.ops[0].work.ms, 4);
  EXPECT_DOUBLE_EQ(profile.ops[0].work.gflops, 50);
  EXPECT_DOUBLE_EQ(profile.ops[0].work.compute_share, 0.5);
  EXPECT_DOUBLE_EQ(profile.ops[0].work.lost_ms, 2);
}

// Two lanes: what one of them waits for is not idle while the other works.
TEST(Profile, CountsAsBetweenOnlyWhatNoLaneUses) {
  std::vector<PlacedNode> nodes = {Node("a", "Add", 0, 8), Node("b", "Add", 0, 8),
                                   Node("c", "Add", 0, 8)};
  nodes[1].lane = 1;
  const std::vector<std::vector<NodeTime>> runs = {{{0, 1000}, {0, 3000}, {3200, 4000}}};
  const Profile profile = MakeProfile(nodes, runs, kPeaks);
  EXPECT_DOUBLE_EQ(profile.between_ms, 0.2);
  EXPECT_EQ(profile.lanes, 2);
}

TEST(Profile, IsWrittenAsJson) {
  JsonWriter writer;
  WriteJson(TwoNodes(), writer);
  const Json json = Json::Parse(writer.Take(), "profile");
  EXPECT_EQ(json.GetArray("nodes").items()[0].GetString("kernel"), "vernier:avx2:k");
  EXPECT_EQ(json.GetArray("nodes").items()[1].GetString("bound"), "memory");
  EXPECT_EQ(json.GetArray("ops").items()[0].GetString("op"), "Add");
  EXPECT_THAT(json.GetStrings("wasteful"), SizeIs(2));
}

}  // namespace
}  // namespace vernier
