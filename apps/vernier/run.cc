#include "run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <span>
#include <utility>

#include "core/interrupt.h"
#include "fed_inputs.h"
#include "io/image_paths.h"
#include "io/pages.h"
#include "json_output.h"
#include "picture_warnings.h"
#include "pipeline/dump.h"
#include "run_answers.h"
#include "run_checks.h"
#include "run_instances.h"
#include "run_options.h"
#include "run_outputs.h"
#include "run_report.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr int64_t kDefaultLabels = 5;

class Runner {
 public:
  Runner(const RunVerbOptions& options, Terminal& terminal)
      : options_(options),
        terminal_(terminal),
        start_(Clock::now()),
        files_(ExpandImagePaths(options.images, FilesToFind::kPicturesAndPdf)),
        fed_(ReadFedInputs(options.inputs)) {
    CheckRunFlags(options, files_.size(), !fed_.empty());
    CheckOutputPath(options.json);
    session_.emplace(ToSessionOptions(options));
    CheckFlagsFit(options, files_.size(), *session_);
    PrepareOut();
    report_.emplace(RunReport{.options = options, .session = *session_});
    answers_.emplace(options, *session_, *report_, terminal);
  }

  Outcome Run() {
    ShowWarnings(session_->info().warnings, terminal_);
    if (!options_.print_graph.empty()) {
      terminal_.Write(session_->GraphText(options_.print_graph, true));
      return {};
    }
    if (!options_.dump.empty()) dump_.emplace(options_.dump, options_.dump_filter);
    try {
      RunAll();
    } catch (const Error& error) {
      // What was done before the interruption is reported.
      if (error.kind() != ErrorKind::kInterrupted || !Interrupted()) throw;
    }
    return Finish();
  }

 private:
  // Pictures that wait for their batch to be full.
  struct Ready {
    std::vector<Pictures> pictures;
    std::vector<std::string> prompts;  // one for each, where answers begin with them
  };

  bool text() const { return options_.json != "-"; }
  bool chats() const { return session_->info().chats; }

  void RunAll() {
    if (!fed_.empty()) {
      RunOne(FedBatch());
    } else {
      chats() ? RunChats() : RunPictures();
    }
  }

  void PrepareOut() {
    const std::string& out = options_.out;
    if (!out.empty() && Writes(fed_)) {
      throw Error(ErrorKind::kUsage, "--out: this model answers in words, which no tensor holds",
                  "--json writes the answers, --dump what they were computed from");
    }
    if (session_->info().classes > 0) {
      const auto images = static_cast<int64_t>(files_.size());
      instance_output_.emplace(InstanceOutputOptions{.out = out,
                                                     .report = options_.json,
                                                     .images = images,
                                                     .font = options_.pictures.font},
                               session_->info(), terminal_);
    } else if (!out.empty() && !out.ends_with(".npy") && !out.ends_with(".safetensors")) {
      throw Error(ErrorKind::kUsage, "--out: expected a file ending in .npy or .safetensors",
                  "pictures and JSON are written where a model finds objects");
    } else {
      CheckOutputPath(out);
    }
  }

  int64_t BatchSize() const { return BatchSizeOf(options_, files_.size()); }

  RunBatch FedBatch() {
    RunBatch batch;
    const auto ids = fed_.find("input_ids");
    const auto& [name, tensor] = ids != fed_.end() ? *ids : *fed_.begin();
    const int64_t rows = tensor.shape().rank() > 0 ? tensor.shape()[0] : 1;
    for (int64_t row = 0; row < rows; ++row) {
      batch.rows.push_back({.image = fmt::format("{}[{}]", name, row)});
    }
    if (writes_after_prompts()) batch.prompts = PromptsFor(batch.rows.size());
    batch.inputs = std::move(fed_);
    return batch;
  }

  // Whether prompts are what answers begin with: neither conversations nor text above pictures.
  bool writes_after_prompts() const { return !session_->info().reads_headers && !chats(); }

