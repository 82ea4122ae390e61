#include "verify/setting_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "core/sha256.h"
#include "pipeline/model_hash.h"
#include "pipeline/model_run.h"
#include "verify/detector_comparison.h"
#include "verify/proof_inputs.h"
#include "verify/running_values.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

NamedTensors Copies(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, Tensor::CopyOf(tensor.view()));
  return copies;
}

// Inputs first, then what was computed or kept.
class WithInputs final : public GivenTensors {
 public:
  WithInputs(const NamedViews& inputs, const GivenTensors& more) : inputs_(inputs), more_(more) {}

  std::vector<std::string> Names() const override { return more_.Names(); }
  bool Has(std::string_view name) const override {
    return inputs_.contains(name) || more_.Has(name);
  }
  Shape ShapeOf(std::string_view name) const override {
    const auto found = inputs_.find(name);
    return found != inputs_.end() ? found->second.shape : more_.ShapeOf(name);
  }
  Tensor Read(std::string_view name) const override {
    const auto found = inputs_.find(name);
    return found != inputs_.end() ? Tensor::CopyOf(found->second) : more_.Read(name);
  }

 private:
  const NamedViews& inputs_;
  const GivenTensors& more_;
};

// What a filed reference is computed with where it has gaps.
SessionOptions RefOf(SessionOptions options) {
  options.device = "ref";
  options.dtype = "f32";
  options.precision_file.clear();
  options.disabled_passes.clear();
  return options;
}

}  // namespace

class SettingComparer::Impl {
 public:
  explicit Impl(const SettingComparisonRequest& request)
      : request_(request),
        candidate_(request.candidate.options),
        reference_(request.reference ? request.reference->options
                                     : RefOf(request.candidate.options)) {}

  const CompiledModel& candidate() const { return candidate_; }
  const std::vector<WalkedPart>& parts() const { return parts_; }

  Comparison Run() {
    parts_.clear();
    return Compare(candidate_.programs(), request_.walk);
  }

  Comparison RunWith(const PrecisionRules& rules) {
    const ModelPrograms programs = candidate_.Compile(rules);
    WalkOptions walk = request_.walk;
    walk.isolated = false;
    return Compare(programs, walk);
  }

 private:
  // One run of the model for each role. What the candidate's steps append when they run alone on
  // the reference's values is kept in a run of its own.
  struct Runs {
    ModelRun candidate, reference, isolated;
  };

  void Prepare() {
    if (!candidate_inputs_.empty()) return;
    candidate_inputs_ = Inputs(candidate_);
    if (!request_.filed) reference_inputs_ = Inputs(reference_);
    CheckShapes();
    if (!request_.filed && reference_.model().causal) AddAnswers();
  }

  // A model that chats reads the reference's own answers behind the prompts.
  void AddAnswers() {
    AddForcedIds(reference_, AnswerRequest(), reference_inputs_);
    const auto ids = reference_inputs_.find(kForcedIds);
    if (ids == reference_inputs_.end()) return;
    candidate_inputs_.insert_or_assign(kForcedIds, Tensor::CopyOf(ids->second.view()));
  }

  const NamedTensors& ReferenceInputs() const {
    return request_.filed ? candidate_inputs_ : reference_inputs_;
  }

  Comparison Compare(const ModelPrograms& programs, const WalkOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    Prepare();
    Comparison comparison{.tolerance = options.tolerances.of_all};
    Runs runs{.candidate = ModelRun(candidate_, programs, candidate_inputs_),
              .reference = ModelRun(reference_, reference_.programs(), ReferenceInputs()),
              .isolated = ModelRun(candidate_, programs, candidate_inputs_)};
    comparison.candidate = SideOf(request_.candidate, candidate_);
    comparison.reference =
        request_.filed ? request_.filed->side : SideOf(*request_.reference, reference_);
    key_.clear();
    WalkParts(runs, options, comparison);
    for (const std::string& warning : candidate_.model().info.warnings) {
      comparison.notes.push_back(warning);
    }
    if (request_.filed) ListUnpaired(comparison);
    comparison.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return comparison;
  }

