// Whole models against what the published implementations computed (tests/data/goldens).
#include "vernier/session.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "io/checkpoint.h"
#include "io/json.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "pipeline/results.h"
#include "support/scratch_folder.h"
#include "vernier/error.h"

namespace vernier {
namespace {

const std::string kGoldens = std::string(VERNIER_TEST_DATA) + "/goldens/";

struct Difference {
  double max_abs = 0;
  double mre = 0;
};

Difference Compare(const TensorView& found, const Tensor& expected) {
  EXPECT_EQ(found.shape.elements(), expected.shape().elements());
  const auto a = found.as<float>();
  const auto b = expected.as<float>();
  Difference difference;
  for (size_t i = 0; i < a.size(); ++i) {
    const double apart = std::fabs(static_cast<double>(a[i]) - b[i]);
    difference.max_abs = std::max(difference.max_abs, std::isnan(apart) ? HUGE_VAL : apart);
    difference.mre += apart / (std::fabs(b[i]) + 1e-3) / static_cast<double>(a.size());
  }
  return difference;
}

void ExpectWithin(const TensorView& found, const Json& entry, const std::string& folder,
                  const std::string& name) {
  const Difference difference = Compare(found, ReadNpy(folder + entry.GetString("file")));
  const Json& tolerance = entry.GetObject("tolerance");
  EXPECT_LE(difference.max_abs, tolerance.GetNumber("max_abs")) << folder << " " << name;
  EXPECT_LE(difference.mre, tolerance.GetNumber("mre", 1e9)) << folder << " " << name;
}

struct GoldenCase {
  const char* folder;
  const char* device;
};

std::string CaseName(const testing::TestParamInfo<GoldenCase>& info) {
  std::string name = std::string(info.param.folder) + "_" + info.param.device;
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, EveryTapAndOutputLiesWithinTheToleranceOfTheCase) {
  const std::string folder = kGoldens + GetParam().folder + "/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not part of this checkout";
  const Json golden = Json::ParseFile(folder + "case.json");
  SessionOptions options;
  options.model = folder;
  options.device = GetParam().device;
  const Json& inputs = golden.GetObject("inputs");
  options.interpolate_positions = inputs.GetBool("interpolate_pos_encoding", false);
  Session session(options);
  NamedTensors fed;
  fed.emplace("pixel_values", ReadNpy(folder + "pixel_values.npy"));

  const Json& hidden = golden.GetObject("hidden");
  std::vector<std::string> seen;
  const auto name_in = [&](std::string_view name, std::span<const std::string> aliases) {
    if (hidden.Has(name)) return std::string(name);
    for (const std::string& alias : aliases) {
      if (hidden.Has(alias)) return alias;
    }
    return std::string();
  };
  RunHooks hooks;
  hooks.wants = [&](std::string_view name, std::span<const std::string> aliases) {
    return !name_in(name, aliases).empty();
  };
  hooks.take = [&](const Tap& tap) {
    const std::string name = name_in(tap.name, tap.aliases);
    ExpectWithin(tap.tensor, hidden.GetObject(name), folder, name);
    seen.push_back(name);
  };
  const NamedTensors outputs = session.Run(fed, hooks);
  for (const JsonMember& member : hidden.members()) {
    EXPECT_THAT(seen, testing::Contains(member.key)) << "no tap shows it";
  }
  for (const JsonMember& member : golden.GetObject("outputs").members()) {
    const auto found = outputs.find(member.key);
    if (found != outputs.end()) {
      ExpectWithin(found->second.view(), member.value, folder, member.key);
    }
  }
}

TEST_P(Golden, PicturesBecomeTheNumbersThatTheReferenceFed) {
  const std::string folder = kGoldens + GetParam().folder + "/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not part of this checkout";
  const Json golden = Json::ParseFile(folder + "case.json");
  SessionOptions options;
  options.model = folder;
  options.device = GetParam().device;
  options.interpolate_positions =
      golden.GetObject("inputs").GetBool("interpolate_pos_encoding", false);
  const Session session(options);
  std::vector<std::string> files;
  for (const std::string& file : golden.GetObject("inputs").GetStrings("images")) {
    files.push_back(folder + file);
  }
  const Pictures pictures = session.ReadImages(files);
  const Difference difference =
      Compare(pictures.inputs.at("pixel_values").view(), ReadNpy(folder + "pixel_values.npy"));
  EXPECT_LE(difference.max_abs, 1e-6) << folder;
}

INSTANTIATE_TEST_SUITE_P(
    Families, Golden,
    testing::Values(
        GoldenCase{"vit/base_detail", "ref"}, GoldenCase{"vit/base_detail", "cpu"},
        GoldenCase{"vit/cls_batch2", "ref"}, GoldenCase{"vit/cls_batch2", "cpu"},
        GoldenCase{"vit/bin_no_head", "ref"}, GoldenCase{"vit/bin_no_head", "cpu"},
        GoldenCase{"vit/interp_up", "ref"}, GoldenCase{"vit/interp_up", "cpu"},
        GoldenCase{"vit/interp_down", "ref"}, GoldenCase{"vit/interp_down", "cpu"},
        GoldenCase{"vit/options", "ref"}, GoldenCase{"vit/options", "cpu"},
        GoldenCase{"vit/bf16_new_keys", "ref"}, GoldenCase{"vit/bf16_new_keys", "cpu"},
        GoldenCase{"pe_lang/pair_timm", "ref"}, GoldenCase{"pe_lang/pair_timm", "cpu"},
        GoldenCase{"pe_lang/pair_original", "ref"}, GoldenCase{"pe_lang/pair_original", "cpu"},
        GoldenCase{"pe_lang/timm_ref_grid", "ref"}, GoldenCase{"pe_lang/timm_ref_grid", "cpu"},
        GoldenCase{"pe_lang/timm_dynamic_bin", "ref"},
        GoldenCase{"pe_lang/timm_dynamic_bin", "cpu"}, GoldenCase{"pe_lang/orig_batch2", "ref"},
        GoldenCase{"pe_lang/orig_batch2", "cpu"}, GoldenCase{"pe_lang/orig_resampled", "ref"},
        GoldenCase{"pe_lang/orig_resampled", "cpu"}, GoldenCase{"pe_lang/orig_bf16", "ref"},
        GoldenCase{"pe_lang/orig_bf16", "cpu"}),
    CaseName);

TEST(Session, NamesAFolderThatDoesNotExist) {
  try {
    Session session({.model = "/nonexistent/model"});
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.message(), "model folder /nonexistent/model does not exist");
  }
}

TEST(Session, RefusesADeviceThatThisBuildDoesNotHave) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  options.device = "cuda";
  try {
    Session session(options);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_THAT(error.message(), testing::HasSubstr("device 'cuda' is not part of this build"));
  }
}