  // One for all, or one for each; another number is refused with the rows.
  std::vector<std::string> PromptsFor(size_t rows) const {
    if (options_.prompts.size() != 1) return options_.prompts;
    return std::vector<std::string>(rows, options_.prompts[0]);
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

  // A picture that cannot be used is named and left out; the others go on.
  void LeaveOut(const std::string& name, const Error& error) {
    report_->failed.push_back({name, error.message()});
    terminal_.Note(fmt::format("error: {}", Printable(error.message())), Tone::kBad);
    if (!error.hint().empty()) terminal_.Note(fmt::format("hint: {}", error.hint()));
  }

  // What `read` gives; nothing where the file cannot be used.
  template <typename Read>
  auto TryToRead(const std::string& file, const Read& read) -> std::optional<decltype(read())> {
    const Clock::time_point start = Clock::now();
    std::optional<decltype(read())> found;
    try {
      found = read();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      LeaveOut(file, error);
    }
    report_->decode_s += SecondsSince(start);
    return found;
  }

  // The pages of a file that are asked for.
  std::vector<NamedPage> PagesOf(const std::string& file) {
    if (options_.pages.empty() && !chats()) return {{.page = {file}, .name = file}};
    const PageOptions page_options{.pdf = {.password = options_.pictures.pdf_password}};
    const int count = CountPages(file, page_options);
    if (count == 1 && options_.pages.empty()) return {{.page = {file}, .name = file}};
    std::vector<NamedPage> pages;
    for (int page : ParsePageList(options_.pages.empty() ? "1-" : options_.pages, count)) {
      pages.push_back({.page = {file, page}, .name = fmt::format("{} page {}", file, page + 1)});
    }
    return pages;
  }

  void RunPictures() {
    const std::vector<std::string> prompts = PromptsFor(files_.size());
    const bool prompts_each = writes_after_prompts() && !prompts.empty();
    report_->one_picture = files_.size() == 1;
    Ready ready;
    for (size_t i = 0; i < files_.size() && !Interrupted(); ++i) {
      if (text()) {
        terminal_.ShowProgress("run", static_cast<int64_t>(i), static_cast<int64_t>(files_.size()));
      }
      const auto pages = TryToRead(files_[i], [&] { return PagesOf(files_[i]); });
      for (const NamedPage& page : pages.value_or(std::vector<NamedPage>())) {
        auto pictures =
            TryToRead(files_[i], [&] { return session_->ReadPages({page.page}, HeadersOf(i)); });
        if (!pictures) break;
        pictures->info[0].file = page.name;
        ready.pictures.push_back(*std::move(pictures));
        if (prompts_each) ready.prompts.push_back(prompts[i]);
        if (ready.pictures.size() == static_cast<size_t>(BatchSize())) RunReady(ready);
      }
    }
    if (!ready.pictures.empty()) RunReady(ready);
    terminal_.ClearProgress();
  }

  void RunChats() {
    std::vector<std::vector<NamedPage>> pages;
    for (const std::string& file : files_) {
      if (auto found = TryToRead(file, [&] { return PagesOf(file); })) {
        pages.push_back(*std::move(found));
      }
    }
    if (pages.empty() && !files_.empty()) return;
    const std::vector<ChatJob> jobs = ChatJobsOf(options_.chat, options_.prompts, pages);
    report_->one_picture = jobs.size() == 1;
    report_->several_questions =
        options_.prompts.size() + options_.chat.tasks.size() + options_.chat.raw_prompts.size() > 1;
    const auto batch_size = static_cast<size_t>(BatchSize());
    if (dump_ && jobs.size() > batch_size) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--dump holds one batch, and there are {} prompts", jobs.size()),
                  "dump one page with --pages, or raise --batch");
    }
    for (size_t begin = 0; begin < jobs.size() && !Interrupted(); begin += batch_size) {
      const size_t count = std::min(batch_size, jobs.size() - begin);
      RunJobs(std::span(jobs).subspan(begin, count));
    }
  }

  // Reads and answers; where a job cannot be read, the others without it.
  void RunJobs(std::span<const ChatJob> jobs) {
    const Clock::time_point start = Clock::now();
    std::vector<ChatPrompt> prompts;
    for (const ChatJob& job : jobs) prompts.push_back(job.prompt);
    Pictures pictures;
    try {
      pictures = session_->ReadChats(prompts);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      if (jobs.size() > 1) {
        for (size_t i = 0; i < jobs.size(); ++i) RunJobs(jobs.subspan(i, 1));
      } else {
        LeaveOut(jobs[0].name, error);
      }
      return;
    }
    report_->decode_s += SecondsSince(start);
    RunBatch batch{.rows = {}, .inputs = std::move(pictures.inputs)};
    auto info = pictures.info.begin();
    for (const ChatJob& job : jobs) {
      PictureResult& row = batch.rows.emplace_back();
      row.image = job.name;
      row.question = job.question;
      for (const ChatTurn& turn : job.prompt.turns) {
        for (size_t i = 0; i < turn.pictures.size(); ++i) TakeInfo(std::move(*info++), row);
      }
    }
    RunOne(std::move(batch));
  }

  void TakeInfo(PictureInfo info, PictureResult& row) {
    for (const std::string& warning : info.warnings) warnings_.Tell(row.image, warning);
    row.pictures.push_back(std::move(info));
  }

  void RunReady(Ready& ready) {
    RunBatch batch{.rows = {}, .prompts = std::move(ready.prompts), .inputs = {}};
    Pictures pictures = session_->JoinPictures(std::move(ready.pictures));
    ready = {};
    for (PictureInfo& info : pictures.info) {
      PictureResult& row = batch.rows.emplace_back();
      row.image = info.file;
      TakeInfo(std::move(info), row);
    }
    batch.inputs = std::move(pictures.inputs);
    RunOne(std::move(batch));
  }

  void RunOne(RunBatch batch) {
    if (options_.placement && report_->placement.empty()) {
      report_->placement = session_->Placement(batch.inputs);
    }
    RunHooks hooks = dump_ ? dump_->Hooks() : RunHooks{};
    hooks.cancel = &InterruptFlag();
    if (Writes(batch.inputs)) {
      NamedTensors outputs = answers_->Write(batch, dump_ ? &hooks : nullptr);
      if (dump_) FinishDump(batch.inputs, outputs);
      return;
    }
    const Clock::time_point start = Clock::now();
    NamedTensors outputs = session_->Run(batch.inputs, hooks);
    report_->run_s += SecondsSince(start);
    if (instance_output_) {
      ReportInstances(batch, outputs);
    } else {
      Report(batch, outputs);
    }
    if (dump_) FinishDump(batch.inputs, outputs);
    if (!options_.out.empty() && !instance_output_) kept_.push_back(std::move(outputs));
  }

  // Whether text is generated; with ids fed, a run is teacher forcing.
  bool Writes(const NamedTensors& inputs) const {
    return session_->generation_options() != nullptr && !inputs.contains("decoder_input_ids");
  }

  void ReportInstances(RunBatch& batch, const NamedTensors& outputs) {
    const Clock::time_point start = Clock::now();
    std::vector<PictureInfo> pictures;
    for (const PictureResult& row : batch.rows) {
      pictures.insert(pictures.end(), row.pictures.begin(), row.pictures.end());
    }
    std::vector<PictureInstances> found = session_->FindInstances(
        outputs, pictures,
        {.least_score = options_.score_threshold, .max_instances = options_.max_detections});
    report_->detect_s += SecondsSince(start);
    for (size_t row = 0; row < batch.rows.size(); ++row) {
      PictureResult& result = batch.rows[row];
      const auto image_id = static_cast<int64_t>(report_->results.size());
      instance_output_->Add(image_id, result.pictures.empty() ? nullptr : &result.pictures[0],
                            found[row]);
      if (text()) PrintInstances(result.image, found[row], session_->info().labels, terminal_);
      result.instances = std::move(found[row]);
      report_->results.push_back(std::move(result));
    }
    terminal_.Flush();
  }

  void Report(RunBatch& batch, const NamedTensors& outputs) {
    const Tensor& features = session_->Features(outputs);
    const auto logits = outputs.find("logits");
    const bool embed = options_.embedding != "none";
    const Tensor embeddings = embed ? session_->Embedding(outputs, options_.embedding) : Tensor();
    for (size_t row = 0; row < batch.rows.size(); ++row) {
      const auto index = static_cast<int64_t>(row);
      PictureResult& result = batch.rows[row];
      result.features = Row(features, index).shape;
      if (logits != outputs.end()) {
        result.labels = TopLabels(Row(logits->second, index).as<float>(), session_->info().labels,
                                  options_.top_k > 0 ? options_.top_k : kDefaultLabels);
      }
      if (embed) {
        const auto values = Row(embeddings, index);
        result.embedding.assign(values.as<float>().begin(), values.as<float>().end());
      }
      if (text()) PrintResult(result, *report_, terminal_);
      report_->results.push_back(std::move(result));
    }
  }

  void FinishDump(const NamedTensors& inputs, NamedTensors& outputs) {
    dump_->AddInputs(inputs);
    if (options_.embedding != "none" && !instance_output_ && !chats()) {
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

  Outcome Finish() {
    warnings_.TellHowManyMore();
    if (instance_output_) {
      instance_output_->Finish();
    } else if (!options_.out.empty()) {
      WriteOutputs(options_.out, kept_, *session_, options_.embedding);
    }
    if (text() && options_.similarity && !report_->results.empty()) {
      PrintSimilarity(*report_, terminal_);
    }
    if (text() && options_.placement) PrintPlacement(report_->placement, terminal_);
    report_->total_s = SecondsSince(start_);
    if (!options_.json.empty()) WriteJsonOutput(options_.json, ToJson(*report_), terminal_);
    if (Interrupted()) {
      return {.exit_code = kExitInterrupted,
              .reason = files_.empty() ? std::string("the run was not finished")
                                       : fmt::format("{} of {} pictures done",
                                                     report_->results.size(), files_.size())};
    }
    if (!report_->failed.empty()) {
      // A file may have many pages, a conversation many pictures.
      const size_t tried = report_->results.size() + report_->failed.size();
      const bool conversations = options_.chat.together || !options_.chat.messages.empty();
      return {.exit_code = kExitBadInput,
              .reason = fmt::format(
                  "{} of {} {} could not be used, first {}", report_->failed.size(), tried,
                  conversations ? "conversations" : "pictures", report_->failed[0].image)};
    }
    return {};
  }

  const RunVerbOptions& options_;
  Terminal& terminal_;
  PictureWarnings warnings_{terminal_};
  Clock::time_point start_;
  std::vector<std::string> files_;
  NamedTensors fed_;
  std::optional<Session> session_;
  std::optional<RunReport> report_;
  std::optional<AnswerWriter> answers_;
  std::optional<DumpWriter> dump_;
  std::optional<InstanceOutput> instance_output_;  // of a detector
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
          "labels with probabilities where it has a classification head, objects with their masks "
          "where it finds any, else an embedding. "
          "Results appear as they come; a picture that cannot be read is named, and the others "
          "go on.",
      .examples = {{"vernier run --model vit-base-patch16-224 --image cat.jpg",
                    "labels for a picture"},
                   {"vernier run --model pe-lang-l14-448 --image photos/ --similarity",
                    "how alike the pictures of a folder are"},
                   {"vernier run --model blendmask --image street.jpg --out overlay.png",
                    "every object cut out, and overlay.json as COCO has it"},
                   {"vernier run --model vit-base --image cat.jpg --dump out --dump-filter "
                    "'encoder.layer.*'",
                    "every module's output of one layer stack, as .npy"},
                   {"vernier run --model PaddleOCR-VL --image scan.pdf --pages 1-3 --task ocr",
                    "the text of a document's pages, as it is read"},
                   {"vernier run --model vit-base --input pixel_values=x.npy --json -",
                    "a tensor in, JSON out"}},
      .start = Starter(RunFlags, RunRun)};
}

}  // namespace vernier
