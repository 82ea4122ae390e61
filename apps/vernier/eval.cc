#include "eval.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "core/interrupt.h"
#include "core/sha256.h"
#include "eval/evaluation.h"
#include "eval/fingerprint.h"
#include "eval/labels.h"
#include "eval/objects.h"
#include "eval/run_samples.h"
#include "eval_options.h"
#include "eval_report.h"
#include "json_output.h"
#include "picture_warnings.h"
#include "pipeline/model_hash.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

// A model with labels classifies, one without compares embeddings; pairs have no labels.
EvalTask ChooseTask(const std::string& wanted, const Dataset& set, const ModelInfo& model) {
  const EvalTask task = wanted != "auto"                  ? ParseEvalTask(wanted)
                        : set.kind == SetKind::kQuestions ? EvalTask::kAnswer
                        : set.kind == SetKind::kObjects   ? EvalTask::kDetect
                        : set.kind == SetKind::kPairs     ? EvalTask::kRetrieve
                        : model.labels.empty()            ? EvalTask::kRetrieve
                                                          : EvalTask::kClassify;
  if (model.classes > 0 && task != EvalTask::kDetect) {
    throw Error(ErrorKind::kUsage,
                fmt::format("a {} model finds objects, and {} has none", model.family, set.path),
                "give a .json of COCO's instances");
  }
  const bool fits = task == EvalTask::kAnswer     ? set.kind == SetKind::kQuestions
                    : task == EvalTask::kClassify ? set.kind == SetKind::kClasses
                    : task == EvalTask::kDetect
                        ? set.kind == SetKind::kObjects
                        : set.kind == SetKind::kClasses || set.kind == SetKind::kPairs;
  if (!fits) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("the task {} needs another set than {}", Name(task), set.path),
        "classify needs labels, retrieve labels or matching pictures, answer right answers, detect "
        "objects");
  }
  return task;
}

// The tokenizer and the checkpoint's own options decide about texts, and lie beside what the hash
// of a checkpoint covers.
std::string HashOfTextFiles(const std::string& model) {
  constexpr const char* kNames[] = {"generation_config.json", "tokenizer.json", "spiece.model"};
  Sha256 hash;
  for (const char* name : kNames) {
    const std::string path = model + "/" + name;
    if (std::filesystem::exists(path)) hash.Update(name + Sha256OfFile(path));
  }
  return hash.Finish();
}

// What may change an answer. Batch and threads do not: their results are the same.
Json SettingsOf(const EvalVerbOptions& options, EvalTask task, const ModelInfo& model) {
  Json settings = Json::Object();
  settings["device"] = options.session.device;
  settings["dtype"] = options.dtype;
  settings["isa"] = options.session.isa;
  settings["onednn"] = !options.session.no_onednn;
  settings["winograd"] = options.session.winograd;
  settings["precision_rules"] =
      options.session.precision_file.empty() ? "" : Sha256OfFile(options.session.precision_file);
  settings["disabled_passes"] = Json::ArrayOf(options.session.disabled_passes);
  settings["interpolate_positions"] = options.session.interpolate;
  settings["semantics"] = options.session.semantics;
  // What is done to pictures, with all that flags and files say about it.
  settings["processor"] = Json::Parse(model.processor, "processor");
  settings["allow_random_head"] = options.allow_random_head;
  settings["seed"] = options.seed;
  if (task == EvalTask::kRetrieve) settings["embedding"] = options.embedding;
  if (task == EvalTask::kAnswer) {
    settings["generation"] = ToJson(options.generation);
    settings["text_files"] = HashOfTextFiles(options.session.model);
  }
  return settings;
}

class Evaluator {
 public:
  Evaluator(const EvalVerbOptions& options, Terminal& terminal)
      : options_(options), terminal_(terminal) {
    judge_.metrics = options.metrics;
    judge_.baseline = options.baseline;
    for (const std::string& gate : options.gates) judge_.gates.push_back(ParseMetricGate(gate));
  }

  Outcome Run() {
    Prepare();
    const SampleRunResult result = RunSamples(
        {.task = evaluation_.task,
         .samples = set_.samples,
         .fingerprints = fingerprints_,
         .batch = options_.batch,
         .file = file_ ? &*file_ : nullptr,
         .open_model = [this] { return OpenModel(); },
         .progress = [this](int64_t done,
                            int64_t total) { terminal_.ShowProgress("eval", done, total); },
         .take = [this](const Record& record) { Take(record); }});
    terminal_.ClearProgress();
    return Finish(result);
  }

 private:
  // Everything that can be wrong before the first sample is found here, before hours are spent.
  void Prepare() {
    CheckOutputPath(options_.json);
    set_ = LoadDataset(options_.data, options_.max_samples);
    const ModelInfo model = SummarizeModel(ToSessionOptions(options_)).info;
    evaluation_.task = ChooseTask(options_.task, set_, model);
    CheckMetrics(evaluation_.task, judge_);
    judge_.random_head = model.random_head && evaluation_.task == EvalTask::kClassify;
    if (evaluation_.task == EvalTask::kClassify) UseModelLabels(set_, model.labels);
    if (evaluation_.task == EvalTask::kDetect) UseModelClasses(set_, model.labels, model.classes);
    if (!options_.baseline.empty()) ReadResults(options_.baseline);
    fingerprints_ = Fingerprints(set_.samples);
    evaluation_.layout = set_.layout;
    evaluation_.results_file = options_.out;
    evaluation_.failed_samples =
        options_.failed == "wrong" ? FailedSamples::kWrong : FailedSamples::kLeftOut;
    evaluation_.header = {.version = Version(),
                          .task = Name(evaluation_.task),
                          .model = options_.session.model,
                          .model_sha256 = ModelSha256(
                              OpenModelFolder(options_.session.model, options_.session.config)),
                          .data = options_.data,
                          .data_sha256 = HashOfData(set_.samples, fingerprints_),
                          .samples = std::ssize(set_.samples),
                          .settings = SettingsOf(options_, evaluation_.task, model)};
    if (!options_.out.empty()) file_.emplace(options_.out, evaluation_.header);
    if (file_ && file_->torn_bytes() > 0) {
      Warn(fmt::format("{}: the last line was incomplete; {} bytes were cut off", options_.out,
                       file_->torn_bytes()));
    }
  }