TEST(Session, RefusesAPlaceForWinogradThatItDoesNotKnow) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  options.winograd = "sometimes";
  try {
    Session session(options);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_EQ(error.message(), "winograd: expected auto, always or never, found 'sometimes'");
  }
}

TEST(Session, MakesUpAHeadOnlyWhenToldTo) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  options.labels = true;
  EXPECT_THROW(Session session(options), Error);
  options.allow_random_head = true;
  const Session session(options);
  EXPECT_TRUE(session.info().random_head);
  EXPECT_THAT(session.info().warnings,
              testing::Contains(testing::HasSubstr("labels mean nothing")));
}

TEST(Session, SaysHowToFeedPicturesOfAnotherSize) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  Session session(options);
  NamedTensors inputs;
  inputs.emplace("pixel_values", Tensor::Zeros(DType::kF32, {1, 3, 48, 48}));
  try {
    session.Run(inputs);
    FAIL() << "ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "input pixel_values: expected f32 [batch, 3, 40, 40], found f32 [1, 3, 48, 48]");
    EXPECT_THAT(error.hint(), testing::HasSubstr("--interpolate-pos-encoding"));
  }
}

// A copy of a golden's folder whose weights pass through `change`.
void CopyChanged(const std::string& from, const ScratchFolder& folder,
                 const std::function<Tensor(const std::string& name, Tensor)>& change) {
  std::filesystem::copy(from + "/config.json", folder.path("config.json"));
  std::filesystem::copy(from + "/preprocessor_config.json",
                        folder.path("preprocessor_config.json"));
  const Checkpoint checkpoint = Checkpoint::Open(from);
  std::map<std::string, Tensor> tensors;
  std::vector<TensorToWrite> list;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    Tensor changed = change(tensor.name, Tensor::CopyOf(checkpoint.View(tensor.name)));
    list.push_back({tensor.name, changed.dtype(), changed.shape()});
    tensors.emplace(tensor.name, std::move(changed));
  }
  WriteSafetensors(folder.path("model.safetensors"), list, [&](const TensorToWrite& wanted) {
    return Tensor::CopyOf(tensors.at(wanted.name).view());
  });
}

