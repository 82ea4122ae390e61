#include "run.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

#include "core/interrupt.h"
#include "io/image_paths.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "json_output.h"
#include "pipeline/dump.h"
#include "run_options.h"
#include "run_report.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The pictures or rows of one run, read and ready.
struct Batch {
  std::vector<std::string> names;
  std::vector<PictureInfo> pictures;
  NamedTensors inputs;
};

// NAME=FILE.npy; floats are widened, since models take f32.
NamedTensors ReadFedInputs(const std::vector<std::string>& specifications) {
  NamedTensors inputs;
  for (const std::string& specification : specifications) {
    const size_t equals = specification.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::kUsage, fmt::format("--input: expected NAME=FILE.npy, found '{}'",
                                                 specification.substr(0, 60)));
    }
    Tensor tensor = ReadNpy(specification.substr(equals + 1));
    if (IsFloat(tensor.dtype())) tensor = ToFloat32(tensor.view());
    inputs.insert_or_assign(specification.substr(0, equals), std::move(tensor));
  }
  return inputs;
}

class Runner {
 public:
  Runner(const RunVerbOptions& options, Terminal& terminal)
      : options_(options),
        terminal_(terminal),
        start_(Clock::now()),
        files_(ExpandImagePaths(options.images)),
        fed_(ReadFedInputs(options.inputs)) {
    CheckOptions();
    session_.emplace(ToSessionOptions(options));
    report_.emplace(RunReport{.options = options, .session = *session_});
  }

  Outcome Run() {
    ShowWarnings(session_->info().warnings, terminal_);
    if (!options_.print_graph.empty()) {
      terminal_.Write(session_->GraphText(options_.print_graph, true));
      return {};
    }
    if (!options_.dump.empty()) dump_.emplace(options_.dump, options_.dump_filter);
    fed_.empty() ? RunPictures() : RunBatch(FedBatch());
    return Finish();
  }

 private:
  bool text() const { return options_.json != "-"; }

  void CheckOptions() const {
    const auto refuse = [](const char* what, const char* hint) {
      throw Error(ErrorKind::kUsage, what, hint);
    };
    if (!files_.empty() && !fed_.empty()) {
      refuse("--image and --input exclude each other", "feed pixel_values, or give pictures");
    }
    if (files_.empty() && fed_.empty() && options_.print_graph.empty()) {
      refuse("there is nothing to run on", "give --image FILE… or --input NAME=FILE.npy");
    }
    CheckCount("--prompt", options_.prompts.size());
    CheckCount("--header-image", options_.header_images.size());
    if (options_.similarity && options_.embedding == "none") {
      refuse("--similarity compares embeddings, and --embedding is none", "use cls or mean");
    }
    const bool known_ending = options_.out.empty() || options_.out.ends_with(".npy") ||
                              options_.out.ends_with(".safetensors");
    if (!known_ending) refuse("--out: expected a file ending in .npy or .safetensors", "");
    if (!options_.dump.empty() && files_.size() > static_cast<size_t>(BatchSize())) {
      refuse("--dump holds one batch, and there are more pictures than --batch",
             "raise --batch to the number of pictures, or dump one picture");
    }
  }

  void CheckCount(const char* flag, size_t given) const {
    if (given <= 1 || given == files_.size()) return;
    throw Error(ErrorKind::kUsage,
                fmt::format("{} was given {} times for {} pictures", flag, given, files_.size()),
                "give it once for all pictures, or once for each");
  }

  // A dump shows all pictures side by side unless a batch size was chosen.
  int64_t BatchSize() const {
    return !options_.dump.empty() && options_.batch == 1
               ? std::max<int64_t>(1, static_cast<int64_t>(files_.size()))
               : options_.batch;
  }

  Batch FedBatch() {
    Batch batch;
    const int64_t rows =
        fed_.begin()->second.shape().rank() > 0 ? fed_.begin()->second.shape()[0] : 1;
    for (int64_t row = 0; row < rows; ++row) {
      batch.names.push_back(fmt::format("{}[{}]", fed_.begin()->first, row));
    }
    batch.inputs = std::move(fed_);
    return batch;
  }