  void WalkParts(Runs& runs, const WalkOptions& options, Comparison& comparison) {
    const RunPart* candidate = &runs.candidate.First();
    const RunPart* reference = &runs.reference.First();
    const RunPart* isolated = &runs.isolated.First();
    for (bool first = true; candidate != nullptr; first = false) {
      Walk walk = WalkPart(*candidate, *reference, *isolated, first, options, comparison);
      if (first && candidate_.model().detector) {
        AddDetectorFigures(walk.reference_outputs, walk.outputs, comparison);
      }
      if (first && !Force(runs, walk.reference_outputs, comparison)) return;
      candidate = runs.candidate.Next(std::move(walk.outputs));
      isolated = runs.isolated.Next(Copies(walk.reference_outputs));
      reference = runs.reference.Next(std::move(walk.reference_outputs));
    }
  }

  Walk WalkPart(const RunPart& candidate, const RunPart& reference, const RunPart& isolated,
                bool first, const WalkOptions& options, Comparison& comparison) {
    const Graph& graph = candidate.plan->program().original();
    // Other programs than the candidate's own do not outlive their comparison.
    if (&graph == OwnGraph(candidate.name)) parts_.push_back({&graph, candidate.plan->extents()});
    WalkOptions walk_options = options;
    walk_options.wants = [&](const ValueInfo& value) {
      // Later parts read what was compared before, and ids that are the same on both sides.
      return (first || value.kind != ValueKind::kInput) && (!options.wants || options.wants(value));
    };
    Walk walk = WalkInLockstep(
        {.plan = candidate.plan.get(),
         .inputs = candidate.inputs,
         .states = candidate.states,
         .isolated_states = isolated.states},
        [&](const std::vector<bool>& wanted) {
          return MakeReference(reference, graph, first, wanted);
        },
        walk_options);
    FinishCache(comparison);
    const int64_t before = comparison.tensors.empty() ? 0 : comparison.tensors.back().order + 1;
    for (TensorComparison& tensor : walk.tensors) {
      tensor.order += before;
      comparison.tensors.push_back(std::move(tensor));
    }
    AddKernels(*candidate.plan, comparison.candidate);
    if (!request_.filed) AddKernels(*reference.plan, comparison.reference);
    return walk;
  }

  const Graph* OwnGraph(const std::string& part) const {
    for (const NamedProgram& own : PartsOf(candidate_.programs())) {
      if (own.part == part) return &own.program->original();
    }
    return nullptr;
  }

  // Gives the decoder its ids; false where there is no decoder, or it cannot be compared. A model
  // that chats has its prompts, and what is fed to follow them.
  bool Force(Runs& runs, const NamedTensors& encoded, Comparison& comparison) {
    if (candidate_.model().causal) {
      if (!candidate_inputs_.contains(kForcedIds)) {
        comparison.left_out.push_back(
            "the answers: prompts were compared (--max-new-tokens N reads the reference's own "
            "answer behind them, --input decoder_input_ids=F.npy any other)");
      }
      return true;
    }
    if (!candidate_.model().decoder) return false;
    const auto leave_out = [&](const char* why) {
      comparison.left_out.push_back(fmt::format("the decoder: {}", why));
      return false;
    };
    if (!encoded.contains(reference_.model().features)) {
      return leave_out("the reference has no output of the encoder, nor what it is computed from");
    }
    if (!candidate_inputs_.contains(kForcedIds) && request_.filed) {
      return leave_out(
          "the reference's file does not say which ids it read (give --input "
          "decoder_input_ids=F.npy)");
    }
    if (!candidate_inputs_.contains(kForcedIds)) {
      if (!forced_) forced_ = Answer(encoded);
      for (ModelRun* run : {&runs.candidate, &runs.reference, &runs.isolated}) {
        run->Force(forced_->ids);
      }
      if (forced_->filled) {
        comparison.notes.push_back("answers of several lengths: the shorter rows are filled up");
      }
    }
    comparison.left_out.push_back(
        "the choice of tokens one by one: the decoder read all ids at once, and decoding step by "
        "step is a plan of its own");
    return true;
  }