TEST(Session, WarnsAboutWeightsThatAreNotNumbers) {
  const ScratchFolder folder;
  CopyChanged(kGoldens + "vit/base_detail", folder, [](const std::string& name, Tensor tensor) {
    if (name == "layernorm.bias") tensor.as<float>()[3] = NAN;
    return tensor;
  });
  SessionOptions options;
  options.model = folder.path();
  const Session session(options);
  EXPECT_THAT(session.info().warnings,
              testing::Contains("1 tensor of the checkpoint holds NaN or infinity: layernorm.bias "
                                "(1 NaN, 0 infinite)"));
}

TEST(Session, NamesATensorOfTheWrongShape) {
  const ScratchFolder folder;
  CopyChanged(kGoldens + "vit/base_detail", folder, [](const std::string& name, Tensor tensor) {
    return name == "layernorm.bias" ? Tensor::Zeros(DType::kF32, {41}) : std::move(tensor);
  });
  SessionOptions options;
  options.model = folder.path();
  try {
    Session session(options);
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(),
                testing::HasSubstr("wrong shape: layernorm.bias: expected [40], found [41]"));
  }
}

// bf16 keeps eight bits of mantissa; features stay close in direction all the same.
TEST(Session, StaysCloseToTheReferenceInBf16) {
  for (const std::string name :
       {"vit/base_detail", "vit/cls_batch2", "pe_lang/pair_timm", "pe_lang/orig_batch2"}) {
    SessionOptions options;
    options.model = kGoldens + name;
    options.dtype = "bf16";
    Session session(options);
    NamedTensors fed;
    fed.emplace("pixel_values", ReadNpy(options.model + "/pixel_values.npy"));
    const NamedTensors in_bf16 = session.Run(fed);
    options.dtype = "f32";
    options.device = "ref";
    Session reference(options);
    const NamedTensors exact = reference.Run(fed);
    EXPECT_GT(Cosine(session.Features(in_bf16).as<float>(), reference.Features(exact).as<float>()),
              0.999)
        << name;
  }
}

TEST(Session, GivesTheSameFeaturesWithAndWithoutTaps) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  Session session(options);
  NamedTensors fed;
  fed.emplace("pixel_values", ReadNpy(options.model + "/pixel_values.npy"));
  const NamedTensors plain = session.Run(fed);
  RunHooks hooks;
  hooks.wants = [](std::string_view, std::span<const std::string>) { return true; };
  hooks.take = [](const Tap&) {};
  const NamedTensors watched = session.Run(fed, hooks);
  EXPECT_EQ(std::memcmp(session.Features(plain).data(), session.Features(watched).data(),
                        session.Features(plain).bytes()),
            0);
}

TEST(Session, MakesTheSameNoiseOfTheSizeThatTheModelGets) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  Session session(options);
  const NamedTensors noise = session.NoiseInputs({.batch = 3});
  const Tensor& pixels = noise.at("pixel_values");
  EXPECT_EQ(pixels.shape(), Shape({3, 3, session.info().height, session.info().width}));
  const NamedTensors again = session.NoiseInputs({.batch = 3});
  EXPECT_EQ(std::memcmp(pixels.data(), again.at("pixel_values").data(), pixels.bytes()), 0);
  EXPECT_NE(std::memcmp(pixels.data(),
                        session.NoiseInputs({.batch = 3, .seed = 2}).at("pixel_values").data(),
                        pixels.bytes()),
            0);
  EXPECT_NO_THROW(session.Run(noise));
}

TEST(Session, MakesNoisePatchesThatKnowTheirPlaces) {
  SessionOptions options;
  options.model = kGoldens + "pix2struct/page_greedy";
  Session session(options);
  const NamedTensors noise = session.NoiseInputs({.batch = 2, .patches = 10});
  const Tensor& patches = noise.at("flattened_patches");
  ASSERT_EQ(patches.shape()[1], 10);
  const float* last = patches.as<float>().data() + (2 * 10 - 1) * patches.shape()[2];
  EXPECT_EQ(last[0], 3);  // ten patches in rows of four: the last is the second of the third row
  EXPECT_EQ(last[1], 2);
  EXPECT_EQ(noise.at("attention_mask").as<float>()[19], 1);
}

