// The tokenizers of the golden checkpoints: ids and texts as the published libraries gave them.
#include <filesystem>

#include <fmt/format.h>

#include "io/json.h"
#include "tokenizers/tokenizer.h"

namespace vernier {
namespace {

using ::testing::ElementsAreArray;

const std::string kGoldens = VERNIER_TEST_DATA "/tokenizers";

std::vector<int32_t> Ids(const Json& item, std::string_view key) {
  std::vector<int32_t> ids;
  for (const int64_t id : item.GetInts(key)) ids.push_back(static_cast<int32_t>(id));
  return ids;
}

std::string Streamed(const Tokenizer& tokenizer, std::span<const int32_t> ids, bool skip_special) {
  const auto stream = tokenizer.Stream({.skip_special_tokens = skip_special});
  std::string text;
  for (const int32_t id : ids) text += stream->Push(id);
  return text + stream->Finish();
}

class Pix2Struct : public ::testing::TestWithParam<const char*> {};

TEST_P(Pix2Struct, EncodesAndDecodesAsPublished) {
  const std::string folder = fmt::format("{}/pix2struct_{}", kGoldens, GetParam());
  const auto tokenizer = LoadTokenizer(folder);
  const Json cases = Json::ParseFile(folder + "/cases.json");
  for (const Json& item : cases.GetArray("encode").items()) {
    const std::string text = item.GetString("text");
    EXPECT_THAT(tokenizer->Encode(text), ElementsAreArray(Ids(item, "ids"))) << text;
    EXPECT_THAT(tokenizer->Encode(text, {.add_special_tokens = false}),
                ElementsAreArray(Ids(item, "ids_no_special")))
        << text;
  }
  for (const Json& item : cases.GetArray("decode").items()) {
    const std::vector<int32_t> ids = Ids(item, "ids");
    EXPECT_EQ(Streamed(*tokenizer, ids, true), item.GetString("skip_special"));
    EXPECT_EQ(Streamed(*tokenizer, ids, false), item.GetString("keep_special"));
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, Pix2Struct,
                         ::testing::Values("beams", "long_bin", "page_greedy", "pair_masks",
                                           "tied_odd", "vqa_header"),
                         [](const auto& golden) { return golden.param; });

TEST(PaddleOcrVl, EncodesAndDecodesAsPublished) {
  const std::string folder = kGoldens + "/paddleocr_vl";
  const auto tokenizer = LoadTokenizer(folder);
  const Json cases = Json::ParseFile(folder + "/cases.json");
  for (const Json& item : cases.GetArray("cases").items()) {
    const std::vector<int32_t> ids = Ids(item, "ids");
    if (item.Has("text")) {
      const std::string text = item.GetString("text");
      EXPECT_THAT(tokenizer->Encode(text), ElementsAreArray(ids)) << text;
    }
    EXPECT_EQ(Streamed(*tokenizer, ids, true), item.GetString("decoded"));
    EXPECT_EQ(Streamed(*tokenizer, ids, false), item.GetString("decoded_with_special"));
  }
}

}  // namespace
}  // namespace vernier
