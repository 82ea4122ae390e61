#include "core/json_writer.h"

#include <limits>

#include "vernier/error.h"

namespace vernier {
namespace {

TEST(JsonWriter, IndentsObjectsAndKeepsArraysOfNumbersOnOneLine) {
  JsonWriter json;
  json.BeginObject().Field("model", "vit").Key("samples_ms").Array(std::vector<double>{1.5, 2});
  json.Key("runs").BeginArray().EndArray().EndObject();
  EXPECT_EQ(json.Take(),
            "{\n  \"model\": \"vit\",\n  \"samples_ms\": [1.5, 2],\n  \"runs\": []\n}\n");
}

TEST(JsonWriter, EscapesControlCharactersAndReplacesBytesThatAreNotUtf8) {
  JsonWriter json;
  json.Value(std::string_view("a\"\\\n\x01\xFF\xC3\xA9\xC0\x80", 10));
  EXPECT_EQ(json.Take(), "\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\"\n");
}

TEST(JsonWriter, WritesNullForNumbersThatJsonCannotHold) {
  JsonWriter json;
  json.Array(std::vector<double>{std::numeric_limits<double>::quiet_NaN(), 0.1,
                                 std::numeric_limits<double>::infinity()});
  EXPECT_EQ(json.Take(), "[null, 0.1, null]\n");
}

TEST(JsonWriter, RefusesAValueWithoutAKey) {
  JsonWriter json;
  json.BeginObject();
  EXPECT_THROW(json.Value(1), Error);
}

TEST(JsonWriter, RefusesToGiveUnfinishedText) {
  JsonWriter json;
  json.BeginObject();
  EXPECT_THROW(json.Take(), Error);
}

}  // namespace
}  // namespace vernier
