#include "verify/setting_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "core/sha256.h"
#include "pipeline/model_hash.h"
#include "runtime/plan.h"
#include "verify/running_values.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

NamedViews Views(const NamedTensors& tensors) {
  NamedViews views;
  for (const auto& [name, tensor] : tensors) views.emplace(name, tensor.view());
  return views;
}

NamedTensors Copies(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, Tensor::CopyOf(tensor.view()));
  return copies;
}

// Inputs first, then what was computed or kept.
class WithInputs final : public GivenTensors {
 public:
  WithInputs(const NamedTensors& inputs, const GivenTensors& more) : inputs_(inputs), more_(more) {}

  std::vector<std::string> Names() const override { return more_.Names(); }
  bool Has(std::string_view name) const override {
    return inputs_.contains(name) || more_.Has(name);
  }
  Shape ShapeOf(std::string_view name) const override {
    const auto found = inputs_.find(name);
    return found != inputs_.end() ? found->second.shape() : more_.ShapeOf(name);
  }
  Tensor Read(std::string_view name) const override {
    const auto found = inputs_.find(name);
    return found != inputs_.end() ? Tensor::CopyOf(found->second.view()) : more_.Read(name);
  }

 private:
  const NamedTensors& inputs_;
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
  Extents extents() {
    Prepare();
    return candidate_.Bind(candidate_.program(), candidate_inputs_)->extents();
  }

  Comparison Run() { return Compare(candidate_.program(), request_.walk); }

  Comparison RunWith(const PrecisionRules& rules) {
    const ModelPrograms programs = candidate_.Compile(rules);
    WalkOptions walk = request_.walk;
    walk.isolated = false;
    return Compare(*programs.encoder, walk);
  }

 private:
  void Prepare() {
    if (!candidate_inputs_.empty()) return;
    candidate_inputs_ = Inputs(candidate_);
    if (!request_.filed) reference_inputs_ = Inputs(reference_);
    CheckShapes();
    reference_plan_ = reference_.Bind(reference_.program(),
                                      request_.filed ? candidate_inputs_ : reference_inputs_);
  }

  Comparison Compare(const Program& program, const WalkOptions& options) {
    const auto start = std::chrono::steady_clock::now();
    Prepare();
    plan_ = candidate_.Bind(program, candidate_inputs_);
    Comparison comparison;
    Walk walk = WalkInLockstep(
        {.plan = plan_.get(), .inputs = Views(candidate_inputs_)},
        [this](const std::vector<bool>& wanted) { return MakeReference(wanted); }, options);
    comparison.tensors = std::move(walk.tensors);
    comparison.tolerance = options.metrics.tolerance;
    comparison.candidate = SideOf(request_.candidate, candidate_, *plan_);
    if (request_.filed) {
      comparison.reference = request_.filed->side;
      ListUnpaired(comparison);
    } else {
      comparison.reference = SideOf(*request_.reference, reference_, *reference_plan_);
    }
    FinishCache(comparison);
    if (candidate_.programs().decoder) {
      comparison.left_out.push_back(
          "the decoder and its answers: settings walk the encoder (dump both sides with --input "
          "decoder_input_ids=F.npy and compare the dumps)");
    }
    for (const std::string& warning : candidate_.model().info.warnings) {
      comparison.notes.push_back(warning);
    }
    plan_.reset();  // it borrows the program
    comparison.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return comparison;
  }

