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
#include "pipeline/dump.h"
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

// The pictures, conversations or rows of one run, read and ready.
struct Batch {
  std::vector<PictureResult> rows;  // without what is still to come
  NamedTensors inputs;
};

class Runner {
 public:
  Runner(const RunVerbOptions& options, Terminal& terminal)
      : options_(options),
        terminal_(terminal),
        start_(Clock::now()),
        files_(ExpandImagePaths(options.images, FilesToFind::kPicturesAndPdf)),
        fed_(ReadFedInputs(options.inputs)) {
    CheckOptions();
    session_.emplace(ToSessionOptions(options));
    PrepareOut();
    report_.emplace(RunReport{.options = options, .session = *session_});
  }

  Outcome Run() {
    ShowWarnings(session_->info().warnings, terminal_);
    if (!options_.print_graph.empty()) {
      terminal_.Write(session_->GraphText(options_.print_graph, true));
      return {};
    }
    if (!options_.dump.empty()) dump_.emplace(options_.dump, options_.dump_filter);
    if (!fed_.empty()) {
      RunBatch(FedBatch());
    } else {
      chats() ? RunChats() : RunPictures();
    }
    return Finish();
  }

 private:
  bool text() const { return options_.json != "-"; }
  bool chats() const { return session_->info().chats; }

