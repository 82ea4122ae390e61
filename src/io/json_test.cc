#include "io/json.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Json Config(std::string_view text) { return Json::Parse(text, "config.json"); }

std::string Refusal(std::string_view text) {
  return MessageOf([&] { Config(text); });
}

TEST(Json, ReadsTypedMembersWithDefaults) {
  const Json config = Config(
      R"({"hidden_size": 768, "eps": 1e-12, "qkv_bias": true, "pad": null, "name": "vit",
          "shape": [1, 2], "labels": ["a", "b"], "mean": [0.5, 1]})");
  EXPECT_EQ(config.GetInt("hidden_size"), 768);
  EXPECT_EQ(config.GetInt("patch_size", 16), 16);
  EXPECT_EQ(config.GetInt("pad", -1), -1);
  EXPECT_EQ(config.GetNumber("eps"), 1e-12);
  EXPECT_EQ(config.GetNumber("hidden_size"), 768.0);
  EXPECT_TRUE(config.GetBool("qkv_bias", false));
  EXPECT_EQ(config.GetString("name"), "vit");
  EXPECT_EQ(config.GetString("other", "none"), "none");
  EXPECT_THAT(config.GetInts("shape"), ElementsAre(1, 2));
  EXPECT_THAT(config.GetStrings("labels"), ElementsAre("a", "b"));
  EXPECT_THAT(config.GetNumbers("mean"), ElementsAre(0.5, 1.0));
  EXPECT_TRUE(config.Has("pad"));
  EXPECT_EQ(config.Find("other"), nullptr);
}

TEST(Json, NamesTheFileThePlaceAndWhatWasFound) {
  const Json config = Config(R"({"vision": {"layers": [{"heads": "abc", "sizes": [1, null]}]}})");
  const Json& layer = config.GetObject("vision").GetArray("layers").items()[0];
  EXPECT_EQ(MessageOf([&] { layer.GetInt("heads"); }),
            "config.json: vision.layers[0].heads: expected an integer, found \"abc\"");
  EXPECT_EQ(MessageOf([&] { layer.GetInt("width"); }),
            "config.json: vision.layers[0].width is missing");
  EXPECT_EQ(MessageOf([&] { layer.GetInts("sizes"); }),
            "config.json: vision.layers[0].sizes: item 1: expected an integer, found null");
  EXPECT_EQ(MessageOf([&] { config.GetString("vision"); }),
            "config.json: vision: expected a string, found an object");
  EXPECT_EQ(MessageOf([&] { config.GetNumber("vision", 1); }),
            "config.json: vision: expected a number, found an object");
  EXPECT_EQ(MessageOf([&] { layer.GetBool("sizes"); }),
            "config.json: vision.layers[0].sizes: expected true or false, found an array of 2");
  EXPECT_EQ(MessageOf([&] { layer.GetObject("sizes"); }),
            "config.json: vision.layers[0].sizes: expected an object, found an array of 2");
  EXPECT_EQ(MessageOf([&] { layer.GetArray("heads"); }),
            "config.json: vision.layers[0].heads: expected an array, found \"abc\"");
}

TEST(Json, DoesNotRoundANumberToAnInteger) {
  const Json config = Config(R"({"a": 768.5, "b": 9223372036854775808})");
  EXPECT_THAT(MessageOf([&] { config.GetInt("a"); }),
              HasSubstr("expected an integer, found 768.5"));
  EXPECT_THAT(MessageOf([&] { config.GetInt("b"); }), HasSubstr("expected an integer"));
  EXPECT_EQ(config.GetNumber("b"), 9223372036854775808.0);
}

TEST(Json, KeepsTheOrderOfTheFile) {
  const Json labels = Config(R"({"10": "x", "2": "y", "1": "z"})");
  std::vector<std::string> keys;
  for (const JsonMember& member : labels.members()) keys.push_back(member.key);
  EXPECT_THAT(keys, ElementsAre("10", "2", "1"));
}

TEST(Json, RefusesDuplicateKeysByName) {
  EXPECT_EQ(Refusal(R"({"a": {"b": 1, "b": 2}})"), "config.json: a.b: duplicate key");
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += fmt::format("\"k{}\": {}, ", i, i);
  EXPECT_EQ(Refusal(many + "\"k500\": 0}"), "config.json: k500: duplicate key");
}

