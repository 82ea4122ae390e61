// What `vernier run --dump` writes of a model that reads pages, against the reference's arrays: all
// of a golden's names, with its shapes, within its tolerances.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/npy.h"
#include "support/command.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

// The values of a dump by every name that its manifest knows.
class Dumped {
 public:
  explicit Dumped(const std::string& folder) : folder_(folder) {
    const Json manifest = Json::ParseFile(folder + "/manifest.json");
    for (const Json& entry : manifest.GetArray("tensors").items()) {
      const std::string file = entry.GetString("file");
      EXPECT_TRUE(written_.insert(file).second) << file << " was written twice";
      EXPECT_EQ(ReadNpy(folder + "/" + file).shape(), Shape(entry.GetInts("shape"))) << file;
      files_.emplace(entry.GetString("name"), file);
      for (const Json& alias : entry.GetArray("aliases").items()) {
        files_.emplace(alias.AsString(), file);
      }
    }
  }

  bool Has(const std::string& name) const { return files_.contains(name); }
  Tensor operator[](const std::string& name) const {
    return ReadNpy(folder_ + "/" + files_.at(name));
  }

 private:
  std::string folder_;
  std::set<std::string> written_;
  std::map<std::string, std::string> files_;
};

std::vector<double> Values(const Tensor& tensor) {
  std::vector<double> values;
  const auto take = [&](const auto& all) { values.assign(all.begin(), all.end()); };
  switch (tensor.dtype()) {
    case DType::kF32:
      take(tensor.as<float>());
      break;
    case DType::kI32:
      take(tensor.as<int32_t>());
      break;
    case DType::kI64:
      take(tensor.as<int64_t>());
      break;
    default:
      ADD_FAILURE() << "a dump of " << Name(tensor.dtype());
  }
  return values;
}

void ExpectWithin(const Json& described, const Tensor& expected, const Tensor& dumped) {
  ASSERT_EQ(dumped.shape(), expected.shape());
  double max_abs = 0, mre = 0;
  if (described.Has("tolerance")) {
    max_abs = described.GetObject("tolerance").GetNumber("max_abs");
    mre = described.GetObject("tolerance").GetNumber("mre");
  }
  const std::vector<double> wanted = Values(expected), found = Values(dumped);
  double largest = 0, sum = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double error = std::abs(found[i] - wanted[i]);
    largest = std::max(largest, error);
    sum += error / (std::abs(wanted[i]) + 1e-3);
  }
  EXPECT_LE(largest, max_abs);
  EXPECT_LE(sum / static_cast<double>(wanted.size()), mre);
}

class DumpOf : public testing::TestWithParam<const char*> {
 protected:
  DumpOf() : model_(Golden(std::string("paddleocr_vl/") + GetParam())) {}

  // Every conversation of the golden, as a batch.
  std::vector<std::string> Words() {
    std::vector<std::string> words = {"run", "--model", model_, "--dump", scratch_.path("dump")};
    const auto chats = case_.GetArray("messages").items();
    words.insert(words.end(), {"--batch", std::to_string(chats.size()), "--max-new-tokens",
                               std::to_string(case_.GetInt("max_new_tokens")), "--messages"});
    for (const Json& chat : chats) {
      const std::string name = "chat" + std::to_string(words.size()) + ".json";
      scratch_.Write(name, chat.Compact());
      words.push_back(scratch_.path(name));
    }
    for (const std::string picture : {"input_0.png", "input_1.png"}) {
      const std::string file = model_ + "/" + picture;
      if (std::filesystem::exists(file)) std::filesystem::copy(file, scratch_.path(picture));
    }
    return words;
  }

  std::string model_;
  Json case_ = Json::ParseFile(model_ + "/case.json");
  ScratchFolder scratch_;
};

TEST_P(DumpOf, HoldsAllThatTheReferenceSaw) {
  const SpawnResult result = Vernier(Words());
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Dumped dumped(scratch_.path("dump"));
  const auto expect = [&](const std::string& name, const Json& described) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(dumped.Has(name));
    ExpectWithin(described, ReadNpy(model_ + "/" + described.GetString("file")), dumped[name]);
  };
  for (const auto& [group, values] : case_.GetObject("hidden").members()) {
    for (const auto& [name, described] : values.members()) {
      expect(group + "/" + name, described);
    }
  }
  for (const auto& [name, described] : case_.GetObject("outputs").members()) {
    expect(name, described);
  }
  for (const char* name : {"input_ids", "attention_mask", "image_grid_thw"}) {
    const Json& inputs = case_.GetObject("inputs");
    if (inputs.Has(name)) expect(name, inputs.GetObject(name));
  }
  EXPECT_EQ(Values(dumped["generated_ids"]), Values(ReadNpy(model_ + "/generated_ids.npy")));
  EXPECT_FALSE(dumped.Has("embedding"));
}

INSTANTIATE_TEST_SUITE_P(Chat, DumpOf,
                         testing::Values("one_image", "two_images", "original_keys",
                                         "batch2_left_padding", "text_only", "options"),
                         [](const auto& golden) { return std::string(golden.param); });

TEST(ChatDump, KeepsToItsFilter) {
  const ScratchFolder scratch;
  const std::string model = Golden("paddleocr_vl/one_image");
  const SpawnResult result = Vernier({"run", "--model", model, "--image", model + "/input_0.png",
                                      "--max-new-tokens", "24", "--dump", scratch.path("d"),
                                      "--dump-filter", "logits", "--dump-filter", "generated_ids"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Dumped dumped(scratch.path("d"));
  EXPECT_EQ(dumped["logits"].shape(), (Shape{1, 30, 610}));
  EXPECT_EQ(dumped["generated_ids"].shape(), (Shape{1, 24}));
  EXPECT_FALSE(dumped.Has("step_logits"));
}

}  // namespace
}  // namespace vernier