  NamedTensors Inputs(const CompiledModel& model) const {
    if (!request_.images.empty()) {
      return model.model().pictures.Read(request_.images, request_.headers).inputs;
    }
    if (!request_.inputs.empty()) return Copies(request_.inputs);
    const Graph& graph = model.program().original();
    NamedTensors inputs;
    for (int id : graph.inputs()) {
      const ValueInfo& info = graph.value(id);
      if (!request_.filed || !request_.filed->tensors->Has(info.name)) {
        throw Error(ErrorKind::kUsage,
                    fmt::format("there is nothing to run on: {} is not given", info.name),
                    "give --image FILE… or --input NAME=FILE.npy");
      }
      Tensor tensor = request_.filed->tensors->Read(info.name);
      if (IsFloat(tensor.dtype())) tensor = ToFloat32(tensor.view());
      inputs.emplace(info.name, std::move(tensor));
    }
    return inputs;
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

  std::unique_ptr<BoundaryValues> MakeReference(const std::vector<bool>& wanted) {
    if (request_.filed) {
      auto values =
          std::make_unique<GivenValues>(*reference_plan_, *request_.filed->tensors, wanted);
      for (size_t i = 0; i < wanted.size(); ++i) {
        if (const std::string& name = values->GivenAs(static_cast<int>(i)); !name.empty()) {
          used_.insert(name);
        }
      }
      return values;
    }
    if (request_.reference->options.device != "ref" || !SameValues()) {
      return std::make_unique<RunningValues>(*reference_plan_, Views(reference_inputs_),
                                             plan_->program().original(), wanted);
    }
    cache_ = std::make_unique<ReferenceCache>(request_.cache, CacheKey());
    given_ = std::make_unique<WithInputs>(reference_inputs_, *cache_);
    return std::make_unique<GivenValues>(
        *reference_plan_, *given_, wanted,
        GivenOptions{.computed_is_own = true,
                     .computed = [this](const ValueInfo& value, const TensorView& tensor) {
                       cache_->Keep(value.name, tensor);
                     }});
  }

  // Whether both sides' models name the same values, in the same order.
  bool SameValues() const {
    return std::ranges::equal(plan_->program().original().values(),
                              reference_plan_->program().original().values(), {}, &ValueInfo::name,
                              &ValueInfo::name);
  }

  // Reads the files once where both sides have the same.
  std::string HashOf(const CompiledModel& model) {
    std::string& hash = hashes_[model.options().model];
    if (hash.empty()) hash = ModelSha256(model.folder());
    return hash;
  }

  // All that the values of `ref` depend on.
  std::string CacheKey() {
    if (request_.cache.folder.empty()) return {};
    std::string key = fmt::format("{} {}", Version(), HashOf(reference_));
    const SessionOptions& options = reference_.options();
    key += fmt::format(" {} {} {} {} {} {} {}", options.height, options.width,
                       options.interpolate_positions, options.semantics, options.labels,
                       options.allow_random_head, options.seed);
    for (const auto& [name, tensor] : reference_inputs_) {
      Sha256 hash;
      hash.Update(
          std::as_bytes(std::span(static_cast<const uint8_t*>(tensor.data()), tensor.bytes())));
      key += fmt::format(" {}{}={}", name, tensor.shape().ToString(), hash.Finish());
    }
    return key;
  }

  void FinishCache(Comparison& comparison) {
    if (!cache_) return;
    cache_->Finish();
    if (!cache_->trouble().empty()) {
      comparison.notes.push_back(
          fmt::format("the cache of reference values was not used: {}", cache_->trouble()));
    }
  }

  ComparedSide SideOf(const SettingSide& side, const CompiledModel& model, const Plan& plan) {
    ComparedSide found;
    found.kind = "setting";
    found.source = side.words;
    found.tensors = static_cast<int64_t>(plan.program().original().values().size());
    found.model = side.options.model;
    found.family = model.model().info.family;
    found.checkpoint_sha256 = HashOf(model);
    found.device = plan.program().backend().name();
    found.dtype = side.options.dtype;
    std::set<std::string> kernels;
    for (const Step& step : plan.steps()) {
      const KernelInfo info = step.kernel->info();
      kernels.insert(fmt::format("{}:{}:{}", info.provider, info.isa, info.kernel));
    }
    found.kernels = {kernels.begin(), kernels.end()};
    found.processor = model.model().info.processor;
    found.version = Version();
    found.random_head = model.model().info.random_head;
    return found;
  }

  void ListUnpaired(Comparison& comparison) const {
    for (const std::string& name : request_.filed->tensors->Names()) {
      if (used_.contains(name)) continue;
      comparison.only_reference.push_back(
          {.name = name,
           .shape = request_.filed->tensors->ShapeOf(name),
           .reason = "the model has no value of this name and size"});
    }
  }

  const SettingComparisonRequest& request_;
  CompiledModel candidate_, reference_;
  NamedTensors candidate_inputs_, reference_inputs_;
  std::shared_ptr<const Plan> plan_, reference_plan_;
  std::unique_ptr<ReferenceCache> cache_;
  std::unique_ptr<WithInputs> given_;
  std::set<std::string> used_;                 // names on file
  std::map<std::string, std::string> hashes_;  // of models, by folder
};

SettingComparer::SettingComparer(const SettingComparisonRequest& request)
    : impl_(std::make_unique<Impl>(request)) {}
SettingComparer::~SettingComparer() = default;

const CompiledModel& SettingComparer::candidate() const { return impl_->candidate(); }
Extents SettingComparer::extents() { return impl_->extents(); }
Comparison SettingComparer::Run() { return impl_->Run(); }
Comparison SettingComparer::RunWith(const PrecisionRules& rules) { return impl_->RunWith(rules); }

}  // namespace vernier