  void CheckOptions() const {
    const auto refuse = [](const char* what, const char* hint) {
      throw Error(ErrorKind::kUsage, what, hint);
    };
    if (!files_.empty() && !fed_.empty()) {
      refuse("--image and --input exclude each other", "feed pixel_values, or give pictures");
    }
    const bool asks = !options_.chat.messages.empty() || !options_.chat.raw_prompts.empty() ||
                      !options_.prompts.empty();
    if (files_.empty() && fed_.empty() && !asks && options_.print_graph.empty()) {
      refuse("there is nothing to run on", "give --image FILE… or --input NAME=FILE.npy");
    }
    CheckCount("--header-image", options_.header_images.size());
    if (options_.similarity && options_.embedding == "none") {
      refuse("--similarity compares embeddings, and --embedding is none", "use cls or mean");
    }
    if (options_.score_threshold < 0 || options_.score_threshold > 1) {
      refuse("--score-threshold: scores lie between 0 and 1", "");
    }
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

  void PrepareOut() {
    const std::string& out = options_.out;
    if (session_->info().classes > 0) {
      const auto images = static_cast<int64_t>(files_.size());
      instance_output_.emplace(
          InstanceOutputOptions{.out = out, .images = images, .font = options_.pictures.font},
          session_->info(), terminal_);
    } else if (!out.empty() && !out.ends_with(".npy") && !out.ends_with(".safetensors")) {
      throw Error(ErrorKind::kUsage, "--out: expected a file ending in .npy or .safetensors",
                  "pictures and JSON are written where a model finds objects");
    }
  }

  // A dump shows all pictures side by side unless a batch size was chosen.
  int64_t BatchSize() const {
    return !options_.dump.empty() && options_.batch == 1
               ? std::max<int64_t>(1, static_cast<int64_t>(files_.size()))
               : options_.batch;
  }

  Batch FedBatch() {
    Batch batch;
    const auto ids = fed_.find("input_ids");
    const auto& [name, tensor] = ids != fed_.end() ? *ids : *fed_.begin();
    const int64_t rows = tensor.shape().rank() > 0 ? tensor.shape()[0] : 1;
    for (int64_t row = 0; row < rows; ++row) {
      batch.rows.push_back({.image = fmt::format("{}[{}]", name, row)});
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

  // A picture that cannot be used is named and left out; the others go on.
  void LeaveOut(const std::string& name, const Error& error) {
    report_->failed.push_back({name, error.message()});
    terminal_.Note(fmt::format("error: {}", Printable(error.message())), Tone::kBad);
    if (!error.hint().empty()) terminal_.Note(fmt::format("hint: {}", error.hint()));
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
    RefuseChatFlags(options_.chat, session_->info().family);
    CheckCount("--prompt", options_.prompts.size());
    std::vector<Pictures> ready;
    for (size_t i = 0; i < files_.size() && !Interrupted(); ++i) {
      if (text()) {
        terminal_.ShowProgress("run", static_cast<int64_t>(i), static_cast<int64_t>(files_.size()));
      }
      const Clock::time_point start = Clock::now();
      try {
        for (const NamedPage& page : PagesOf(files_[i])) {
          ready.push_back(session_->ReadPages({page.page}, HeadersOf(i)));
          ready.back().info[0].file = page.name;
          if (ready.size() == static_cast<size_t>(BatchSize())) RunReady(ready);
        }
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kInput) throw;
        LeaveOut(files_[i], error);
      }
      report_->decode_s += SecondsSince(start);
    }
    if (!ready.empty()) RunReady(ready);
    terminal_.ClearProgress();
  }

  void RunChats() {
    std::vector<std::vector<NamedPage>> pages;
    for (const std::string& file : files_) {
      try {
        pages.push_back(PagesOf(file));
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kInput) throw;
        LeaveOut(file, error);
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
    if (dump_ && std::ranges::count(pictures.inputs.at("attention_mask").as<int32_t>(), 0) > 0) {
      throw Error(ErrorKind::kUsage, "--dump holds prompts of one length, and these differ",
                  "dump one prompt after the other, each with --batch 1");
    }
    Batch batch{.rows = {}, .inputs = std::move(pictures.inputs)};
    auto info = pictures.info.begin();
    for (const ChatJob& job : jobs) {
      PictureResult& row = batch.rows.emplace_back();
      row.image = job.name;
      row.question = job.question;
      for (const ChatTurn& turn : job.prompt.turns) {
        for (size_t i = 0; i < turn.pictures.size(); ++i) TakeInfo(std::move(*info++), row);
      }
    }
    RunBatch(std::move(batch));
  }

  void TakeInfo(PictureInfo info, PictureResult& row) {
    for (const std::string& warning : info.warnings) {
      terminal_.Warn(fmt::format("{}: {}", row.image, warning));
    }
    row.pictures.push_back(std::move(info));
  }

  void RunReady(std::vector<Pictures>& ready) {
    Batch batch;
    Pictures pictures = session_->JoinPictures(std::exchange(ready, {}));
    for (PictureInfo& info : pictures.info) {
      PictureResult& row = batch.rows.emplace_back();
      row.image = info.file;
      TakeInfo(std::move(info), row);
    }
    batch.inputs = std::move(pictures.inputs);
    RunBatch(std::move(batch));
  }

  void RunBatch(Batch batch) {
    if (options_.placement && report_->placement.empty()) {
      report_->placement = session_->Placement(batch.inputs);
    }
    if (Writes(batch.inputs)) return RunAnswers(batch);
    const Clock::time_point start = Clock::now();
    const RunHooks hooks = dump_ ? dump_->Hooks() : RunHooks{};
    NamedTensors outputs = session_->Run(batch.inputs, hooks);
    report_->run_s += SecondsSince(start);
    if (instance_output_) {
      ReportInstances(batch, outputs);
    } else {
      Report(batch, outputs);
    }
    if (dump_) FinishDump(outputs);
    if (!options_.out.empty() && !instance_output_) kept_.push_back(std::move(outputs));
  }

  // Whether text is generated; with ids fed, a run is teacher forcing.
  bool Writes(const NamedTensors& inputs) const {
    return session_->generation_options() != nullptr && !inputs.contains("decoder_input_ids");
  }

  // The prompts of a model that reads them as the beginning of its answer.
  std::vector<std::string> DecoderPrompts(size_t rows) {
    if (options_.prompts.empty() || session_->info().reads_headers || chats()) return {};
    if (options_.prompts.size() == 1) return std::vector<std::string>(rows, options_.prompts[0]);
    const size_t first = std::exchange(next_prompt_, next_prompt_ + rows);
    if (first + rows > options_.prompts.size()) return options_.prompts;  // refused with the counts
    const auto from = options_.prompts.begin() + static_cast<std::ptrdiff_t>(first);
    return {from, from + static_cast<std::ptrdiff_t>(rows)};
  }

  GenerationRequest RequestFor(const Batch& batch) {
    GenerationRequest request;
    request.options = Changed(*session_->generation_options(), options_.generation);
    // run's own flags of these names serve sampling as well.
    if (options_.top_k > 0) request.options.top_k = options_.top_k;
    if (options_.seed > 0) request.options.seed = static_cast<uint64_t>(options_.seed);
    request.prompts = DecoderPrompts(batch.rows.size());
    request.log_probs = options_.log_probs;
    request.cancel = &InterruptFlag();
    return request;
  }

  // Whether an answer is shown while it is written: one alone on a terminal, and the pages of a
  // conversation wherever they go, as they may take minutes.
  bool Streams(const Batch& batch, const GenerationRequest& request) const {
    if (!text() || request.options.num_beams > 1) return false;
    if (chats()) return batch.rows.size() == 1;
    return report_->one_picture && terminal_.output_is_terminal();
  }

  void RunAnswers(Batch& batch) {
    const Clock::time_point start = Clock::now();
    GenerationRequest request = RequestFor(batch);
    if (!chats()) report_->one_picture = files_.size() == 1;
    const bool streams = Streams(batch, request);
    if (streams) {
      terminal_.ClearProgress();
      if (chats()) terminal_.Write(HeadingOf(batch.rows[0], *report_));
      request.on_text = [&](int64_t, std::string_view piece) {
        terminal_.Write(ShownText(piece));
        terminal_.Flush();
      };
    }
    GenerationOutput output = session_->Generate(batch.inputs, request);
    if (streams) terminal_.Write("\n");
    report_->run_s += SecondsSince(start);
    report_->beams = request.options.num_beams > 1;
    Add(output.seconds);
    if (dump_) DumpAnswers(batch, output, request.options);
    for (size_t row = 0; row < output.rows.size(); ++row) {
      PictureResult& result = batch.rows[row];
      result.answer = std::move(output.rows[row]);
      WarnOfLength(result, request.options);
      if (text() && !streams) PrintResult(result, *report_, terminal_);
      report_->results.push_back(std::move(result));
    }
  }

  void Add(const GenerationSeconds& seconds) {
    report_->generation.encode += seconds.encode;
    report_->generation.first_token += seconds.first_token;
    report_->generation.more_tokens += seconds.more_tokens;
    report_->generation.steps += seconds.steps;
  }

  void WarnOfLength(const PictureResult& result, const GenerationOptions& options) {
    const GeneratedText& answer = *result.answer;
    const bool said = options.max_new_tokens || options.max_length || length_warned_;
    if (said || answer.finish_reason != FinishReason::kLength) return;
    if (chats()) {
      terminal_.Warn(
          fmt::format("{}: the answer was cut off after {} tokens (--max-new-tokens "
                      "allows more, within the model's context)",
                      result.image, std::ssize(answer.token_ids) - answer.prompt_tokens));
      return;
    }
    length_warned_ = true;
    terminal_.Warn(
        "an answer was cut off after 20 tokens, the default where generation_config.json and "
        "--max-new-tokens say nothing");
  }

  // The decoder's values come from a second pass that reads what was written, all at once.
  void DumpAnswers(const Batch& batch, const GenerationOutput& output,
                   const GenerationOptions& options) {
    NamedTensors inputs;
    for (const auto& [name, tensor] : batch.inputs) {
      inputs.emplace(name, Tensor::CopyOf(tensor.view()));
    }
    inputs.emplace("decoder_input_ids", PaddedIds(output.rows, options, !chats()));
    NamedTensors outputs = session_->Run(inputs, dump_->Hooks());
    outputs.emplace("generated_ids", PaddedIds(output.rows, options, !chats()));
    FinishDump(outputs);
  }

  void ReportInstances(Batch& batch, const NamedTensors& outputs) {
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

  void Report(Batch& batch, const NamedTensors& outputs) {
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

  void FinishDump(NamedTensors& outputs) {
    if (options_.embedding != "none" && !instance_output_) {
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
  std::optional<InstanceOutput> instance_output_;  // of a detector
  std::vector<NamedTensors> kept_;
  size_t next_prompt_ = 0;
  bool length_warned_ = false;
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
