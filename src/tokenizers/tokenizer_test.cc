#include "tokenizers/tokenizer.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::Optional;

const std::string kData = VERNIER_TEST_DATA "/tokenizers";

std::unique_ptr<Tokenizer> PaddleOcrVl() { return LoadTokenizer(kData + "/paddleocr_vl"); }

TEST(Tokenizer, StreamsWholeCharactersOnly) {
  const auto tokenizer = PaddleOcrVl();
  const auto stream = tokenizer->Stream();
  EXPECT_EQ(stream->Push(234), "");  // the three bytes of a snowman
  EXPECT_EQ(stream->Push(160), "");
  EXPECT_EQ(stream->Push(139), "");
  EXPECT_EQ(stream->Push(499), "\u2603a");
  EXPECT_EQ(stream->Push(234), "");
  EXPECT_EQ(stream->Finish(), "\uFFFD");
}

TEST(Tokenizer, IgnoresIdsOutsideOfTheVocabulary) {
  const auto tokenizer = PaddleOcrVl();
  const std::vector<int32_t> ids = {-1, 499, tokenizer->vocab_size(), INT32_MAX, INT32_MIN};
  EXPECT_EQ(tokenizer->Decode(ids), "a");
}

TEST(Tokenizer, KeepsTypedSpecialTokensApartFromRealOnes) {
  for (const char* folder : {"/paddleocr_vl", "/pix2struct_page_greedy", "/corpus/bpe"}) {
    const auto tokenizer = LoadTokenizer(kData + folder);
    const std::vector<int32_t> parsed = tokenizer->Encode("a</s>b", {.add_special_tokens = false});
    const std::vector<int32_t> plain =
        tokenizer->Encode("a</s>b", {.add_special_tokens = false, .parse_special_tokens = false});
    const int32_t end = tokenizer->IdOf("</s>").value();
    EXPECT_THAT(parsed, ::testing::Contains(end)) << folder;
    EXPECT_THAT(plain, ::testing::Not(::testing::Contains(end))) << folder;
  }
}

TEST(Tokenizer, KnowsPiecesAndAddedTokens) {
  const auto tokenizer = PaddleOcrVl();
  EXPECT_EQ(tokenizer->vocab_size(), 604);
  EXPECT_THAT(tokenizer->IdOf("<|IMAGE_PLACEHOLDER|>"), Optional(6));
  EXPECT_THAT(tokenizer->PieceOf(6), Optional(std::string_view("<|IMAGE_PLACEHOLDER|>")));
  EXPECT_EQ(tokenizer->IdOf("no such piece"), std::nullopt);
  EXPECT_EQ(tokenizer->PieceOf(604), std::nullopt);
  EXPECT_EQ(tokenizer->PieceOf(-1), std::nullopt);
  ASSERT_EQ(tokenizer->added_tokens().size(), 12u);
  EXPECT_EQ(tokenizer->added_tokens()[11].content, "<|video_pad|>");
  EXPECT_TRUE(tokenizer->added_tokens()[11].special);
}

TEST(Tokenizer, CleansSpacesUpWhereTheConfigurationSaysSo) {
  const ScratchFolder folder;
  folder.Write("tokenizer.json", R"({"model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0],
      ["it", 0], ["'s", 0], [".", 0], ["do", 0], ["n't", 0]]}})");
  const std::vector<int32_t> ids = {1, 2, 4, 5, 3, 0};
  EXPECT_EQ(LoadTokenizer(folder.path())->Decode(ids), "it 's do n't . ?");
  folder.Write("tokenizer_config.json", R"({"clean_up_tokenization_spaces": true})");
  EXPECT_EQ(LoadTokenizer(folder.path())->Decode(ids), "it's don't.?");
}

// A step that looked at every earlier character again would take hours here.
TEST(Tokenizer, TakesAMegabyteWithoutBlanks) {
  std::string text;
  while (text.size() < size_t{1} << 20) text += "unbroken\u4e2d";
  for (const char* folder : {"/corpus/unigram", "/corpus/bpe"}) {
    const auto tokenizer = LoadTokenizer(kData + folder);
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text)), text) << folder;
  }
}

}  // namespace
}  // namespace vernier
