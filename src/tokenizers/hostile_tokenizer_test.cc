// Tokenizer files that are damaged, hostile or of kinds that are not supported: each gets an error
// that names the place; none crashes.
#include <cmath>
#include <random>

#include <fmt/format.h>

#include "support/scratch_folder.h"
#include "tokenizers/charsmap.h"
#include "tokenizers/tokenizer.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

const std::string kData = VERNIER_TEST_DATA "/tokenizers";

const std::string kUnigram = R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": null,
  "post_processor": null, "decoder": null,
  "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0], ["b", -2.0]]}})";
const std::string kBpe = R"({"added_tokens": [{"id": 3, "content": "<x>", "special": true}],
  "model": {"type": "BPE", "unk_token": null, "vocab": {"a": 0, "b": 1, "ab": 2},
            "merges": [["a", "b"]]}})";

std::unique_ptr<Tokenizer> Load(const std::string& name, const std::string& content) {
  const ScratchFolder folder;
  folder.Write(name, content);
  return LoadTokenizer(folder.path());
}

// What is said about the file with `to` in place of `from`.
std::string Refusal(std::string content, const std::string& from, const std::string& to) {
  const size_t at = content.find(from);
  EXPECT_NE(at, content.npos) << from;
  content.replace(at, from.size(), to);
  return MessageOf([&] { Load("tokenizer.json", content); });
}

TEST(HostileTokenizer, ThatIsMissingIsNamedWithAllThatWasLookedFor) {
  const ScratchFolder folder;
  EXPECT_THAT(MessageOf([&] { LoadTokenizer(folder.path()); }),
              HasSubstr("looked for tokenizer.json, spiece.model and tokenizer.model"));
}