  AnswerSamples OpenModel() {
    session_.emplace(ToSessionOptions(options_));
    for (const std::string& warning : session_->info().warnings) Warn(warning);
    if (evaluation_.task == EvalTask::kClassify) return ClassifyWith(*session_);
    if (evaluation_.task == EvalTask::kDetect) return DetectWith(*session_);
    if (evaluation_.task == EvalTask::kRetrieve) return EmbedWith(*session_, options_.embedding);
    const GenerationOptions* own = session_->generation_options();
    return WriteWith(*session_,
                     Changed(own == nullptr ? GenerationOptions{} : *own, options_.generation));
  }

  void Warn(const std::string& warning) {
    terminal_.Warn(warning);
    evaluation_.warnings.push_back(warning);
  }

  void Take(const Record& record) {
    for (const std::string& warning : record.warnings) warnings_.Tell(record.id, warning);
    if (!record.failed()) return;
    terminal_.ClearProgress();
    terminal_.Note(fmt::format("error: {}: {}", record.id, Printable(record.error)), Tone::kBad);
  }

  Outcome Finish(const SampleRunResult& result) {
    warnings_.TellHowManyMore();
    std::set<std::string> told;
    for (const Record& record : result.records) {
      for (const std::string& warning : record.warnings) {
        if (!told.insert(warning).second) continue;
        evaluation_.warnings.push_back(fmt::format("{}: {}", record.id, warning));
      }
    }
    evaluation_.records = result.records;
    evaluation_.resumed = result.resumed;
    evaluation_.complete = result.complete;
    // Half a set decides nothing.
    if (!result.complete) judge_.gates.clear();
    if (!result.records.empty()) Judge(evaluation_, judge_);
    evaluation_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    evaluation_.command = terminal_.command_line();
    if (options_.json != "-") PrintEvaluation(evaluation_, terminal_);
    if (!options_.json.empty()) {
      WriteJsonOutput(options_.json, EvaluationJson(evaluation_), terminal_);
    }
    return OutcomeOf(result);
  }

  Outcome OutcomeOf(const SampleRunResult& result) const {
    if (!result.complete) {
      return {.exit_code = kExitInterrupted,
              .reason = fmt::format(
                  "{} of {} samples done{}", result.records.size(), set_.samples.size(),
                  file_ ? "; the same command goes on there" : "; with --out they would be kept")};
    }
    const std::string reason = fmt::format("{}", fmt::join(evaluation_.reasons, "; "));
    if (evaluation_.verdict == VerdictKind::kFailed) return {kExitFailed, reason};
    if (evaluation_.verdict == VerdictKind::kInconclusive) return {kExitInconclusive, reason};
    const size_t failed = evaluation_.FailedRecords().size();
    if (failed > 0 && evaluation_.failed_samples == FailedSamples::kLeftOut) {
      return {.exit_code = kExitBadInput,
              .reason = fmt::format("{} of {} samples could not be used, first {}", failed,
                                    set_.samples.size(), evaluation_.FailedRecords()[0]->id)};
    }
    return {};
  }

  const EvalVerbOptions& options_;
  Terminal& terminal_;
  PictureWarnings warnings_{terminal_};
  Clock::time_point start_ = Clock::now();
  EvalJudgeOptions judge_;
  Dataset set_;
  std::vector<std::string> fingerprints_;
  Evaluation evaluation_;
  std::optional<ResultsFile> file_;
  std::optional<Session> session_;
};

Outcome RunEval(const EvalVerbOptions& options, Terminal& terminal) {
  return Evaluator(options, terminal).Run();
}

}  // namespace

Verb EvalVerb() {
  return {
      .name = "eval",
      .summary = "run a labelled set and show the task's metrics",
      .description =
          "Runs a model on a set of samples and compares its answers with the expected ones: "
          "top-1 and top-5 of labels, recall of retrieval by embeddings, text metrics, or average "
          "precision of objects' boxes and masks. Every metric but the last comes with its 95 % "
          "interval over samples. Results go to --out as they come, and "
          "the same command goes on where it stopped, whatever stopped it.\n\n"
          "A gate on a metric passes or fails only where the interval lies on one side of the "
          "threshold; else the outcome is INCONCLUSIVE (exit code 3). Gates on baseline. metrics "
          "compare two runs on the same samples and are decided by their value.",
      .examples =
          {{"vernier eval --model models/digits-vit --data models/digits-vit/test",
            "top-1 and top-5 on folders by class"},
           {"vernier eval --model vit-base --data labels.csv --gate 'top1>=80%' --out f32.jsonl",
            "a gate, with results that can be resumed"},
           {"vernier eval --model vit-base --data labels.csv --dtype bf16 --baseline f32.jsonl",
            "bf16 against the run before"},
           {"vernier eval --model blendmask --data annotations/instances_val2017.json",
            "COCO's average precision of boxes and masks"},
           {"vernier eval --model pix2struct-chartqa-base --data ChartQA/test --out base.jsonl",
            "answers about charts"}},
      .start = Starter(EvalFlags, RunEval)};
}

}  // namespace vernier
