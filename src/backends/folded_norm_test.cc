// Folding against the goldens' own, which were computed in double and rounded once.
#include "backends/folded_norm.h"

#include <fmt/format.h>

#include "io/checkpoint.h"
#include "io/npy.h"

namespace vernier {
namespace {

struct FoldedCase {
  const char* golden;
  const char* file;
  const char* conv;
  const char* norm;
};

void ExpectFolded(const FoldedCase& c) {
  SCOPED_TRACE(fmt::format("{} {}", c.golden, c.file));
  const std::string folder = fmt::format("{}/goldens/blendmask/{}", VERNIER_TEST_DATA, c.golden);
  const Checkpoint checkpoint = Checkpoint::Open(folder + "/model.safetensors");
  const auto tensor = [&](const std::string& name) { return ToFloat32(checkpoint.View(name)); };
  const std::string conv = c.conv, norm = c.norm;
  Tensor weight = tensor(conv + ".weight");
  Tensor bias(DType::kF32, {weight.shape()[0]});
  std::ranges::fill(bias.as<float>(), 0.0f);
  if (checkpoint.Has(conv + ".bias")) bias = tensor(conv + ".bias");
  const Tensor gain = tensor(norm + ".weight"), shift = tensor(norm + ".bias");
  const Tensor mean = tensor(norm + ".running_mean"), variance = tensor(norm + ".running_var");

  FoldNorm({.gain = gain.as<float>(),
            .shift = shift.as<float>(),
            .mean = mean.as<float>(),
            .variance = variance.as<float>(),
            .eps = 1e-5},
           weight.as<float>(), bias.as<float>());

  const Tensor folded_weight = ReadNpy(fmt::format("{}/folded/{}.weight.npy", folder, c.file));
  const Tensor folded_bias = ReadNpy(fmt::format("{}/folded/{}.bias.npy", folder, c.file));
  EXPECT_TRUE(std::ranges::equal(weight.as<float>(), folded_weight.as<float>()));
  EXPECT_TRUE(std::ranges::equal(bias.as<float>(), folded_bias.as<float>()));
}

TEST(FoldedNorm, IsExactlyThatOfTheGoldens) {
  constexpr const char* kStem = "backbone.bottom_up.stem.conv1";
  constexpr const char* kStemNorm = "backbone.bottom_up.stem.conv1.norm";
  constexpr const char* kTower = "proposal_generator.fcos_head.cls_tower.0";
  ExpectFolded({"lite_bn", "stem", kStem, kStemNorm});
  ExpectFolded(
      {"lite_bn", "cls_tower_0_level0", kTower, "proposal_generator.fcos_head.cls_tower.1.0"});
  ExpectFolded(
      {"lite_bn", "cls_tower_0_level4", kTower, "proposal_generator.fcos_head.cls_tower.1.4"});
  ExpectFolded({"lite_bn_shared", "stem", kStem, kStemNorm});
  ExpectFolded(
      {"lite_bn_shared", "cls_tower_0", kTower, "proposal_generator.fcos_head.cls_tower.1"});
}

}  // namespace
}  // namespace vernier
