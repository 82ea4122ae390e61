// Text metrics against the packages that define them. The goldens are made by
// tools/text_metric_expectations.py; the older ones came with the model specifications.
#include <cmath>
#include <string>
#include <vector>

#include "core/unicode.h"
#include "io/json.h"
#include "metrics/text_answers.h"
#include "metrics/text_bleu.h"
#include "metrics/text_edits.h"
#include "metrics/text_rouge.h"

namespace vernier {
namespace {

// The packages' own rounding: sums of at most four terms in double.
constexpr double kRougeTolerance = 1e-12;
constexpr double kBleuTolerance = 1e-9;

const Json& Cases() {
  static const Json cases = Json::ParseFile(VERNIER_TEST_DATA "/text_metrics/cases.json");
  return cases;
}

const Json& RandomTexts() {
  static const Json cases = Json::ParseFile(VERNIER_TEST_DATA "/text_metrics/random.json");
  return cases;
}

struct Pair {
  std::string reference;
  std::string candidate;
};

Pair PairOf(const Json& row) { return {row.GetString("reference"), row.GetString("candidate")}; }

BleuCounts Count(const Pair& pair) {
  return CountBleu(std::vector<std::string>{pair.reference}, pair.candidate);
}

TEST(TextMetrics, AgreeWithTheGoldensOfTheSpecification) {
  for (const Json& row : Cases().GetArray("pairs").items()) {
    const Pair pair = PairOf(row);
    const auto& [reference, candidate] = pair;
    SCOPED_TRACE(reference + " | " + candidate);
    EXPECT_NEAR(RougeN(reference, candidate, 1).f, row.GetNumber("rouge1"), kRougeTolerance);
    EXPECT_NEAR(RougeN(reference, candidate, 2).f, row.GetNumber("rouge2"), kRougeTolerance);
    const RougeScore rouge = RougeL(reference, candidate);
    EXPECT_NEAR(rouge.f, row.GetNumber("rougeL"), kRougeTolerance);
    EXPECT_NEAR(rouge.precision, row.GetNumber("rougeL_precision"), kRougeTolerance);
    EXPECT_NEAR(rouge.recall, row.GetNumber("rougeL_recall"), kRougeTolerance);
    const BleuCounts counts = Count(pair);
    EXPECT_THAT(counts.matches, testing::ElementsAreArray(row.GetInts("bleu_counts")));
    EXPECT_THAT(counts.totals, testing::ElementsAreArray(row.GetInts("bleu_totals")));
    EXPECT_EQ(counts.candidate_length, row.GetInts("bleu_lengths")[0]);
    EXPECT_EQ(counts.reference_length, row.GetInts("bleu_lengths")[1]);
    EXPECT_NEAR(SentenceBleu(counts), row.GetNumber("sentence_bleu"), kBleuTolerance);
    EXPECT_EQ(ExactMatch(reference, candidate), row.GetBool("exact_match"));
    EXPECT_EQ(RelaxedMatch(reference, candidate), row.GetBool("relaxed_accuracy"));
    EXPECT_NEAR(Anls(reference, candidate), row.GetNumber("anls"), kRougeTolerance);
  }
}

TEST(TextMetrics, AddUpToTheGoldensOfCorpora) {
  const auto rows = Cases().GetArray("pairs").items();
  for (const JsonMember& group : Cases().GetObject("groups").members()) {
    SCOPED_TRACE(group.key);
    BleuCounts sum;
    double rouge_l = 0;
    const std::vector<int64_t> members = group.value.GetInts("pairs");
    for (int64_t index : members) {
      const Pair pair = PairOf(rows[static_cast<size_t>(index)]);
      sum += Count(pair);
      rouge_l += RougeL(pair.reference, pair.candidate).f;
    }
    EXPECT_NEAR(CorpusBleu(sum), group.value.GetNumber("corpus_bleu"), kBleuTolerance);
    EXPECT_NEAR(rouge_l / static_cast<double>(members.size()),
                group.value.GetObject("mean").GetNumber("rougeL"), kRougeTolerance);
  }
}

TEST(TextMetrics, AgreeWithThePackagesOnRandomTextsOfManyScripts) {
  BleuCounts sum;
  for (const Json& row : RandomTexts().GetArray("pairs").items()) {
    const Pair pair = PairOf(row);
    const auto& [reference, candidate] = pair;
    SCOPED_TRACE(reference + " | " + candidate);
    EXPECT_EQ(LowerCase(reference), row.GetString("lower"));
    const std::vector<double> rouge = row.GetNumbers("rouge");
    EXPECT_NEAR(RougeN(reference, candidate, 1).f, rouge[0], kRougeTolerance);
    EXPECT_NEAR(RougeN(reference, candidate, 2).f, rouge[1], kRougeTolerance);
    EXPECT_NEAR(RougeL(reference, candidate).f, rouge[2], kRougeTolerance);
    EXPECT_EQ(BleuTokens(reference), row.GetStrings("bleu_tokens"));
    const BleuCounts counts = Count(pair);
    EXPECT_NEAR(SentenceBleu(counts), row.GetNumber("bleu"), kBleuTolerance);
    sum += counts;
    EXPECT_NEAR(NormalizedEditDistance(reference, candidate), row.GetNumber("ned"),
                kRougeTolerance);
    if (row.Has("wer")) {
      EXPECT_NEAR(ErrorRate(WordEdits(reference, candidate)), row.GetNumber("wer"),
                  kRougeTolerance);
    }
    if (row.Has("cer")) {
      EXPECT_NEAR(ErrorRate(CharacterEdits(reference, candidate)), row.GetNumber("cer"),
                  kRougeTolerance);
    }
  }
  EXPECT_NEAR(CorpusBleu(sum), RandomTexts().GetNumber("corpus_bleu"), kBleuTolerance);
}

TEST(TextBleu, TakesTheBestOfSeveralReferences) {
  for (const Json& row : RandomTexts().GetArray("several_references").items()) {
    const BleuCounts counts = CountBleu(row.GetStrings("references"), row.GetString("candidate"));
    EXPECT_NEAR(SentenceBleu(counts), row.GetNumber("bleu"), kBleuTolerance)
        << row.GetString("candidate");
  }
}

TEST(ParsePythonFloat, ReadsWhatPythonReads) {
  for (const Json& row : RandomTexts().GetArray("floats").items()) {
    const std::optional<double> value = ParsePythonFloat(row.GetString("text"));
    const Json* expected = row.Find("value");
    ASSERT_EQ(value.has_value(), !expected->is_null()) << row.GetString("text");
    if (!value) continue;
    if (expected->AsString() == "nan") {
      EXPECT_TRUE(std::isnan(*value));
    } else {
      EXPECT_EQ(*value, std::stod(expected->AsString())) << row.GetString("text");
    }
  }
}

TEST(TextEdits, ScoreEmptyTexts) {
  EXPECT_EQ(NormalizedEditDistance("", ""), 0);
  EXPECT_EQ(NormalizedEditDistance("", "ab"), 1);
  EXPECT_EQ(ErrorRate(WordEdits("", "")), 0);
  EXPECT_EQ(ErrorRate(WordEdits("", "two words")), 2);
  EXPECT_EQ(ErrorRate(CharacterEdits("日本", "日")), 0.5);
}

}  // namespace
}  // namespace vernier