TEST(HostileTokenizer, JsonIsTruncatedOrNestedWithoutEnd) {
  const std::string half = kUnigram.substr(0, kUnigram.size() / 2);
  EXPECT_THAT(MessageOf([&] { Load("tokenizer.json", half); }), HasSubstr("tokenizer.json"));
  const std::string deep(100'000, '[');
  EXPECT_THAT(MessageOf([&] { Load("tokenizer.json", deep); }), HasSubstr("tokenizer.json"));
  std::string sequences = kUnigram;
  const std::string open = R"({"type": "Sequence", "normalizers": [)";
  std::string nested;
  for (int i = 0; i < 100'000; ++i) nested += open;
  EXPECT_THAT(Refusal(kUnigram, R"("normalizer": null)", R"("normalizer": )" + nested),
              HasSubstr("tokenizer.json"));
}

TEST(HostileTokenizer, MembersHaveOtherTypes) {
  EXPECT_THAT(Refusal(kUnigram, R"([["<unk>", 0.0])", R"([["<unk>"])"),
              HasSubstr("model.vocab: entry 0 is not a pair of piece and score"));
  EXPECT_THAT(Refusal(kUnigram, R"(["a", -1.0])", R"([7, -1.0])"),
              HasSubstr("model.vocab: expected a string, found 7"));
  EXPECT_THAT(Refusal(kUnigram, R"(["a", -1.0])", R"(["a", "x"])"),
              HasSubstr("model.vocab: expected a number, found \"x\""));
  EXPECT_THAT(Refusal(kBpe, R"(["a", "b"])", R"(["a", 7])"),
              HasSubstr("model.merges[0]: expected a string, found 7"));
  EXPECT_THAT(Refusal(kUnigram, R"(["a", -1.0])", R"(["a", NaN])"), HasSubstr("tokenizer.json"));
  EXPECT_THAT(Refusal(kUnigram, R"("model": {)", R"("model": [], "other": {)"), HasSubstr("model"));
  EXPECT_THAT(Refusal(kBpe, R"("a": 0)", R"("a": 0.5)"), HasSubstr("model.vocab"));
}

TEST(HostileTokenizer, VocabularyContradictsItself) {
  EXPECT_THAT(Refusal(kBpe, R"("b": 1)", R"("b": 0)"),
              HasSubstr("id 0 belongs to two pieces, \"a\" and \"b\""));
  EXPECT_THAT(Refusal(kBpe, R"("b": 1)", R"("b": -1)"), HasSubstr("id -1 is not between 0 and"));
  EXPECT_THAT(Refusal(kBpe, R"("b": 1)", R"("b": 99999999999)"), HasSubstr("is not between"));
  EXPECT_THAT(Refusal(kUnigram, R"(["b", -2.0])", R"(["a", -2.0])"),
              HasSubstr("piece \"a\" has two ids, 1 and 2"));
  EXPECT_THAT(Refusal(kUnigram, R"("unk_id": 0)", R"("unk_id": 3)"),
              HasSubstr("3 is not an id of the 3 pieces"));
  EXPECT_THAT(Refusal(kUnigram, R"([["<unk>", 0.0], ["a", -1.0], ["b", -2.0]])", "[]"),
              HasSubstr("there is no piece"));
  EXPECT_THAT(Refusal(kBpe, R"("unk_token": null)", R"("unk_token": "<u>")"),
              HasSubstr("model.unk_token: \"<u>\" is not in the vocabulary"));
  EXPECT_THAT(Refusal(kBpe, R"("id": 3)", R"("id": 7)"),
              HasSubstr("added_tokens[0]: \"<x>\" has id 7, expected 3"));
  EXPECT_THAT(Refusal(kBpe, R"("<x>")", R"("")"), HasSubstr("the token has no content"));
}

TEST(HostileTokenizer, MergesNameUnknownPieces) {
  EXPECT_THAT(Refusal(kBpe, R"(["a", "b"])", R"(["a", "c"])"),
              HasSubstr("model.merges[0]: \"c\" is not in the vocabulary"));
  EXPECT_THAT(Refusal(kBpe, R"(["a", "b"])", R"(["b", "a"])"),
              HasSubstr("model.merges[0]: \"ba\" is not in the vocabulary"));
  EXPECT_THAT(Refusal(kBpe, R"(["a", "b"])", R"("a b c")"), HasSubstr("expected two pieces"));
  EXPECT_THAT(Refusal(kBpe, R"(["a", "b"])", R"(["a"])"), HasSubstr("model.merges"));
}

TEST(HostileTokenizer, KindsThatAreNotSupportedAreNamed) {
  EXPECT_THAT(Refusal(kUnigram, R"("Unigram")", R"("WordPiece")"),
              HasSubstr("model.type is \"WordPiece\", which is not supported here"));
  const auto with = [&](const std::string& key, const std::string& value) {
    return Refusal(kUnigram, fmt::format("\"{}\": null", key),
                   fmt::format("\"{}\": {}", key, value));
  };
  EXPECT_THAT(with("normalizer", R"({"type": "Nmt"})"), HasSubstr("normalizer.type is \"Nmt\""));
  EXPECT_THAT(with("pre_tokenizer", R"({"type": "ByteLevel"})"),
              HasSubstr("pre_tokenizer.type is \"ByteLevel\""));
  EXPECT_THAT(with("decoder", R"({"type": "WordPiece"})"),
              HasSubstr("decoder.type is \"WordPiece\""));
  EXPECT_THAT(with("post_processor", R"({"type": "BertProcessing"})"),
              HasSubstr("post_processor.type is \"BertProcessing\""));
  EXPECT_THAT(
      with("normalizer", R"({"type": "Replace", "pattern": {"Regex": "(a|b)*"}, "content": ""})"),
      HasSubstr("normalizer.pattern.Regex is \"(a|b)*\""));
  EXPECT_THAT(
      with("normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": "x"})"),
      HasSubstr("expected a text that is not empty"));
  EXPECT_THAT(with("decoder", R"({"type": "Replace", "pattern": {"Regex": "a+"}, "content": ""})"),
              HasSubstr("decoder.pattern.Regex is \"a+\""));
  EXPECT_THAT(with("decoder", R"({"type": "Strip", "content": "ab", "start": 1, "stop": 0})"),
              HasSubstr("expected one character, found \"ab\""));
  EXPECT_THAT(with("decoder", R"({"type": "Strip", "content": "a", "start": -1, "stop": 0})"),
              HasSubstr("expected a count, found -1"));
  EXPECT_THAT(with("pre_tokenizer",
                   R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "often"})"),
              HasSubstr("prepend_scheme is \"often\""));
  EXPECT_THAT(with("pre_tokenizer", R"({"type": "Metaspace", "replacement": "_",
                    "prepend_scheme": "first", "add_prefix_space": false})"),
              HasSubstr("beside add_prefix_space false"));
  EXPECT_THAT(Refusal(kBpe, R"("unk_token": null)", R"("dropout": 0.1)"),
              HasSubstr("model.dropout: random ids are not supported"));
  EXPECT_THAT(Refusal(kBpe, R"("unk_token": null)", R"("end_of_word_suffix": "</w>")"),
              HasSubstr("model.end_of_word_suffix: not supported here"));
}

