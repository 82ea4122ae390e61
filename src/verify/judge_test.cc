#include "verify/judge.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "support/scratch_folder.h"
#include "verify/msaccucmp_table.h"

namespace vernier {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TensorComparison Compared(const std::string& name, const std::vector<float>& candidate,
                          const std::vector<float>& reference) {
  const Shape shape = {1, static_cast<int64_t>(reference.size())};
  TensorComparison tensor{.name = name,
                          .reference = {.name = name, .shape = shape},
                          .candidate = {.name = name, .shape = shape},
                          .paired_by = "name"};
  tensor.accumulated =
      MeasurePair({candidate.data(), DType::kF32, shape}, {reference.data(), DType::kF32, shape});
  return tensor;
}

TensorComparison Scores(int64_t rows, double top1) {
  TensorComparison tensor = Compared("logits", {1, 2}, {1, 2});
  tensor.output = true;
  tensor.rows = RowMetrics{.rows = rows, .classes = 10, .top1 = top1, .top5 = 1};
  return tensor;
}

Verdict VerdictOf(Comparison& comparison, const std::vector<std::string>& gates,
                  JudgeOptions options = {}) {
  for (const std::string& gate : gates) options.gates.push_back(ParseGate(gate));
  Judge(options, comparison);
  return comparison.verdict;
}

Comparison Of(std::vector<TensorComparison> tensors) {
  Comparison comparison;
  comparison.tensors = std::move(tensors);
  return comparison;
}

TEST(Gate, IsReadInAllItsParts) {
  const Gate gate = ParseGate("encoder.*,logits:avg(mre)<10%");
  EXPECT_THAT(gate.patterns, ElementsAre("encoder.*", "logits"));
  EXPECT_EQ(gate.metric, "mre");
  EXPECT_TRUE(gate.average);
  EXPECT_TRUE(gate.strict);
  EXPECT_FALSE(gate.at_least);
  EXPECT_DOUBLE_EQ(gate.threshold, 0.1);
}

TEST(Gate, WithAnEqualsSignTakesTheBoundThatItsMetricCanHave) {
  EXPECT_FALSE(ParseGate("mre=1%").at_least);
  EXPECT_TRUE(ParseGate("logits:cosine=0.999").at_least);
  EXPECT_FALSE(ParseGate("mre=1%").strict);
  EXPECT_DOUBLE_EQ(ParseGate("mre=1%").threshold, 0.01);
}

TEST(Gate, SaysWhatIsWrongWithIt) {
  const auto message = [](const char* text) { return MessageOf([&] { ParseGate(text); }); };
  EXPECT_THAT(message("mre"), HasSubstr("--gate 'mre': it has no <, > or ="));
  EXPECT_THAT(message("mrr<=1"), HasSubstr("there is no metric 'mrr'; there are max_abs"));
  EXPECT_THAT(message("mre<=much"), HasSubstr("'much' is no number or percentage"));
  EXPECT_THAT(message("mre>=1%"), HasSubstr("mre is better the smaller it is"));
  EXPECT_THAT(message("cosine<=0.9"), HasSubstr("cosine is better the larger it is"));
  EXPECT_THAT(message("@all:mre<1"), HasSubstr("there is no group @all"));
  EXPECT_THAT(message(":mre<1"), HasSubstr("a name is missing before ':'"));
}

TEST(Gate, OfAnUnknownTensorIsAnError) {
  Comparison comparison = Of({Compared("logits", {1, 2}, {1, 2})});
  EXPECT_THAT(MessageOf([&] { VerdictOf(comparison, {"logit:mre<=1%"}); }),
              HasSubstr("--gate 'logit:mre<=1%': no tensor of either side has such a name"));
}

TEST(Gate, OfATensorOnOneSideCannotBeDecided) {
  Comparison comparison = Of({Compared("a", {1, 2}, {1, 2})});
  comparison.only_reference = {{.name = "logits", .reason = "…"}};
  EXPECT_EQ(VerdictOf(comparison, {"logits:mre<=1%"}).kind, VerdictKind::kInconclusive);
}

TEST(Gate, PresetsAreAllReadable) {
  for (const GatePreset& preset : GatePresets()) EXPECT_FALSE(PresetGates(preset.name).empty());
  EXPECT_THAT(MessageOf([] { PresetGates("vlm"); }), HasSubstr("--preset: there is no 'vlm'"));
}

TEST(Verdict, PassesWhenEveryValueIsWithinItsTolerance) {
  Comparison comparison = Of({Compared("a", {1, 2.000001f}, {1, 2})});
  EXPECT_EQ(VerdictOf(comparison, {}).kind, VerdictKind::kPassed);
}

TEST(Verdict, OfAFailureSaysAtWhichToleranceItWouldPass) {
  Comparison comparison = Of({Compared("a", {1, 2.1f}, {1, 2}), Compared("b", {1, 2}, {1, 2})});
  const Verdict verdict = VerdictOf(comparison, {"mre<=1%", "cosine>=0.99999"});
  EXPECT_EQ(verdict.kind, VerdictKind::kFailed);
  EXPECT_EQ(verdict.culprits.first_over_gate, "a");
  EXPECT_THAT(verdict.reasons, Contains(HasSubstr("mre<=1%: a has 0.0249875")));
  // Doing what it says must pass.
  std::vector<std::string> milder;
  for (size_t begin = 0;
       (begin = verdict.would_pass.find("--gate '", begin)) != std::string::npos;) {
    begin += 8;
    milder.push_back(
        verdict.would_pass.substr(begin, verdict.would_pass.find('\'', begin) - begin));
  }
  ASSERT_THAT(milder, testing::SizeIs(2));
  EXPECT_EQ(VerdictOf(comparison, milder).kind, VerdictKind::kPassed) << verdict.would_pass;
}

TEST(Verdict, NamesTheAbsoluteToleranceThatWouldPass) {
  Comparison comparison = Of({Compared("a", {1, 2.1f}, {1, 2})});
  comparison.tolerance.pair = {1e-5, 1e-3};
  EXPECT_THAT(VerdictOf(comparison, {}).would_pass, HasSubstr("--tol 0.001,0.098"));
}

TEST(Verdict, FailsOnNanOnOneSide) {
  Comparison comparison = Of({Compared("a", {1, std::numeric_limits<float>::quiet_NaN()}, {1, 2})});
  const Verdict verdict = VerdictOf(comparison, {"mre<=1%"});
  EXPECT_EQ(verdict.kind, VerdictKind::kFailed);
  EXPECT_THAT(verdict.reasons,
              Contains(HasSubstr("NaN or infinity where the other side has none")));
}

TEST(Verdict, DoesNotTakeNanOnBothSidesForAgreement) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Comparison comparison = Of({Compared("a", {1, nan}, {1, nan})});
  const Verdict verdict = VerdictOf(comparison, {"mre<=1%"});
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_THAT(verdict.reasons, Contains(HasSubstr("NaN on both sides: 'a'")));
}

