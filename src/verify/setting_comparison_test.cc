#include "verify/setting_comparison.h"

#include <filesystem>
#include <fstream>

#include "io/npy.h"
#include "support/scratch_folder.h"
#include "verify/own_error.h"

namespace vernier {
namespace {

const std::string kModel = std::string(VERNIER_TEST_DATA) + "/goldens/vit/base_detail";

SettingSide Side(const std::string& device, const std::string& dtype = "f32") {
  SettingSide side{.words = "device=" + device + ",dtype=" + dtype, .options = {.model = kModel}};
  side.options.device = device;
  side.options.dtype = dtype;
  side.options.threads = 2;
  return side;
}

SettingComparisonRequest Request(const SettingSide& reference, const SettingSide& candidate) {
  SettingComparisonRequest request{.candidate = candidate, .reference = reference};
  request.inputs.emplace("pixel_values", ReadNpy(kModel + "/pixel_values.npy"));
  return request;
}

Comparison CompareSettings(const SettingComparisonRequest& request) {
  return SettingComparer(request).Run();
}

bool SameFigures(const Comparison& a, const Comparison& b) {
  return std::ranges::equal(a.tensors, b.tensors, [](const auto& x, const auto& y) {
    const bool own = x.own.has_value() == y.own.has_value() &&
                     (!x.own || x.own->metrics.max_abs == y.own->metrics.max_abs);
    return x.name == y.name && x.accumulated.max_abs == y.accumulated.max_abs &&
           x.accumulated.mse == y.accumulated.mse && own;
  });
}

TEST(CompareSettings, ShowsBothKindsOfErrorOfHalfPrecision) {
  const Comparison found = CompareSettings(Request(Side("ref"), Side("cpu", "bf16")));
  ASSERT_FALSE(found.tensors.empty());
  EXPECT_EQ(found.reference.device, "ref");
  EXPECT_EQ(found.candidate.dtype, "bf16");
  EXPECT_EQ(found.candidate.checkpoint_sha256, found.reference.checkpoint_sha256);
  const TensorComparison& last = found.tensors.back();
  EXPECT_GT(last.accumulated.rel_euclidean, 1e-4);  // bf16 rounds at 2^-9
  EXPECT_LT(last.accumulated.rel_euclidean, 1e-1);
  ASSERT_NE(MostOwnError(found.tensors), nullptr);
}

TEST(CompareSettings, GivesTheSameFiguresTwice) {
  const auto request = [] { return Request(Side("cpu"), Side("cpu", "bf16")); };
  EXPECT_TRUE(SameFigures(CompareSettings(request()), CompareSettings(request())));
}

TEST(CompareSettings, RefusesSidesWhosePicturesDifferInSize) {
  SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
  request.inputs.clear();
  request.images = {kModel + "/input_0.png"};
  request.candidate.options.interpolate_positions = true;
  request.candidate.options.height = request.candidate.options.width = 48;
  EXPECT_EQ(MessageOf([&] { CompareSettings(request); }),
            "pixel_values is [1, 3, 40, 40] under the reference's setting and [1, 3, 48, 48] under "
            "the candidate's");
}

TEST(CompareSettings, AsksForSomethingToRunOn) {
  SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
  request.inputs.clear();
  EXPECT_EQ(MessageOf([&] { CompareSettings(request); }),
            "there is nothing to run on: pixel_values is not given");
}

class Cached : public testing::Test {
 protected:
  Comparison Compare(const std::string& folder) {
    SettingComparisonRequest request = Request(Side("ref"), Side("cpu"));
    request.cache.folder = folder;
    request.cache.max_bytes = max_bytes_;
    return CompareSettings(request);
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& item :
         std::filesystem::directory_iterator(scratch_.path("reference"), error)) {
      files.push_back(item.path());
    }
    return files;
  }

  const ScratchFolder scratch_;
  int64_t max_bytes_ = int64_t{1} << 30;
};

TEST_F(Cached, GivesTheFiguresOfAFreshRun) {
  const Comparison fresh = Compare(scratch_.path());
  ASSERT_EQ(Files().size(), 1u);
  const auto written = std::filesystem::file_size(Files()[0]);
  const Comparison again = Compare(scratch_.path());
  EXPECT_TRUE(SameFigures(fresh, again));
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_EQ(std::filesystem::file_size(Files()[0]), written);
  EXPECT_TRUE(again.notes.empty());
}

TEST_F(Cached, IsComputedAnewWhereTheFileIsDamaged) {
  const Comparison fresh = Compare(scratch_.path());
  {
    std::fstream file(Files()[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file.put('x');
  }
  const Comparison again = Compare(scratch_.path());
  EXPECT_TRUE(SameFigures(fresh, again));
  ASSERT_EQ(again.notes.size(), 1u);
  EXPECT_THAT(again.notes[0], testing::HasSubstr("were changed"));
  EXPECT_TRUE(Compare(scratch_.path()).notes.empty());  // the file is whole again
}

TEST_F(Cached, GoesOnWhereTheFolderCannotBeWrittenTo) {
  const std::string file = scratch_.Write("no_folder", "x");
  const Comparison found = Compare(file);
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_THAT(found.notes[0], testing::HasSubstr("the cache of reference values was not used"));
}

TEST_F(Cached, KeepsNoMoreThanItMay) {
  scratch_.Write("reference/old.vb", std::string(5000, 'x'));
  std::filesystem::last_write_time(
      scratch_.path("reference/old.vb"),
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  max_bytes_ = 1;
  Compare(scratch_.path());
  ASSERT_EQ(Files().size(), 1u);
  EXPECT_THAT(Files()[0], testing::Not(testing::HasSubstr("old.vb")));
}

}  // namespace
}  // namespace vernier