TEST(HostileTokenizer, TemplatesAreWrong) {
  const auto with = [&](const std::string& single, const std::string& ids) {
    return Refusal(kUnigram, R"("post_processor": null)",
                   fmt::format(R"("post_processor": {{"type": "TemplateProcessing", "single": [{}],
                       "special_tokens": {{"e": {{"ids": [{}]}}}}}})",
                               single, ids));
  };
  const std::string text = R"({"Sequence": {"id": "A"}})";
  const std::string end = R"({"SpecialToken": {"id": "e"}})";
  EXPECT_EQ(with(text + "," + end, "1"), "no error");
  EXPECT_THAT(with(text + "," + end, "9"), HasSubstr("9 is no id of the vocabulary"));
  EXPECT_THAT(with(end, "1"), HasSubstr("the text (Sequence) is missing"));
  EXPECT_THAT(with(text + "," + text, "1"), HasSubstr("the text stands there twice"));
}

std::string Blob(std::initializer_list<uint32_t> words, const std::string& texts) {
  std::string blob;
  for (const uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) blob += static_cast<char>(word >> shift);
  }
  return blob + texts;
}

TEST(HostileTokenizer, CharacterMapsLeadNowhere) {
  const auto refusal = [](const std::string& blob) {
    return MessageOf([&] { Charsmap(blob, "spiece.model"); });
  };
  constexpr uint32_t kLeaf = 1 << 8;
  EXPECT_THAT(refusal("abc"), HasSubstr("is 3 bytes long, too short for its own length"));
  EXPECT_THAT(refusal(Blob({400, 0}, "x")), HasSubstr("says that its array takes 400 bytes, of 5"));
  EXPECT_THAT(refusal(Blob({3, 0}, "x")), HasSubstr("says that its array takes 3 bytes"));
  EXPECT_THAT(refusal(Blob({0}, "x")), HasSubstr("says that its array takes 0 bytes"));
  EXPECT_THAT(refusal(Blob({4, 0}, "\xff")), HasSubstr("replacement that is not UTF-8, at byte 0"));
  EXPECT_THAT(refusal(Blob({4, kLeaf | 77 << 10}, "x")),
              HasSubstr("has an entry (unit 0) that points to unit 77 of 1"));
  EXPECT_THAT(refusal(Blob({8, kLeaf | 1 << 10, 9}, "x")),
              HasSubstr("whose replacement begins at byte 9 of 1"));
  // An array that ends before the labels that it could be asked for.
  EXPECT_EQ(Charsmap(Blob({4, 5000 << 10}, "x"), "spiece.model").Apply("abc\u00e9"), "abc\u00e9");
}

