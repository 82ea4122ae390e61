#include "eval/score.h"

#include "eval/baseline.h"
#include "eval/labels.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Value and count of one metric of records.
std::pair<double, int64_t> Value(EvalTask task, const std::vector<Record>& records,
                                 const std::string& name,
                                 FailedSamples failed = FailedSamples::kLeftOut) {
  const Metric metric = Summarize(Score(task, records, std::span(&name, 1), failed)[0]);
  return {metric.value, metric.n};
}

using Found = std::pair<double, int64_t>;

Record Labelled(const std::string& expected, const std::vector<std::string>& ranked) {
  return {.expected = {expected}, .answer = ranked[0], .ranked = ranked};
}

Record Text(const std::vector<std::string>& expected, const std::string& answer) {
  return {.expected = expected, .answer = answer};
}

Record Embedded(const std::string& label, const std::vector<float>& embedding) {
  return {.expected = {label}, .embedding = embedding};
}

const Record kFailed = {.expected = {"a"}, .error = "cannot be read"};

TEST(Score, CountsTheBestAndTheBestFiveLabels) {
  const std::vector<Record> records = {Labelled("a", {"a", "b"}), Labelled("a", {"b", "a"}),
                                       Labelled("a", {"b", "c"}), kFailed};
  EXPECT_EQ(Value(EvalTask::kClassify, records, "top1"), Found(1.0 / 3, 3));
  EXPECT_EQ(Value(EvalTask::kClassify, records, "top5"), Found(2.0 / 3, 3));
  EXPECT_EQ(Value(EvalTask::kClassify, records, "top1", FailedSamples::kWrong), Found(0.25, 4));
}

TEST(Score, TakesTheBestOfSeveralRightAnswers) {
  const std::vector<Record> records = {Text({"two", "2"}, "2.05"), Text({"no", "No way"}, "no")};
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "relaxed_accuracy").first, 1);
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "exact_match").first, 0.5);
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "rouge_l").first, (2.0 / 3 + 1) / 2);
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "ned").first, (3.0 / 4 + 0) / 2);
  // Of "two" four edits by three letters, which is less than three by one of "2".
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "cer").first, 4.0 / 5);
}

TEST(Score, CountsFailedAnswersAsTheWorst) {
  const std::vector<Record> records = {Text({"ab cd"}, "ab cd"),
                                       {.expected = {"ab cd"}, .error = "e"}};
  for (const auto& [name, worst] :
       {std::pair("rouge_l", 0.5), {"exact_match", 0.5}, {"ned", 0.5}, {"wer", 0.5}}) {
    EXPECT_EQ(Value(EvalTask::kAnswer, records, name, FailedSamples::kWrong), Found(worst, 2));
  }
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "bleu").second, 1);
  EXPECT_EQ(Value(EvalTask::kAnswer, records, "bleu", FailedSamples::kWrong).second, 2);
}

TEST(Score, FindsTheClassAmongTheNearest) {
  const std::vector<Record> records = {Embedded("a", {1, 0}), Embedded("a", {1, 0.1f}),
                                       Embedded("b", {1, 0.5f}), Embedded("b", {0, 1}),
                                       Embedded("alone", {-1, 0})};
  // Both "a" find each other; "b" at (1, 0.5) finds "a" twice first, the other "b" it first.
  EXPECT_EQ(Value(EvalTask::kRetrieve, records, "recall@1"), Found(0.75, 4));
  EXPECT_EQ(Value(EvalTask::kRetrieve, records, "recall@3"), Found(1, 4));
}

TEST(Score, FindsNothingAmongEqualEmbeddings) {
  const std::vector<Record> records = {Embedded("a", {1, 1}), Embedded("a", {1, 1}),
                                       Embedded("b", {1, 1}), Embedded("b", {1, 1})};
  EXPECT_EQ(Value(EvalTask::kRetrieve, records, "recall@1").first, 0);
  EXPECT_NEAR(Value(EvalTask::kRetrieve, records, "mean_cosine").first, 1, 1e-6);
}

TEST(Score, FindsPartnersAmongPartners) {
  std::vector<Record> records = {{.embedding = {1, 0}, .partner_embedding = {1, 0.1f}},
                                 {.embedding = {0, 1}, .partner_embedding = {1, 0}}};
  EXPECT_EQ(Value(EvalTask::kRetrieve, records, "recall@1"), Found(0, 2));
  records[1].partner_embedding = {0.1f, 1};
  EXPECT_EQ(Value(EvalTask::kRetrieve, records, "recall@1"), Found(1, 2));
}

TEST(Score, RefusesEmbeddingsOfSeveralLengths) {
  const std::vector<Record> records = {Embedded("a", {1, 0}), Embedded("a", {1, 0, 0})};
  EXPECT_THAT(MessageOf([&] { Value(EvalTask::kRetrieve, records, "recall@1"); }),
              HasSubstr("embeddings of 3 and of 2 numbers"));
}

