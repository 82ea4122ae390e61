// 10,000 lines in many scripts against what the published libraries made of them
// (tools/tokenizer_expectations.py): every id and every decoded text, by hashes of blocks of lines.
#include <fmt/format.h>

#include "io/json.h"
#include "support/scratch_folder.h"
#include "tokenizers/characters.h"
#include "tokenizers/tokenizer.h"
#include "tokenizers/tokenizer_json.h"

namespace vernier {
namespace {

const std::string kFolder = VERNIER_TEST_DATA "/tokenizers/corpus";

const std::vector<std::string>& Lines() {
  static const std::vector<std::string> lines = [] {
    std::vector<std::string> split;
    const std::string text = ReadAll(kFolder + "/corpus.txt");
    for (size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
      split.push_back(text.substr(begin, end - begin));
    }
    return split;
  }();
  return lines;
}

const Json& Expected() {
  static const Json expected = Json::ParseFile(kFolder + "/expected.json");
  return expected;
}

uint64_t Fnv1a(std::string_view bytes) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

// The file of a tokenizer with the members of `patch` in place of its own.
std::unique_ptr<Tokenizer> LoadPatched(const std::string& name, const Json& patch) {
  if (patch.size() == 0) return LoadTokenizer(kFolder + "/" + name);
  Json file = Json::ParseFile(kFolder + "/" + name + "/tokenizer.json");
  for (const JsonMember& member : patch.members()) {
    if (member.key != "model") {
      file[member.key] = member.value;
      continue;
    }
    for (const JsonMember& inner : member.value.members()) {
      Json& target = file["model"][inner.key];
      if (inner.key != "merges") {
        target = inner.value;
        continue;
      }
      Json as_text = Json::Array();
      for (const Json& pair : target.items()) {
        as_text.Append(pair.items()[0].AsString() + " " + pair.items()[1].AsString());
      }
      target = std::move(as_text);
    }
  }
  const ScratchFolder folder;
  folder.Write("tokenizer.json", file.Compact());
  return LoadTokenizer(folder.path());
}

void ExpectAsPublished(const Tokenizer& tokenizer, const Json& expected) {
  const size_t block = static_cast<size_t>(Expected().GetInt("block"));
  for (const JsonMember& line : expected.GetObject("lines").members()) {
    const std::string& text = Lines()[std::stoul(line.key)];
    const std::vector<int32_t> ids = tokenizer.Encode(text);
    ASSERT_EQ(std::vector<int64_t>(ids.begin(), ids.end()),
              expected.GetObject("lines").GetInts(line.key))
        << "line " << line.key << ": " << text;
  }
  const auto ids_hashes = expected.GetStrings("ids");
  const auto text_hashes = expected.GetStrings("texts");
  ASSERT_EQ(ids_hashes.size() * block, Lines().size());
  for (size_t i = 0; i < ids_hashes.size(); ++i) {
    std::string ids_bytes, texts;
    for (size_t line = i * block; line < (i + 1) * block; ++line) {
      std::vector<int32_t> ids = tokenizer.Encode(Lines()[line]);
      texts += tokenizer.Decode(ids) + '\0';
      ids.push_back(-1);
      for (const int32_t id : ids) {
        for (int shift = 0; shift < 32; shift += 8) {
          ids_bytes += static_cast<char>(static_cast<uint32_t>(id) >> shift);
        }
      }
    }
    EXPECT_EQ(fmt::format("{:016x}", Fnv1a(ids_bytes)), ids_hashes[i])
        << "ids of lines from " << i * block;
    EXPECT_EQ(fmt::format("{:016x}", Fnv1a(texts)), text_hashes[i])
        << "texts of lines from " << i * block;
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Characters, AreAllNormalizedAsThePublishedLibraryDoes) {
  for (const JsonMember& member : Expected().GetObject("every_character").members()) {
    const Json step =
        Json::Parse(fmt::format(R"({{"normalizer": {{"type": "{}"}}}})", member.key), "steps");
    const Normalizer normalizer = ReadNormalizer(step);
    std::string texts;
    for (char32_t c = 1; c < 0x110000; ++c) {
      if (c == 0xD800) c = 0xE000;
      std::string character;
      AppendUtf8(c, character);
      texts += normalizer.Apply(character).text + '\0';
    }
    EXPECT_EQ(fmt::format("{:016x}", Fnv1a(texts)), member.value.AsString()) << member.key;
  }
}

class Corpus : public ::testing::TestWithParam<const char*> {};

TEST_P(Corpus, HasTheIdsAndTextsOfThePublishedLibraries) {
  const std::string name = GetParam();
  for (const Json& variant : Expected().GetArray(name).items()) {
    SCOPED_TRACE(variant.GetObject("patch").Compact());
    ExpectAsPublished(*LoadPatched(name, variant.GetObject("patch")), variant);
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, Corpus,
                         ::testing::Values("unigram", "bpe", "unigram_model", "bpe_model"),
                         [](const auto& tokenizer) { return tokenizer.param; });

}  // namespace
}  // namespace vernier