TEST(HostileTokenizer, SentencePieceFilesAreNone) {
  const auto refusal = [](const std::string& content) {
    return MessageOf([&] { Load("tokenizer.model", content); });
  };
  const auto piece = [](const std::string& text, float score) {
    std::string message = "\x0a" + std::string(1, static_cast<char>(text.size())) + text + "\x15";
    message.append(reinterpret_cast<const char*>(&score), sizeof score);
    return "\x0a" + std::string(1, static_cast<char>(message.size())) + message;
  };
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\n"),
              HasSubstr("tokenizer.model"));
  EXPECT_THAT(refusal("\x0a\x7f"), HasSubstr("field 1 is 127 bytes long, and 0 are left"));
  EXPECT_THAT(refusal("\x0b"), HasSubstr("wire type 3, which does not exist"));
  EXPECT_THAT(refusal(std::string(2, '\0')), HasSubstr("there is no field 0"));
  EXPECT_THAT(refusal("\x08" + std::string(12, '\xff')), HasSubstr("more than ten bytes"));
  EXPECT_THAT(refusal("\x08\xff"), HasSubstr("ends in the middle of a number"));
  EXPECT_THAT(refusal("\x08\x01"), HasSubstr("field 1 has wire type 0, expected 2"));
  EXPECT_THAT(refusal("\x22\x01x"), HasSubstr("it holds no pieces"));
  EXPECT_THAT(refusal(piece("a", 0) + piece("a", 0)), HasSubstr("\"a\" has two ids, 0 and 1"));
  EXPECT_THAT(refusal(piece("", 0)), HasSubstr("piece 0: the text is empty"));
  EXPECT_THAT(refusal(piece("\xff", 0)), HasSubstr("piece 0: the text is not valid UTF-8"));
  EXPECT_THAT(refusal(piece("a", 0) + piece("b", std::nanf(""))),
              HasSubstr("piece 1: the score of \"b\" is nan"));
  EXPECT_THAT(refusal(piece("a", 0) + "\x12\x02\x18\x03"),
              HasSubstr("model type 3 is not supported here"));
  EXPECT_THAT(MessageOf([&] { Load("spiece.model", piece("a", 0) + "\x12\x02\x18\x02"); }),
              HasSubstr("expected a Unigram model under this name"));
  const ScratchFolder folder;
  folder.Write("spiece.model", piece("a", 0));
  folder.Write("tokenizer_config.json", R"({"extra_ids": -4})");
  EXPECT_THAT(MessageOf([&] { LoadTokenizer(folder.path()); }),
              HasSubstr("extra_ids: -4 is not between 0 and 10000"));
}

TEST(HostileTokenizer, TextIsNotUtf8OrTooLong) {
  const auto tokenizer = Load("tokenizer.json", kUnigram);
  EXPECT_THAT(MessageOf([&] { tokenizer->Encode("abcdefgh\xc3"); }),
              HasSubstr("byte 8 (0xc3) begins no character"));
  EXPECT_THAT(MessageOf([&] { tokenizer->Encode(std::string((1 << 27) + 1, 'a')); }),
              HasSubstr("is too long to be tokenised"));
}

TEST(HostileTokenizer, HasNoUnknownTokenForACharacter) {
  std::string file = kUnigram;
  file.replace(file.find("\"unk_id\": 0"), 11, "\"unk_id\": null");
  const auto tokenizer = Load("tokenizer.json", file);
  EXPECT_THAT(MessageOf([&] { tokenizer->Encode("a\u2603"); }),
              HasSubstr("no piece for \"\u2603\" and no unknown token"));
}

// Flips bytes of the files of real tokenizers: what loads must also encode and decode.
TEST(HostileTokenizer, SurvivesFlippedBytes) {
  std::mt19937 random(7);
  const std::string text = "The value </s> \u00e9\u4e2d 12.5% <|LOC_0|>\n";
  for (const char* name : {"pix2struct_tied_odd/tokenizer.json", "pix2struct_tied_odd/spiece.model",
                           "paddleocr_vl/tokenizer.json", "paddleocr_vl/tokenizer.model"}) {
    const std::string whole = ReadAll(kData + "/" + name);
    const std::string file = std::string(name).substr(std::string(name).find('/') + 1);
    for (int round = 0; round < 100; ++round) {
      std::string content = whole;
      for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
        content[random() % content.size()] ^= static_cast<char>(1 << random() % 8);
      }
      if (round % 10 == 0) content.resize(random() % content.size());
      try {
        const auto tokenizer = Load(file, content);
        tokenizer->Decode(tokenizer->Encode(text));
        tokenizer->Decode(tokenizer->Encode(text, {.parse_special_tokens = false}));
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace vernier