TEST(Score, RefusesMetricsThatATaskDoesNotHave) {
  EXPECT_THAT(MessageOf([] { CheckMetricName(EvalTask::kClassify, "rouge_l"); }),
              HasSubstr("metric 'rouge_l' does not exist for the task classify"));
  EXPECT_NO_THROW(CheckMetricName(EvalTask::kRetrieve, "recall@20"));
  EXPECT_EQ(KindOf([] { CheckMetricName(EvalTask::kRetrieve, "recall@0"); }), ErrorKind::kUsage);
  EXPECT_THAT(MessageOf([] { ParseEvalTask("guess"); }), HasSubstr("task 'guess' does not exist"));
}

Record Named(const std::string& id, const std::string& expected, const std::string& answer) {
  return {.id = id, .fingerprint = "same", .expected = {expected}, .answer = answer};
}

TEST(Baseline, ComparesAnswersWithTheEarlierOnes) {
  const std::vector<Record> now = {Named("1", "x y", "x y"), Named("2", "z", "w"),
                                   Named("3", "z", "z"), Named("new", "z", "z")};
  StoredResults before{.records = {Named("1", "x y", "x q"), Named("2", "z", "w"), now[2]}};
  before.header.task = "answer";
  before.records[2].error = "was missing";
  const std::vector<std::string> metrics = {"exact_match"};
  const BaselineComparison found =
      CompareWithBaseline(EvalTask::kAnswer, metrics, now, "old.jsonl", before);
  EXPECT_EQ(found.paired, 2);
  EXPECT_EQ(found.unpaired, 2);
  ASSERT_THAT(found.changed, SizeIs(2));
  EXPECT_EQ(found.changed[0].before, "x q");
  EXPECT_EQ(found.changed[0].now, "x y");
  EXPECT_EQ(found.changed[1].before, "was missing");
  for (const Metric& metric : found.agreement) {
    if (metric.name == "baseline.rouge_l") {
      EXPECT_DOUBLE_EQ(metric.value, 0.75);
    }
  }
  ASSERT_THAT(found.deltas, SizeIs(1));
  EXPECT_EQ(found.deltas[0].name, "delta.exact_match");
  EXPECT_EQ(found.deltas[0].value, 0.5);
}

TEST(Baseline, RefusesRunsOfOtherSamplesOrTasks) {
  const std::vector<Record> now = {Named("1", "x", "x")};
  StoredResults before{.records = now};
  before.header.task = "answer";
  const auto refusal = [&](const StoredResults& stored) {
    return MessageOf([&] { CompareWithBaseline(EvalTask::kAnswer, {}, now, "old.jsonl", stored); });
  };
  EXPECT_EQ(refusal(before), "no error");
  before.records[0].fingerprint = "other";
  EXPECT_THAT(refusal(before), HasSubstr("'1' has another picture, question or expected answer"));
  before.records[0].id = "2";
  EXPECT_THAT(refusal(before), HasSubstr("shares no answered sample"));
  before.header.task = "classify";
  EXPECT_THAT(refusal(before), HasSubstr("is a run of the task classify, this one is answer"));
}

Dataset SetOf(const std::vector<std::string>& labels) {
  Dataset set;
  for (const std::string& label : labels) {
    set.samples.push_back({.expected = {label}, .place = "l.csv:" + label});
  }
  return set;
}

TEST(ModelLabels, GoByNameSynonymOrNumber) {
  const std::vector<std::string> labels = {"tench, Tinca tinca", "goldfish", "2"};
  Dataset named = SetOf({"Tench", "GOLDFISH", "tinca tinca", "2"});
  UseModelLabels(named, labels);
  EXPECT_THAT(named.samples[0].expected, ElementsAre("tench, Tinca tinca"));
  EXPECT_THAT(named.samples[1].expected, ElementsAre("goldfish"));
  EXPECT_THAT(named.samples[3].expected, ElementsAre("2"));
  Dataset numbered = SetOf({"0", "1"});
  UseModelLabels(numbered, labels);
  EXPECT_THAT(numbered.samples[1].expected, ElementsAre("goldfish"));
}

TEST(ModelLabels, NameThePlaceOfALabelThatTheModelDoesNotHave) {
  Dataset set = SetOf({"goldfish", "goldfih"});
  try {
    UseModelLabels(set, {"tench", "goldfish"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "l.csv:goldfih: the label 'goldfih' is none of the model's 2");
    EXPECT_EQ(error.hint(), "did you mean 'goldfish'?");
  }
  Dataset beyond = SetOf({"7"});
  EXPECT_THAT(MessageOf([&] { UseModelLabels(beyond, {"a", "b"}); }), HasSubstr("label '7'"));
  EXPECT_THAT(MessageOf([&] { UseModelLabels(beyond, {}); }), HasSubstr("has no labels"));
}

}  // namespace
}  // namespace vernier
