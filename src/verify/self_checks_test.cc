#include "verify/self_checks.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "io/json.h"
#include "support/scratch_folder.h"
#include "verify/proof_inputs.h"
#include "verify/self_runner.h"

namespace vernier {
namespace {

// What is planted into a model that sums each row's values; one fault of each kind.
struct Misbehaviour {
  std::string caught_by;
  bool by_place = false;  // a row's result depends on where it stands
  bool by_batch = false;  // … on how many there are
  bool by_threads = false;
  bool when_cold = false;
  int every = 0;  // … now and then
  bool by_padding = false;
};

class FakeModel {
 public:
  explicit FakeModel(const Misbehaviour& fault) : fault_(fault) {}

  NamedTensors operator()(const NamedTensors& inputs, const SelfRun& how) {
    ++runs_;
    const Tensor& x = inputs.begin()->second.dtype() == DType::kF32 && inputs.size() == 1
                          ? inputs.begin()->second
                          : inputs.at("flattened_patches");
    const int64_t batch = x.shape()[0];
    Tensor y(DType::kF32, {batch, 1});
    const int64_t width = x.shape().elements() / batch;
    for (int64_t row = 0; row < batch; ++row) {
      float sum = 0;
      for (int64_t i = 0; i < width; ++i)
        sum += x.as<float>()[static_cast<size_t>(row * width + i)];
      if (fault_.by_place && row == 2) sum *= 1.001f;
      if (fault_.by_batch && batch == 1) sum *= 1.001f;
      if (fault_.by_threads && how.threads == 1) sum *= 1.001f;
      if (fault_.when_cold && how.cold) sum *= 1.001f;
      if (fault_.every > 0 && runs_ % fault_.every == 0) sum = std::nextafter(sum, 1e9f);
      if (fault_.by_padding && x.shape()[1] > 3) sum *= 1.001f;
      y.as<float>()[static_cast<size_t>(row)] = sum;
    }
    NamedTensors outputs;
    outputs.emplace("y", std::move(y));
    return outputs;
  }

 private:
  Misbehaviour fault_;
  int runs_ = 0;
};

NamedTensors Rows() {
  NamedTensors inputs;
  Tensor x(DType::kF32, {2, 3, 2});
  for (size_t i = 0; i < x.as<float>().size(); ++i) x.as<float>()[i] = 0.3f + static_cast<float>(i);
  inputs.emplace("flattened_patches", std::move(x));
  Tensor mask(DType::kF32, {2, 3});
  std::ranges::fill(mask.as<float>(), 1.0f);
  inputs.emplace("attention_mask", std::move(mask));
  return inputs;
}

std::map<std::string, SelfCheck> Check(const Misbehaviour& fault, bool bitwise = true) {
  std::map<std::string, SelfCheck> found;
  const auto checks =
      CheckAgainstItself(FakeModel(fault), Rows(), {.bitwise = bitwise, .threads = {1, 2}});
  for (const SelfCheck& check : checks) found.emplace(check.name, check);
  return found;
}

TEST(SelfChecks, PassAModelThatBehaves) {
  for (const auto& [name, check] : Check({})) {
    EXPECT_EQ(check.outcome, VerdictKind::kPassed) << name << ": " << check.sentence;
    EXPECT_EQ(check.sentence, "the same to the bit");
    EXPECT_GT(check.runs, 0);
  }
}

TEST(SelfChecks, FindAFaultOfEachKind) {
  const std::vector<Misbehaviour> faults = {{.caught_by = "identical rows", .by_place = true},
                                            {.caught_by = "permuted rows", .by_place = true},
                                            {.caught_by = "batch 1 against N", .by_batch = true},
                                            {.caught_by = "padding", .by_padding = true},
                                            {.caught_by = "thread counts", .by_threads = true},
                                            {.caught_by = "cold against warm", .when_cold = true},
                                            {.caught_by = "50 repeats", .every = 37}};
  for (const Misbehaviour& fault : faults) {
    const auto found = Check(fault);
    ASSERT_TRUE(found.contains(fault.caught_by)) << fault.caught_by;
    EXPECT_EQ(found.at(fault.caught_by).outcome, VerdictKind::kFailed) << fault.caught_by;
    EXPECT_EQ(found.at(fault.caught_by).output, "y");
  }
  EXPECT_EQ(
      Check(faults[0]).at("identical rows").sentence,
      "y differs between row 0 and row 2, which got the same input (relative difference up to "
      "0.001, promised to be none)");
}

TEST(SelfChecks, AllowRoundingWhereTheKernelsPromiseNoBits) {
  const auto found = Check({.caught_by = "", .every = 9}, false);
  EXPECT_EQ(found.at("batch 1 against N").outcome, VerdictKind::kPassed);
  EXPECT_EQ(found.at("50 repeats").outcome, VerdictKind::kFailed);  // a repeat changes nothing
}

TEST(SelfChecks, SayWhatCouldNotBeChecked) {
  NamedTensors inputs;
  inputs.emplace("pixel_values", std::move(Rows().at("flattened_patches")));
  const auto checks = CheckAgainstItself(FakeModel({}), inputs);
  const auto padding = std::ranges::find(checks, "padding", &SelfCheck::name);
  EXPECT_EQ(padding->outcome, VerdictKind::kInconclusive);
  EXPECT_EQ(padding->sentence, "not checked: the model's inputs have no padding");
  const auto threads = std::ranges::find(checks, "thread counts", &SelfCheck::name);
  EXPECT_EQ(threads->sentence, "not checked: there is one thread only");
  EXPECT_EQ(MessageOf([] { CheckAgainstItself(FakeModel({}), {}); }),
            "self-checks need an input of at least one row");
}

TEST(SelfChecks, AreWrittenAsJson) {
  const Json json = Json::Parse(
      SelfChecksJson({{.name = "padding", .runs = 2, .sentence = "fine"}}, {"compare"}), "test");
  EXPECT_EQ(json.GetString("kind"), "self_checks");
  const Json& check = json.GetArray("checks").items()[0];
  EXPECT_EQ(check.GetString("outcome"), "passed");
  EXPECT_EQ(check.GetString("sentence"), "fine");
}

TEST(SelfChecks, CoverADecoderThatIsFedIds) {
  SessionOptions options;
  options.model = std::string(VERNIER_TEST_DATA) + "/goldens/pix2struct/pair_masks";
  options.threads = 1;
  options.onednn = false;
  SettingRunner runner(options);
  NamedTensors inputs = ReadProofInputs(runner.model(), {options.model + "/input_0.png"}, {}, {});
  AddForcedIds(runner.model(), {.max_new_tokens = 3}, inputs);
  EXPECT_EQ(runner(inputs, {}).at("logits").shape()[1], 3);
  EXPECT_TRUE(runner.PromisesBits(inputs));
  for (const SelfCheck& check :
       CheckAgainstItself(std::ref(runner), inputs, {.repeats = 2, .threads = {2}})) {
    EXPECT_EQ(check.outcome, VerdictKind::kPassed) << check.name << ": " << check.sentence;
  }
}

}  // namespace
}  // namespace vernier
