#include "compare_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "core/interrupt.h"
#include "fed_inputs.h"
#include "io/atomic_file.h"
#include "io/image_paths.h"
#include "json_output.h"
#include "passes/precision_rules.h"
#include "pipeline/precision_file.h"
#include "verify/bisect.h"
#include "verify/bundle.h"
#include "verify/filed_tensors.h"
#include "verify/proof_inputs.h"
#include "verify/self_runner.h"
#include "verify/setting.h"
#include "verify/setting_comparison.h"
#include "vernier/error.h"

namespace vernier {
namespace {

SettingSide SideOf(const std::string& words, const CompareVerbOptions& options) {
  SettingSide side{.words = words, .options = ToSessionOptions(options.proof)};
  // As in dumps: what masks are mixed from belongs to what is compared.
  side.options.dense_top_features = true;
  if (!words.empty()) side.options = ApplySetting(words, side.options);
  if (side.options.model.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("'{}' is to be run, and no model is given", words),
                "give --model DIR");
  }
  return side;
}

// What the reference is, kept alive for the comparison.
struct Reference {
  std::optional<Bundle> bundle;
  std::optional<TensorSource> source;
  std::optional<FiledTensors> filed;
};

void SetReference(const CompareVerbOptions& options, Reference& reference,
                  SettingComparisonRequest& request) {
  if (IsSetting(options.reference)) {
    request.reference = SideOf(options.reference, options);
  } else if (Bundle::IsOne(options.reference)) {
    reference.bundle = Bundle::Open(options.reference);
    request.filed = FiledReference{.tensors = &*reference.bundle, .side = reference.bundle->Side()};
  } else {
    reference.source = TensorSource::Open(options.reference);
    reference.filed.emplace(*reference.source);
    request.filed = FiledReference{.tensors = &*reference.filed, .side = reference.source->side()};
  }
}

WalkOptions ToWalkOptions(const CompareVerbOptions& options, Terminal& terminal) {
  const CompareOptions compare = ToCompareOptions(options);
  WalkOptions walk;
  walk.tolerances = compare.tolerances;
  walk.divergence = compare.divergence;
  walk.cancel = compare.cancel;
  walk.progress = [&terminal](int done, int steps) {
    terminal.ShowProgress("comparing", done, steps);
  };
  if (!options.filters.empty()) {
    walk.wants = [filters = options.filters](const ValueInfo& value) {
      return std::ranges::any_of(filters, [&](const std::string& filter) {
        return GlobMatches(filter, value.name) ||
               std::ranges::any_of(value.aliases, [&](const std::string& alias) {
                 return GlobMatches(filter, alias);
               });
      });
    };
  }
  return walk;
}

Comparison RunBisection(const CompareVerbOptions& options, JudgeOptions judge,
                        SettingComparer& comparer, Terminal& terminal) {
  AtomicFile file(options.bisect);  // a path that cannot be written is said before minutes of work
  // With all nodes in f32 both sides may run the same kernels, and that is meant.
  judge.same_kernels_expected = true;
  Bisection found = Bisect(comparer, [&](Comparison& comparison) { Judge(judge, comparison); });
  terminal.ClearProgress();
  std::vector<std::string>& notes = found.comparison.notes;
  if (found.passed_before) {
    notes.push_back("--bisect: the setting passes as it is; no precision file was written");
  } else if (!found.found) {
    notes.push_back(fmt::format(
        "--bisect: the gates fail with all {} nodes in f32 too, so precision is not what is wrong; "
        "no precision file was written",
        found.candidates));
  } else {
    notes.push_back(fmt::format("--bisect: {} of {} nodes must stay in f32: {}; {} sets were tried",
                                found.kept.size(), found.candidates, fmt::join(found.kept, ", "),
                                found.trials.size()));
    for (const BisectTrial& trial : found.trials) {
      notes.push_back(fmt::format("--bisect: {} nodes in f32: {}", trial.kept,
                                  trial.passed ? "passes" : "fails"));
    }
    file.Write(PrecisionFileText(
        found.rules, fmt::format("{} of {} nodes that must stay in f32 for {} to pass\n"
                                 "(none of them can be left out; vernier compare --bisect)",
                                 found.kept.size(), found.candidates, options.candidate)));
    file.Commit();
    notes.push_back(
        fmt::format("--bisect: written to {}; use it with --precision-file", options.bisect));
  }
  return std::move(found.comparison);
}

NamedTensors SelfInputs(const CompareVerbOptions& options, const CompiledModel& model) {
  const ProofFlags& flags = options.proof;
  const PictureHeaders headers{.questions = flags.prompts, .images = flags.header_images};
  NamedTensors inputs =
      ReadProofInputs(model, ExpandImagePaths(flags.images), headers, ReadFedInputs(flags.inputs));
  if (inputs.empty()) {
    throw Error(ErrorKind::kUsage, "--self needs something to run on",
                "give --image FILE… or --input NAME=FILE.npy");
  }
  AddForcedIds(model,
               {.prompts = AnswerPrompts(model, headers),
                .max_new_tokens = flags.max_new_tokens,
                .cancel = &InterruptFlag()},
               inputs);
  return inputs;
}

}  // namespace

