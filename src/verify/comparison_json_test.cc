#include <gtest/gtest.h>

#include "io/json.h"
#include "verify/comparison.h"

namespace vernier {
namespace {

TEST(ComparisonJson, WritesFiguresThatAreNotDefinedAsNull) {
  Comparison comparison;
  comparison.tensors.push_back(
      {.name = "logits", .reference = {"logits"}, .candidate = {"logits"}});
  const Json json = Json::Parse(ComparisonJson(comparison), "test");
  EXPECT_EQ(json.GetString("kind"), "comparison");
  EXPECT_EQ(json.GetInt("schema"), kComparisonSchema);
  const Json& tensor = json.GetArray("tensors").items()[0];
  EXPECT_TRUE(tensor.Get("accumulated").Get("mre").is_null());
  EXPECT_TRUE(tensor.Get("own").is_null());
  EXPECT_TRUE(tensor.Get("rows").is_null());
}

TEST(ComparisonJson, LeavesOutTheFiguresOfATensorThatWasNotCompared) {
  Comparison comparison;
  comparison.tensors.push_back({.name = "logits",
                                .reference = {"logits"},
                                .candidate = {"logits"},
                                .not_compared = "shapes differ"});
  const Json json = Json::Parse(ComparisonJson(comparison), "test");
  EXPECT_TRUE(json.GetArray("tensors").items()[0].Get("accumulated").is_null());
}

}  // namespace
}  // namespace vernier