TEST(Verdict, TakesTheSameInfinitiesOfAMaskForAgreement) {
  const float low = -std::numeric_limits<float>::infinity();
  Comparison comparison = Of({Compared("mask", {0, low}, {0, low})});
  EXPECT_EQ(VerdictOf(comparison, {"max_abs<=0"}).kind, VerdictKind::kPassed);
}

TEST(Verdict, DoesNotTakeConstantOutputsForEvidence) {
  TensorComparison logits = Compared("logits", {3, 3}, {3, 3});
  logits.output = true;
  Comparison comparison = Of({logits});
  EXPECT_THAT(VerdictOf(comparison, {"mre<=1%"}).reasons,
              Contains(HasSubstr("the same constant on both sides: 'logits'")));
}

TEST(Verdict, IsOpenWhereBothSidesRanTheSameKernels) {
  Comparison comparison = Of({Compared("a", {1, 2}, {1, 2})});
  for (ComparedSide* side : {&comparison.reference, &comparison.candidate}) {
    side->device = "cpu";
    side->kernels = {"own:avx2:gemm"};
  }
  const Verdict verdict = VerdictOf(comparison, {"mre<=1%"});
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_THAT(verdict.reasons, Contains(HasSubstr("the same kernels on the same device")));
  EXPECT_EQ(VerdictOf(comparison, {"mre<=1%"}, {.same_kernels_expected = true}).kind,
            VerdictKind::kPassed);
}