TEST(Json, RefusesWhatIsNotJson) {
  const std::string_view wrong[] = {
      "",        "{",          "nul",      "{\"a\" 1}", "[1,]",         "{} {}",        "NaN",
      "[1e999]", "[Infinity]", "{'a': 1}", "\"\xff\"",  "\"\xc0\x80\"", "[01]",         "\"a",
      "[1",      "[-]",        "{\"a\":}", "// no\n{}", "\"\t\"",       "[\"\\ud800\"]"};
  for (std::string_view text : wrong) {
    EXPECT_THAT(Refusal(text), StartsWith("config.json: not valid JSON: ")) << text;
  }
  EXPECT_THAT(Refusal("{\"a\": 1e999}"), HasSubstr("number overflow parsing '1e999'"));
  EXPECT_THAT(Refusal("{\n  \"a\" 1}"), HasSubstr("line 2, column 7"));
  EXPECT_THAT(Refusal("\xef\xbb\xbf{}"), HasSubstr("byte-order mark"));
}

TEST(Json, BoundsDepthAndCount) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(Refusal(deep), HasSubstr("nested deeper than 200 levels"));
  const JsonLimits few{.max_values = 3};
  EXPECT_THAT(MessageOf([&] { Json::Parse("[1,2,3]", "list", few); }),
              HasSubstr("more than 3 values"));
}

TEST(Json, FindsEachOfManyKeys) {
  Json object;
  for (int i = 0; i < 5000; ++i) object[fmt::format("key {}", i)] = i;
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(object.GetInt(fmt::format("key {}", i)), i);
  EXPECT_FALSE(object.Has("key 5000"));
  const Json copy = object;
  EXPECT_EQ(copy.GetInt("key 4999"), 4999);
}

TEST(Json, BuildsAndWritesResults) {
  Json result;
  result["model"] = "vit \"tiny\"";
  result["shape"] = Json::ArrayOf(std::vector<int64_t>{1, 197, 768});
  result["seconds"]["load"] = 0.25;
  result["score"] = 0.1f;
  result["worst"] = std::nan("");
  result["passed"] = true;
  Json entry;
  entry["image"] = "a.png";
  result["results"].Append(entry);
  EXPECT_EQ(result.Compact(),
            R"({"model": "vit \"tiny\"", "shape": [1, 197, 768], "seconds": {"load": 0.25}, )"
            R"("score": 0.1, "worst": null, "passed": true, "results": [{"image": "a.png"}]})");
  EXPECT_EQ(Json::ArrayOf(std::vector<int>{1, 2}).Pretty(), "[1, 2]\n");
  EXPECT_EQ(result.GetObject("seconds").Pretty(), "{\n  \"load\": 0.25\n}\n");
}

TEST(Json, ReadsBackTheNumbersThatItWrote) {
  for (double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22}) {
    EXPECT_EQ(Json::Parse(Json(value).Compact(), "number").AsNumber(), value);
  }
  for (int64_t value : {int64_t{0}, std::numeric_limits<int64_t>::min(), int64_t{1} << 62}) {
    EXPECT_EQ(Json::Parse(Json(value).Compact(), "number").AsInt(), value);
  }
  EXPECT_EQ(static_cast<float>(Json::Parse(Json(1.0f / 3).Compact(), "number").AsNumber()),
            1.0f / 3);
}

TEST(Json, ReadsFilesAndNamesThem) {
  const ScratchFolder folder;
  EXPECT_EQ(Json::ParseFile(folder.Write("a.json", "{\"a\": 1}")).GetInt("a"), 1);
  const std::string empty = folder.Write("empty.json", "");
  EXPECT_EQ(MessageOf([&] { Json::ParseFile(empty); }), empty + ": the file is empty");
  const std::string large = folder.Write("large.json", "[1, 2, 3, 4]");
  EXPECT_EQ(MessageOf([&] { Json::ParseFile(large, {.max_file_bytes = 10}); }),
            large + ": 12 bytes are too many for a JSON file, the limit is 10");
}

TEST(Json, ReadsEveryPrefixOfADocumentOrRefusesIt) {
  const std::string text = R"({"a": [1, 2.5e3, "x\u00e9\n", null], "b": {"c": true, "d": {}}})";
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(Refusal(text.substr(0, size)), "no error") << size;
  }
  EXPECT_EQ(Refusal(text), "no error");
}

}  // namespace
}  // namespace vernier