TEST(Session, TimesEveryNodeWithoutChangingTheRun) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  options.threads = 1;
  Session session(options);
  NamedTensors fed;
  fed.emplace("pixel_values", ReadNpy(options.model + "/pixel_values.npy"));
  const NamedTensors plain = session.Run(fed);
  std::vector<NodeTime> times;
  RunHooks hooks;
  hooks.node_times = &times;
  const NamedTensors timed = session.Run(fed, hooks);
  EXPECT_EQ(std::memcmp(session.Features(plain).data(), session.Features(timed).data(),
                        session.Features(plain).bytes()),
            0);
  ASSERT_EQ(times.size(), session.Placement(fed).size());
  double last_end_us = 0;  // one lane: nodes follow each other
  for (const NodeTime& time : times) {
    EXPECT_GE(time.start_us, last_end_us);
    EXPECT_GE(time.end_us, time.start_us);
    last_end_us = time.end_us;
  }
}

TEST(Session, CountsTheWorkOfEveryNode) {
  SessionOptions options;
  options.model = kGoldens + "vit/base_detail";
  int64_t weight_bytes[2] = {};
  for (const bool bf16 : {false, true}) {
    options.dtype = bf16 ? "bf16" : "f32";
    Session session(options);
    NamedTensors fed;
    fed.emplace("pixel_values", ReadNpy(options.model + "/pixel_values.npy"));
    int64_t flops = 0;
    for (const PlacedNode& node : session.Placement(fed)) {
      flops += node.flops;
      EXPECT_GT(node.bytes, 0) << node.name;
      if (node.flops > 0) weight_bytes[bf16] += node.bytes;
    }
    EXPECT_EQ(flops, session.FlopsPerImage() * fed.at("pixel_values").shape()[0]);
  }
  EXPECT_LT(weight_bytes[1], weight_bytes[0]);  // bf16 weights are half as long
}

class WritingSession : public testing::Test {
 protected:
  static SessionOptions Options() {
    SessionOptions options;
    options.model = kGoldens + "pix2struct/page_greedy";
    options.threads = 1;
    return options;
  }
  NamedTensors Inputs(int64_t tokens) const {
    NamedTensors inputs = session_.NoiseInputs({.batch = 2, .patches = 16});
    if (tokens == 0) return inputs;
    Tensor ids(DType::kI32, {2, tokens});
    std::ranges::fill(ids.as<int32_t>(), 1);
    inputs.emplace("decoder_input_ids", std::move(ids));
    return inputs;
  }
  static std::vector<std::string> PartsOf(const std::vector<PlacedNode>& nodes) {
    std::vector<std::string> parts;
    for (const PlacedNode& node : nodes) {
      if (parts.empty() || parts.back() != node.part) parts.push_back(node.part);
    }
    return parts;
  }

  Session session_{Options()};
};

TEST_F(WritingSession, PlacesTheNodesOfAllItsParts) {
  for (const int64_t tokens : {0, 3}) {
    EXPECT_THAT(PartsOf(session_.Placement(Inputs(tokens))),
                testing::ElementsAre("encoder", "memory", "decoder"));
  }
}

TEST_F(WritingSession, TimesTheNodesOfAllPartsOnOneClock) {
  std::vector<NodeTime> times;
  RunHooks hooks;
  hooks.node_times = &times;
  session_.Run(Inputs(3), hooks);
  ASSERT_EQ(times.size(), session_.Placement(Inputs(3)).size());
  EXPECT_TRUE(std::ranges::is_sorted(times, {}, &NodeTime::start_us));
}

TEST_F(WritingSession, PrintsTheGraphsOfAllPartsUnderTheirNames) {
  for (const auto& [format, comment] : {std::pair{"text", "# "}, std::pair{"dot", "// "}}) {
    const std::string text = session_.GraphText(format, true);
    for (const char* part : {"encoder\n", "memory\n", "decoder\n"}) {
      EXPECT_THAT(text, testing::HasSubstr(std::string(comment) + part));
    }
  }
}

TEST_F(WritingSession, CountsCachesAndTheDecodersWorkingMemory) {
  EXPECT_EQ(session_.memory().cache_bytes, 0);
  session_.Run(Inputs(3));
  const SessionMemory forced = session_.memory();
  EXPECT_GT(forced.cache_bytes, 0);
  GenerationRequest request{.options = *session_.generation_options(), .ids_only = true};
  request.options.max_new_tokens = 100;
  session_.Generate(Inputs(0), request);
  EXPECT_GT(session_.memory().cache_bytes, forced.cache_bytes);  // two blocks for each sequence
  EXPECT_GT(session_.memory().arena_bytes, forced.arena_bytes);
}

}  // namespace
}  // namespace vernier
