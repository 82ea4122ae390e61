#include "pipeline/causal_decoder.h"

#include <algorithm>
#include <string>

#include "core/check.h"
#include "runtime/plan.h"

namespace vernier {
namespace {

constexpr size_t kAxes = 3;

// A row's first new token follows its prompt.
int32_t NextPosition(const CausalRow& row) {
  return static_cast<int32_t>(std::ssize(row.ids) + row.positions.delta);
}

TensorView RowsOf(const TensorView& features, int64_t first, int64_t count) {
  const int64_t width = features.shape[1];
  return {features.as<float>().data() + first * width, DType::kF32, {count, width}};
}

}  // namespace

CausalDecoder::CausalDecoder(const CausalPrograms& programs, const CausalRows& rows,
                             const TensorView& features, const CausalSizes& sizes,
                             const std::atomic<bool>* cancel)
    : programs_(programs),
      rows_(rows),
      features_(features),
      sizes_{.sequences = sizes.sequences, .tokens = InWholeBlocks(sizes.tokens)},
      cancel_(cancel),
      vocab_size_(programs.vocab_size()),
      caches_(programs.step->graph(), sizes_.sequences, sizes_.tokens, [](int) { return true; }) {
  const auto most = static_cast<size_t>(sizes_.sequences);
  for (auto* row : {&next_position_, &former_next_position_, &ids_, &parents_}) row->reserve(most);
  positions_.reserve(kAxes * most);
}

size_t CausalDecoder::arena_bytes() const {
  return context_.arena_bytes() + context_.scratch_bytes() + step_context_.arena_bytes() +
         step_context_.scratch_bytes();
}

std::shared_ptr<const Plan> CausalDecoder::BindFor(const Program& program, int64_t sequences,
                                                   int64_t new_tokens, int64_t features) const {
  Extents extents = {
      {"sequences", sequences}, {"new_tokens", new_tokens}, {"cache_capacity", sizes_.tokens}};
  if (features > 0) extents["picture_tokens"] = features;
  return program.Bind(extents);
}

// Rows row, … of equal length, `cover` of them.
RunPart CausalDecoder::PromptPart(const Program& with_pictures, const Program& text_only,
                                  int64_t row, int64_t cover, int64_t capacity) {
  const auto covered =
      std::span(rows_.rows).subspan(static_cast<size_t>(row), static_cast<size_t>(cover));
  const int64_t tokens = std::ssize(covered.front().ids);
  int64_t features = 0;
  part_ids_.clear();
  part_positions_.clear();
  for (const CausalRow& own : covered) {
    VN_CHECK(std::ssize(own.ids) == tokens, "rows of several lengths in one run");
    features += own.features;
    part_ids_.insert(part_ids_.end(), own.ids.begin(), own.ids.end());
  }
  for (size_t axis = 0; axis < kAxes; ++axis) {
    for (const CausalRow& own : covered) {
      const std::vector<int32_t>& positions = own.positions.axes[axis];
      part_positions_.insert(part_positions_.end(), positions.begin(), positions.end());
    }
  }
  RunPart part{
      .name = "decoder",
      .plan = BindFor(features > 0 ? with_pictures : text_only, capacity, tokens, features),
      .inputs = {{"input_ids", {part_ids_.data(), DType::kI32, {cover, tokens}}},
                 {"position_ids", {part_positions_.data(), DType::kI32, {3, cover, tokens}}}}};
  if (features > 0) {
    part.inputs.emplace("picture_features",
                        RowsOf(features_, covered.front().first_feature, features));
  }
  if (cover == 1 && rows_.rows.size() > 1) {
    caches_.AddRowTo(row, part.states);
  } else {
    caches_.AddTo(part.states);
  }
  return part;
}

RunPart CausalDecoder::ForcedPart(int64_t row, int64_t cover) {
  RunPart part = PromptPart(*programs_.every_token, *programs_.step, row, cover, cover);
  if (cover < std::ssize(rows_.rows)) part.name += " row " + std::to_string(row);
  return part;
}

std::span<float> CausalDecoder::Start(std::span<const std::vector<int32_t>> prompts) {
  const auto count = static_cast<int64_t>(prompts.size());
  VN_CHECK(prompts.size() == rows_.rows.size() && count <= sizes_.sequences, "other prompts");
  caches_.Clear();
  next_position_.clear();
  for (const CausalRow& row : rows_.rows) next_position_.push_back(NextPosition(row));
  const bool even = std::ranges::all_of(
      prompts, [&](const auto& prompt) { return prompt.size() == prompts[0].size(); });
  Tensor all(DType::kF32, {count, vocab_size_});
  const int64_t cover = even ? count : 1;
  for (int64_t row = 0; row < count; row += cover) {
    const RunPart part = PromptPart(*programs_.last_token, *programs_.step, row, cover, cover);
    NamedTensors outputs = context_.Run(
        *part.plan, part.inputs,
        {.cancel = cancel_, .runtime_extents = {{"sequences", cover}}, .states = part.states});
    // Text alone has logits behind every token; the last ones count.
    const Tensor& logits = outputs.at("logits");
    const int64_t tokens = logits.shape()[1];
    for (int64_t i = 0; i < cover; ++i) {
      const float* last = logits.as<float>().data() + ((i + 1) * tokens - 1) * vocab_size_;
      std::copy_n(last, vocab_size_, all.as<float>().data() + (row + i) * vocab_size_);
    }
  }
  logits_ = std::move(all);
  return logits_.as<float>();
}

std::span<float> CausalDecoder::Step(std::span<const Extension> rows) {
  const auto count = rows.size();
  ids_.resize(count);
  parents_.resize(count);
  former_next_position_ = next_position_;
  bool same = count == former_next_position_.size();
  next_position_.resize(count);
  positions_.resize(kAxes * count);
  for (size_t row = 0; row < count; ++row) {
    const int32_t parent = rows[row].parent;
    ids_[row] = rows[row].token;
    parents_[row] = parent;
    const int32_t position = former_next_position_[static_cast<size_t>(parent)];
    for (size_t axis = 0; axis < kAxes; ++axis) positions_[axis * count + row] = position;
    next_position_[row] = position + 1;
    same = same && parent == static_cast<int32_t>(row);
  }
  if (!same) caches_.Select(parents_);
  if (!step_) PrepareStep();
  alive_["sequences"] = static_cast<int64_t>(count);
  step_->Run(alive_);
  return step_->Output("logits");
}

// What a step reads lies in vectors that were reserved for all sequences and never move.
void CausalDecoder::PrepareStep() {
  const auto count = static_cast<int64_t>(ids_.size());
  RunOptions run{.cancel = cancel_, .runtime_extents = {{"sequences", count}}};
  caches_.AddTo(run.states);
  step_.emplace(step_context_, BindFor(*programs_.step, sizes_.sequences, 1, 0),
                NamedViews{{"input_ids", {ids_.data(), DType::kI32, {count, 1}}},
                           {"position_ids", {positions_.data(), DType::kI32, {3, count, 1}}}},
                std::move(run));
}

}  // namespace vernier