  // What the model reads above picture `index`, where it reads anything there.
  PictureHeaders HeadersOf(size_t index) const {
    const auto own = [&](const std::vector<std::string>& given) -> std::vector<std::string> {
      if (given.empty()) return {};
      return {given.size() == 1 ? given.front() : given[index]};
    };
    PictureHeaders headers;
    headers.images = own(options_.header_images);
    if (session_->info().reads_headers) headers.questions = own(options_.prompts);
    return headers;
  }

  // Unreadable pictures are named and left out; the others go on.
  void RunPictures() {
    std::vector<Pictures> ready;
    for (size_t i = 0; i < files_.size() && !Interrupted(); ++i) {
      if (text()) {
        terminal_.ShowProgress("run", static_cast<int64_t>(i), static_cast<int64_t>(files_.size()));
      }
      const Clock::time_point start = Clock::now();
      try {
        ready.push_back(session_->ReadImages({files_[i]}, HeadersOf(i)));
      } catch (const Error& error) {
        report_->failed.push_back({files_[i], error.message()});
        terminal_.Note(fmt::format("error: {}", Printable(error.message())), Tone::kBad);
        if (!error.hint().empty()) terminal_.Note(fmt::format("hint: {}", error.hint()));
      }
      report_->decode_s += SecondsSince(start);
      if (ready.size() == static_cast<size_t>(BatchSize())) RunReady(ready);
    }
    if (!ready.empty()) RunReady(ready);
    terminal_.ClearProgress();
  }

  void RunReady(std::vector<Pictures>& ready) {
    Batch batch;
    std::map<std::string, std::vector<Tensor>> parts;
    for (Pictures& pictures : ready) {
      for (PictureInfo& info : pictures.info) {
        batch.names.push_back(info.file);
        for (const std::string& warning : info.warnings) {
          terminal_.Warn(fmt::format("{}: {}", info.file, warning));
        }
        batch.pictures.push_back(std::move(info));
      }
      for (auto& [name, tensor] : pictures.inputs) parts[name].push_back(std::move(tensor));
    }
    for (auto& [name, tensors] : parts) batch.inputs.emplace(name, Stacked(tensors));
    ready.clear();
    RunBatch(std::move(batch));
  }

  void RunBatch(Batch batch) {
    const Clock::time_point start = Clock::now();
    const RunHooks hooks = dump_ ? dump_->Hooks() : RunHooks{};
    NamedTensors outputs = session_->Run(batch.inputs, hooks);
    report_->run_s += SecondsSince(start);
    if (options_.placement && report_->placement.empty()) {
      report_->placement = session_->Placement(batch.inputs);
    }
    Report(batch, outputs);
    if (dump_) FinishDump(outputs);
    if (!options_.out.empty()) kept_.push_back(std::move(outputs));
  }

  void Report(const Batch& batch, const NamedTensors& outputs) {
    const Tensor& features = session_->Features(outputs);
    const auto logits = outputs.find("logits");
    const bool embed = options_.embedding != "none";
    const Tensor embeddings = embed ? session_->Embedding(outputs, options_.embedding) : Tensor();
    for (size_t row = 0; row < batch.names.size(); ++row) {
      const auto index = static_cast<int64_t>(row);
      PictureResult result;
      result.image = batch.names[row];
      if (row < batch.pictures.size()) result.picture = batch.pictures[row];
      result.features = Row(features, index).shape;
      if (logits != outputs.end()) {
        result.labels = TopLabels(Row(logits->second, index).as<float>(), session_->info().labels,
                                  options_.top_k);
      }
      if (embed) {
        const auto values = Row(embeddings, index);
        result.embedding.assign(values.as<float>().begin(), values.as<float>().end());
      }
      if (text()) PrintResult(result, *report_, terminal_);
      report_->results.push_back(std::move(result));
    }
  }