bool RunsASide(const CompareVerbOptions& options) {
  return IsSetting(options.reference) || IsSetting(options.candidate);
}

Comparison CompareRunning(const CompareVerbOptions& options, Terminal& terminal) {
  if (!IsSetting(options.candidate)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("'{}' is on file, and only a reference can be", options.candidate),
                "write the other side to a file too (vernier run --dump), or swap the sides");
  }
  const JudgeOptions judge = ToJudgeOptions(options);
  SettingComparisonRequest request;
  request.candidate = SideOf(options.candidate, options);
  if (!options.precision_file.empty()) {
    request.candidate.options.precision_file = options.precision_file;
  }
  Reference reference;
  SetReference(options, reference, request);
  request.images = ExpandImagePaths(options.proof.images);
  request.headers = {.questions = options.proof.prompts, .images = options.proof.header_images};
  request.inputs = ReadFedInputs(options.proof.inputs);
  request.max_new_tokens = options.proof.max_new_tokens;
  request.walk = ToWalkOptions(options, terminal);
  if (!options.no_cache) request.cache.folder = DefaultCacheFolder();
  SettingComparer comparer(request);
  if (reference.bundle) reference.bundle->CheckFits(comparer.candidate().model());
  Comparison comparison;
  if (!options.bisect.empty()) {
    comparison = RunBisection(options, judge, comparer, terminal);
  } else {
    comparison = comparer.Run();
    Judge(judge, comparison);
  }
  if (reference.bundle) {
    for (std::string& note : reference.bundle->Notes(comparison.candidate.checkpoint_sha256)) {
      comparison.notes.push_back(std::move(note));
    }
  }
  terminal.ClearProgress();
  return comparison;
}

Outcome RunSelfChecks(const CompareVerbOptions& options, Terminal& terminal) {
  const SettingSide side = SideOf(options.candidate, options);
  SettingRunner runner(side.options);
  const NamedTensors inputs = SelfInputs(options, runner.model());
  SelfCheckOptions checks;
  checks.bitwise = runner.PromisesBits(inputs);
  // Sums of some thousand terms: f32 loses about 1e-6 of them, bf16 values 2^-9 each.
  checks.bound = side.options.dtype == "f32" ? 1e-5 : 1e-2;
  checks.threads = {1, 2, 3};
  std::erase(checks.threads, runner.model().options().threads);
  checks.progress = [&](const std::string& check) {
    ThrowIfInterrupted();
    terminal.Note(check);
  };
  const std::vector<SelfCheck> found = CheckAgainstItself(std::ref(runner), inputs, checks);
  std::string failed;
  for (const SelfCheck& check : found) {
    if (options.json != "-") {
      terminal.Print("{:<18} {:<13} {:>3} runs  {}\n", check.name, Name(check.outcome), check.runs,
                     check.sentence);
    }
    if (check.outcome == VerdictKind::kFailed && failed.empty()) {
      failed = fmt::format("{}: {}", check.name, check.sentence);
    }
  }
  if (!options.json.empty()) {
    WriteJsonOutput(options.json, SelfChecksJson(found, CommandOf(options)), terminal);
  }
  if (failed.empty()) return {};
  return {.exit_code = kExitFailed, .reason = failed};
}

}  // namespace vernier