TEST(Verdict, IsOpenWhereTooFewSamplesWereCounted) {
  Comparison comparison = Of({Scores(420, 418.0 / 420)});
  const Verdict verdict = VerdictOf(comparison, {"logits:top1>=99%"});
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_THAT(verdict.reasons,
              Contains(HasSubstr("too few samples (420): the 95 % interval 98.28 % "
                                 "to 99.87 % holds the threshold")));
  comparison = Of({Scores(42000, 41800.0 / 42000)});
  EXPECT_EQ(VerdictOf(comparison, {"logits:top1>=99%"}).kind, VerdictKind::kPassed);
  comparison = Of({Scores(42000, 0.9)});
  EXPECT_EQ(VerdictOf(comparison, {"logits:top1>=99%"}).kind, VerdictKind::kFailed);
}

TEST(Verdict, CountsTheRowsOfAllPromptsTogether) {
  Comparison comparison = Of({Scores(300, 1), Scores(100, 0.99)});
  Verdict verdict = VerdictOf(comparison, {"logits:top1>=98%"});
  EXPECT_EQ(verdict.kind, VerdictKind::kPassed);
  ASSERT_EQ(comparison.gates.size(), 1u);
  EXPECT_DOUBLE_EQ(comparison.gates[0].value, 399.0 / 400);
  // Each by itself would be open.
  comparison = Of({Scores(100, 0.99)});
  EXPECT_EQ(VerdictOf(comparison, {"logits:top1>=98%"}).kind, VerdictKind::kInconclusive);
}

TEST(Verdict, WantsFiftyNineSamplesForAllOfThem) {
  Comparison comparison = Of({Scores(2, 1)});
  EXPECT_THAT(VerdictOf(comparison, {"top1>=100%"}).reasons,
              Contains(HasSubstr("all 2 agree, which is too few")));
  comparison = Of({Scores(59, 1)});
  EXPECT_EQ(VerdictOf(comparison, {"top1>=100%"}).kind, VerdictKind::kPassed);
  comparison = Of({Scores(59, 58.0 / 59)});
  EXPECT_EQ(VerdictOf(comparison, {"top1>=100%"}).kind, VerdictKind::kFailed);
}

TEST(Verdict, OfTheTaskWantsTrainedWeightsAndRealInputs) {
  Comparison comparison = Of({Scores(100, 1)});
  comparison.candidate.random_head = true;
  comparison.reference.random_inputs = true;
  const Verdict verdict = VerdictOf(comparison, {"mre<=1%"}, {.scope = "task"});
  EXPECT_EQ(verdict.kind, VerdictKind::kInconclusive);
  EXPECT_THAT(verdict.reasons, ElementsAre(HasSubstr("the reference's inputs are random"),
                                           HasSubstr("the candidate's head was made up")));
  EXPECT_EQ(VerdictOf(comparison, {"mre<=1%"}).kind, VerdictKind::kPassed);
}

TEST(Verdict, FailsWhereShapesCannotBeBroughtTogether) {
  TensorComparison tensor = Compared("a", {1, 2}, {1, 2});
  tensor.not_compared = "shapes differ: [2] and [3]";
  Comparison comparison = Of({tensor, Compared("b", {1}, {1})});
  EXPECT_THAT(VerdictOf(comparison, {"mre<=1%"}).reasons,
              ElementsAre(HasSubstr("shapes differ and no order of axes fits: 'a'")));
}

TEST(Verdict, SaysWhatWasNotTested) {
  Comparison comparison = Of({Compared("a", {1, 2}, {1, 2})});
  comparison.only_candidate = {{.name = "b"}, {.name = "c"}};
  const Verdict verdict = VerdictOf(comparison, {});
  EXPECT_THAT(verdict.not_tested, Contains("2 tensors are on the candidate only: 'b', 'c'"));
  EXPECT_THAT(verdict.not_tested, Contains("preprocessing: no input tensor is on both sides"));
}