  void FinishDump(NamedTensors& outputs) {
    if (options_.embedding != "none") {
      outputs.insert_or_assign("embedding", session_->Embedding(outputs, options_.embedding));
    }
    Json facts = Json::Object();
    facts["version"] = Version();
    facts["model"] = options_.session.model;
    facts["family"] = session_->info().family;
    facts["device"] = options_.session.device;
    facts["dtype"] = options_.dtype;
    facts["random_head"] = session_->info().random_head;
    facts["processor"] = Json::Parse(session_->info().processor, "processor");
    dump_->Finish(std::move(facts), outputs, session_->AbsentTaps());
  }

  void WriteOut() const {
    if (kept_.empty()) return;
    NamedTensors joined;
    for (const auto& [name, first] : kept_[0]) {
      std::vector<Tensor> parts;
      for (const NamedTensors& outputs : kept_) {
        parts.push_back(Tensor::CopyOf(outputs.at(name).view()));
      }
      joined.emplace(name, Stacked(parts));
    }
    const bool embed = options_.embedding != "none";
    if (embed) {
      joined.insert_or_assign("embedding", session_->Embedding(joined, options_.embedding));
    }
    if (options_.out.ends_with(".npy")) {
      WriteNpy(options_.out,
               embed ? joined.at("embedding").view() : session_->Features(joined).view());
      return;
    }
    std::vector<TensorToWrite> tensors;
    for (const auto& [name, tensor] : joined) {
      tensors.push_back({name, tensor.dtype(), tensor.shape()});
    }
    WriteSafetensors(options_.out, std::move(tensors), [&](const TensorToWrite& wanted) {
      return Tensor::CopyOf(joined.at(wanted.name).view());
    });
  }

  Outcome Finish() {
    if (!options_.out.empty()) WriteOut();
    if (text() && options_.similarity && !report_->results.empty()) {
      PrintSimilarity(*report_, terminal_);
    }
    if (text() && options_.placement) PrintPlacement(report_->placement, terminal_);
    report_->total_s = SecondsSince(start_);
    if (!options_.json.empty()) WriteJsonOutput(options_.json, ToJson(*report_), terminal_);
    if (Interrupted()) {
      return {
          .exit_code = kExitInterrupted,
          .reason = fmt::format("{} of {} pictures done", report_->results.size(), files_.size())};
    }
    if (!report_->failed.empty()) {
      return {
          .exit_code = kExitBadInput,
          .reason = fmt::format("{} of {} pictures could not be used, first {}",
                                report_->failed.size(), files_.size(), report_->failed[0].image)};
    }
    return {};
  }

  const RunVerbOptions& options_;
  Terminal& terminal_;
  Clock::time_point start_;
  std::vector<std::string> files_;
  NamedTensors fed_;
  std::optional<Session> session_;
  std::optional<RunReport> report_;
  std::optional<DumpWriter> dump_;
  std::vector<NamedTensors> kept_;
};

Outcome RunRun(const RunVerbOptions& options, Terminal& terminal) {
  if (options.list_passes) {
    for (const PassName& pass : PassNames()) terminal.Print("{:<20} {}\n", pass.name, pass.what);
    return {};
  }
  return Runner(options, terminal).Run();
}

}  // namespace

Verb RunVerb() {
  return {
      .name = "run",
      .summary = "run a model on pictures or tensors",
      .description =
          "Loads a published checkpoint, prepares pictures as its own processor does, and shows "
          "labels with probabilities where it has a classification head, else an embedding. "
          "Results appear as they come; a picture that cannot be read is named, and the others "
          "go on.",
      .examples = {{"vernier run --model vit-base-patch16-224 --image cat.jpg",
                    "labels for a picture"},
                   {"vernier run --model pe-lang-l14-448 --image photos/ --similarity",
                    "how alike the pictures of a folder are"},
                   {"vernier run --model vit-base --image cat.jpg --dump out --dump-filter "
                    "'encoder.layer.*'",
                    "every module's output of one layer stack, as .npy"},
                   {"vernier run --model vit-base --input pixel_values=x.npy --json -",
                    "a tensor in, JSON out"}},
      .start = Starter(RunFlags, RunRun)};
}

}  // namespace vernier
