#include "pipeline/precision_file.h"

#include <array>

#include "io/json.h"
#include "models/pix2struct/decoder.h"
#include "support/scratch_folder.h"
#include "support/tiny_models.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr Precision kHalf{DType::kBF16, DType::kBF16, DType::kBF16};

TEST(PrecisionFile, IsReadAsItWasWritten) {
  const ScratchFolder folder;
  const PrecisionRules rules = {{"*", kHalf},
                                {"encoder.layer.0.*", {}},
                                {"pooler", {DType::kBF16, DType::kF32, DType::kF32}},
                                {"head", {DType::kI8, DType::kBF16, DType::kBF16}},
                                {"tail", {DType::kI8, DType::kF32, DType::kF32}}};
  const std::string file = folder.Write("p.txt", PrecisionFileText(rules, "what\nfor"));
  const PrecisionRules found = ReadPrecisionFile(file);
  ASSERT_EQ(found.size(), rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    EXPECT_EQ(found[i].pattern, rules[i].pattern);
    EXPECT_EQ(found[i].precision, rules[i].precision);
  }
}

TEST(PrecisionFile, NamesTheLineThatCannotBeRead) {
  const ScratchFolder folder;
  const std::string file = folder.path("p");
  const auto message = [&](const std::string& text) {
    folder.Write("p", text);
    return MessageOf([&] { ReadPrecisionFile(file); });
  };
  const std::string where = "precision file " + file + ": ";
  EXPECT_EQ(message("# c\na f32\nb\n"),
            where + "line 3: expected a name and a precision, found 'b'");
  EXPECT_EQ(message("a f32 b\n"),
            where + "line 1: expected a name and a precision, found 'a f32 b'");
  EXPECT_EQ(message("a f17\n"), where + "line 1: unknown precision 'f17'");
  EXPECT_EQ(message("\n# only words\n"), where + "it holds no rule");
  EXPECT_EQ(message(std::string(2 << 20, ' ')),
            where + "it has 2097152 bytes, the limit is 1048576");
}

TEST(PrecisionFile, NamesTheNearestNodeForANameThatTheModelLacks) {
  const Graph graph = testing::TinyVitGraph();
  const auto check = [&](const std::string& pattern) {
    CheckPrecisionRules({{pattern, {}}}, std::array{&graph}, "p.txt");
  };
  EXPECT_NO_THROW(check("encoder.layer.1.output.dense"));
  EXPECT_NO_THROW(check("encoder.layer.?.attention.*"));
  try {
    check("pooler.densse");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.message(),
              "precision file p.txt: the model has no node 'pooler.densse' that multiplies");
    EXPECT_EQ(error.hint(), "did you mean pooler.dense?");
  }
  EXPECT_THROW(check("encoder.layer.1.layernorm_before"), Error);  // a norm multiplies nothing
}

TEST(PrecisionFile, LooksForNamesInAllGraphsOfAModel) {
  const Graph encoder = testing::TinyVitGraph();
  const Pix2StructConfig config = ParsePix2StructConfig(Json::ParseFile(
      std::string(VERNIER_TEST_DATA) + "/goldens/pix2struct/page_greedy/config.json"));
  const Graph decoder = Pix2StructDecoderGraph(config, LogitsAt::kEveryToken);
  const auto check = [&](const std::string& pattern) {
    CheckPrecisionRules({{pattern, {}}}, std::array{&encoder, &decoder}, "p.txt");
  };
  EXPECT_NO_THROW(check("decoder.layer.1.mlp.DenseReluDense.wo"));
  EXPECT_NO_THROW(check("encoder.layer.1.output.dense"));
  try {
    check("decoder.lm_haed");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "did you mean decoder.lm_head?");
  }
}

}  // namespace
}  // namespace vernier