TEST(Culprits, BlamePreprocessingFirst) {
  TensorComparison pixels = Compared("pixel_values", {0.5f, 1}, {0, 1});
  pixels.preprocessing = true;
  Comparison comparison = Of({pixels, Compared("layer", {1, 3}, {1, 2})});
  const Culprits culprits = VerdictOf(comparison, {}).culprits;
  EXPECT_EQ(culprits.first_over_gate, "pixel_values");
  EXPECT_THAT(culprits.sentences[0], HasSubstr("preprocessing differs before any layer runs"));
}

TEST(Culprits, AreReadOffTheGrowthWhereNoStepWasRunAlone) {
  Comparison comparison =
      Of({Compared("a", {1, 2.00001f}, {1, 2}), Compared("b", {1, 2.002f}, {1, 2}),
          Compared("c", {1, 2.1f}, {1, 2}), Compared("d", {1, 2.11f}, {1, 2})});
  const Culprits culprits = VerdictOf(comparison, {}).culprits;
  EXPECT_EQ(culprits.evidence, "growth");
  EXPECT_EQ(culprits.most_own_error, "c");
  EXPECT_EQ(culprits.amplified_at, "b");
}

TEST(Culprits, ComeFromStepsRunAloneWhereThereAreSome) {
  TensorComparison a = Compared("a", {1, 2.1f}, {1, 2});
  TensorComparison b = Compared("b", {1, 2.5f}, {1, 2});
  a.own = OwnError{.kind = "isolated", .metrics = a.accumulated};
  b.own = OwnError{.kind = "isolated", .metrics = Compared("b", {1, 2.01f}, {1, 2}).accumulated};
  Comparison comparison = Of({a, b});
  const Culprits culprits = VerdictOf(comparison, {}).culprits;
  EXPECT_EQ(culprits.evidence, "isolated");
  EXPECT_EQ(culprits.most_own_error, "a");
}

TEST(Gate, OfTextsIsTheMeanOverThem) {
  Comparison comparison;
  comparison.texts = {{.item = "a", .reference = "x", .candidate = "x", .rouge_l = 1},
                      {.item = "b", .reference = "x", .candidate = "y", .rouge_l = 0}};
  EXPECT_EQ(VerdictOf(comparison, {"rouge_l>=0.4"}).kind, VerdictKind::kPassed);
  EXPECT_EQ(VerdictOf(comparison, {"rouge_l>=1"}).kind, VerdictKind::kFailed);
  EXPECT_EQ(comparison.gates[0].tensor, "b");
}

TEST(MsaccucmpTable, HasItsColumnsAndFormulas) {
  Comparison comparison = Of({Compared("a,b", {1, 2, 4}, {1, 0, 2})});
  // Worked by hand: |x-y| = 0 2 2; relative where y is not 0: 0, 1.
  EXPECT_THAT(MsaccucmpCsv(comparison),
              HasSubstr("CosineSimilarity,MaxAbsoluteError,AccumulatedRelativeError,"
                        "RelativeEuclideanDistance,KullbackLeiblerDivergence,StandardDeviation,"
                        "MeanAbsoluteError,RootMeanSquareError,MaxRelativeError,"
                        "MeanRelativeError,CompareFailReason\n"
                        "0,,\"a,b\",f32,NaN,\"a,b\",f32,NaN,\"a,b\",\"[1, 3]\","
                        "0.878310,2.000000,1.000000,1.264911,"));
  EXPECT_THAT(MsaccucmpCsv(comparison),
              HasSubstr(",\"(2.333;1.247),(1.000;0.816)\",1.333333,1.632993,1.000000,0.333333,\n"));
}

TEST(MsaccucmpTable, CallsZerosOnBothSidesAlike) {
  Comparison comparison = Of({Compared("a", {0, 0}, {0, 0})});
  EXPECT_THAT(MsaccucmpCsv(comparison), HasSubstr(",1.000000,0.000000,0.000000,0.000000,NaN,"));
}

}  // namespace
}  // namespace vernier