  ForcedIdsRequest AnswerRequest() const {
    return {.prompts = AnswerPrompts(reference_, request_.headers),
            .max_new_tokens = request_.max_new_tokens,
            .cancel = request_.walk.cancel};
  }

  ForcedIds Answer(const NamedTensors& encoded) const {
    return GreedyIds(reference_, ReferenceInputs(), encoded, AnswerRequest());
  }

  NamedTensors Inputs(const CompiledModel& model) const {
    NamedTensors inputs =
        ReadProofInputs(model, request_.images, request_.headers, request_.inputs);
    const LoadedModel& loaded = model.model();
    for (const std::string& name : NeededInputs(model)) {
      if (inputs.contains(name) || AddFiled(name, inputs)) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("there is nothing to run on: {} is not given", name),
                  "give --image FILE… or --input NAME=FILE.npy");
    }
    if (loaded.causal) {
      for (const char* name : {kInputMask, kPixelValues, kImageGrids}) AddFiled(name, inputs);
    }
    if (loaded.decoder || loaded.causal) AddFiled(kForcedIds, inputs);
    return inputs;
  }

  // Without which there is nothing to run on: a prompt need not have pictures.
  static std::vector<std::string> NeededInputs(const CompiledModel& model) {
    if (model.model().causal) return {kInputIds};
    std::vector<std::string> names;
    const Graph& graph = model.program().original();
    for (int id : graph.inputs()) names.push_back(graph.value(id).name);
    return names;
  }

  // An input that is not given, from the file; false where there is none.
  bool AddFiled(const std::string& name, NamedTensors& inputs) const {
    if (inputs.contains(name) || !request_.filed || !request_.filed->tensors->Has(name)) {
      return false;
    }
    Tensor tensor = request_.filed->tensors->Read(name);
    if (IsFloat(tensor.dtype())) tensor = ToFloat32(tensor.view());
    inputs.emplace(name, std::move(tensor));
    return true;
  }

  void CheckShapes() const {
    for (const auto& [name, tensor] : reference_inputs_) {
      const auto found = candidate_inputs_.find(name);
      if (found == candidate_inputs_.end() || found->second.shape() == tensor.shape()) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("{} is {} under the reference's setting and {} under the candidate's",
                              name, tensor.shape().ToString(), found->second.shape().ToString()),
                  "compare settings that give the model pictures of one size");
    }
  }

  // The reference's values of one part, by ids of the candidate's graph.
  std::unique_ptr<BoundaryValues> MakeReference(const RunPart& part, const Graph& graph, bool first,
                                                const std::vector<bool>& wanted) {
    if (request_.filed) return MakeFiledReference(part, first, wanted);
    if (request_.reference->options.device != "ref" || !NamesTheSame(*part.plan, graph)) {
      return std::make_unique<RunningValues>(*part.plan, part.inputs, graph, wanted, part.states);
    }
    cache_ = std::make_unique<ReferenceCache>(request_.cache, CacheKey(part));
    given_ = std::make_unique<WithInputs>(part.inputs, *cache_);
    return std::make_unique<GivenValues>(
        *part.plan, *given_, wanted,
        GivenOptions{
            .computed_is_own = true,
            .computed = [this](const ValueInfo& value,
                               const TensorView& tensor) { cache_->Keep(value.name, tensor); },
            .states = part.states});
  }

  std::unique_ptr<BoundaryValues> MakeFiledReference(const RunPart& part, bool first,
                                                     const std::vector<bool>& wanted) {
    const GivenTensors& tensors = *request_.filed->tensors;
    given_ = std::make_unique<WithInputs>(part.inputs, tensors);
    auto values =
        std::make_unique<GivenValues>(*part.plan, first ? tensors : *given_, wanted,
                                      GivenOptions{.computed = {}, .states = part.states});
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (const std::string& name = values->GivenAs(static_cast<int>(i)); !name.empty()) {
        used_.insert(name);
      }
    }
    return values;
  }

  // Whether both sides' models name the same values, in the same order.
  static bool NamesTheSame(const Plan& reference, const Graph& candidate) {
    return std::ranges::equal(candidate.values(), reference.program().original().values(), {},
                              &ValueInfo::name, &ValueInfo::name);
  }

  // Reads the files once where both sides have the same.
  std::string HashOf(const CompiledModel& model) {
    std::string& hash = hashes_[model.options().model];
    if (hash.empty()) hash = ModelSha256(model.folder());
    return hash;
  }

  // All that the values of `ref` depend on: the model, its settings, and what this part and those
  // before it read.
  std::string CacheKey(const RunPart& part) {
    if (request_.cache.folder.empty()) return {};
    if (key_.empty()) {
      const SessionOptions& options = reference_.options();
      key_ =
          fmt::format("{} {} {} {} {} {} {} {} {}", Version(), HashOf(reference_), options.height,
                      options.width, options.interpolate_positions, options.semantics,
                      options.labels, options.allow_random_head, options.seed);
    }
    const Graph& graph = part.plan->program().graph();
    for (int id : part.plan->inputs()) {
      const std::string& name = graph.value(id).name;
      const TensorView& tensor = part.inputs.at(name);
      Sha256 hash;
      hash.Update(std::span(static_cast<const std::byte*>(tensor.data), tensor.bytes()));
      key_ += fmt::format(" {}{}={}", name, tensor.shape.ToString(), hash.Finish());
    }
    return key_;
  }

  void FinishCache(Comparison& comparison) {
    if (!cache_) return;
    cache_->Finish();
    if (!cache_->trouble().empty()) {
      comparison.notes.push_back(
          fmt::format("the cache of reference values was not used: {}", cache_->trouble()));
    }
    cache_.reset();
  }

  ComparedSide SideOf(const SettingSide& side, const CompiledModel& model) {
    ComparedSide found;
    found.kind = "setting";
    found.source = side.words;
    found.model = side.options.model;
    found.family = model.model().info.family;
    found.checkpoint_sha256 = HashOf(model);
    found.device = model.program().backend().name();
    found.dtype = side.options.dtype;
    found.processor = model.model().info.processor;
    found.version = Version();
    found.random_head = model.model().info.random_head;
    return found;
  }

  // What one part adds to a side's description.
  static void AddKernels(const Plan& plan, ComparedSide& side) {
    std::set<std::string> kernels(side.kernels.begin(), side.kernels.end());
    for (const Step& step : plan.steps()) {
      const KernelInfo info = step.kernel->info();
      kernels.insert(fmt::format("{}:{}:{}", info.provider, info.isa, info.kernel));
    }
    side.kernels = {kernels.begin(), kernels.end()};
    side.tensors += static_cast<int64_t>(plan.program().original().values().size());
  }

  void ListUnpaired(Comparison& comparison) const {
    for (const std::string& name : request_.filed->tensors->Names()) {
      if (used_.contains(name) || name == kForcedIds) continue;
      comparison.only_reference.push_back(
          {.name = name,
           .shape = request_.filed->tensors->ShapeOf(name),
           .reason = "the model has no value of this name and size"});
    }
  }

  const SettingComparisonRequest& request_;
  CompiledModel candidate_, reference_;
  NamedTensors candidate_inputs_, reference_inputs_;
  std::optional<ForcedIds> forced_;
  std::vector<WalkedPart> parts_;
  std::string key_;  // of the cached values of the part that is walked
  std::unique_ptr<ReferenceCache> cache_;
  std::unique_ptr<WithInputs> given_;
  std::set<std::string> used_;                 // names on file
  std::map<std::string, std::string> hashes_;  // of models, by folder
};

SettingComparer::SettingComparer(const SettingComparisonRequest& request)
    : impl_(std::make_unique<Impl>(request)) {}
SettingComparer::~SettingComparer() = default;

const CompiledModel& SettingComparer::candidate() const { return impl_->candidate(); }
const std::vector<WalkedPart>& SettingComparer::parts() const { return impl_->parts(); }
Comparison SettingComparer::Run() { return impl_->Run(); }
Comparison SettingComparer::RunWith(const PrecisionRules& rules) { return impl_->RunWith(rules); }

}  // namespace vernier
