#include "pipeline/cached_decoder.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/check.h"
#include "runtime/plan.h"

namespace vernier {

int64_t DecoderPrograms::vocab_size() const {
  const Graph& graph = every_token->graph();
  return graph.value(graph.outputs().front().value).type.dim(-1).constant();
}

CachedDecoder::CachedDecoder(const DecoderPrograms& programs, const DecoderSizes& sizes,
                             const std::atomic<bool>* cancel)
    : programs_(programs), sizes_(sizes), cancel_(cancel) {
  sizes_.patches = InWholeBlocks(sizes.patches);
  sizes_.tokens = InWholeBlocks(sizes.tokens);
  vocab_size_ = programs_.vocab_size();
  const Graph& graph = programs_.every_token->graph();
  const auto grows = [&](int state) { return GrowsWithSequences(graph, state); };
  of_pictures_ = KvStates(graph, sizes_.pictures, sizes_.patches, std::not_fn(grows));
  of_sequences_ = KvStates(graph, sizes_.sequences, sizes_.tokens, grows);
  const auto most = static_cast<size_t>(sizes_.sequences);
  for (auto* rows : {&picture_of_, &ids_, &parents_, &former_pictures_}) rows->reserve(most);
}

size_t CachedDecoder::cache_bytes() const { return of_pictures_.bytes() + of_sequences_.bytes(); }

size_t CachedDecoder::arena_bytes() const {
  return context_.arena_bytes() + context_.scratch_bytes() + step_context_.arena_bytes() +
         step_context_.scratch_bytes();
}

RunPart CachedDecoder::MemoryPart(const TensorView& hidden_states) {
  const int64_t pictures = hidden_states.shape[0], patches = hidden_states.shape[1];
  VN_CHECK(pictures == sizes_.pictures && patches <= sizes_.patches, "memory of another batch");
  RunPart part{
      .name = "memory",
      .plan = programs_.memory->Bind(
          {{"pictures", pictures}, {"patches", patches}, {"patch_capacity", sizes_.patches}}),
      .inputs = {{"encoder_hidden_states", hidden_states}}};
  of_pictures_.Clear();
  of_pictures_.AddTo(part.states);
  return part;
}

void CachedDecoder::KeepOnly(std::span<const int64_t> patches_of) {
  of_pictures_.SetLengths(patches_of);
}

void CachedDecoder::ReadMemory(const TensorView& hidden_states,
                               std::span<const int64_t> patches_of) {
  const RunPart part = MemoryPart(hidden_states);
  context_.Run(*part.plan, part.inputs, {.cancel = cancel_, .states = part.states});
  KeepOnly(patches_of);
}

RunPart CachedDecoder::ForcedPart(const TensorView& ids) {
  const int64_t sequences = ids.shape[0];
  Clear(sequences);
  RunPart part{.name = "decoder",
               .plan = BindFor(*programs_.every_token, sequences, ids.shape[1]),
               .inputs = {{"decoder_input_ids", ids},
                          {"picture_of_sequence", {picture_of_.data(), DType::kI32, {sequences}}}}};
  of_pictures_.AddTo(part.states);
  of_sequences_.AddTo(part.states);
  return part;
}

void CachedDecoder::Clear(int64_t sequences) {
  VN_CHECK(sequences <= sizes_.sequences && sequences <= sizes_.pictures, "too many prompts");
  of_sequences_.Clear();
  picture_of_.resize(static_cast<size_t>(sequences));
  std::iota(picture_of_.begin(), picture_of_.end(), 0);
}

std::shared_ptr<const Plan> CachedDecoder::BindFor(const Program& program, int64_t sequences,
                                                   int64_t new_tokens) const {
  return program.Bind({{"sequences", sequences},
                       {"new_tokens", new_tokens},
                       {"cache_capacity", sizes_.tokens},
                       {"pictures", sizes_.pictures},
                       {"patch_capacity", sizes_.patches}});
}

// Runs sequences rows.first, … on new tokens `ids` [rows.count, new tokens].
Tensor CachedDecoder::Run(const Program& program, const TensorView& ids, Rows rows) {
  RunOptions run{.cancel = cancel_};
  run.runtime_extents = {{"sequences", rows.count}};
  of_pictures_.AddTo(run.states);
  if (rows.first > 0) {
    VN_CHECK(rows.count == 1, "a run is about all sequences or about one");
    of_sequences_.AddRowTo(rows.first, run.states);
  } else {
    of_sequences_.AddTo(run.states);
  }
  const auto plan = BindFor(program, sizes_.sequences, ids.shape[1]);
  const TensorView pictures{picture_of_.data() + rows.first, DType::kI32, {rows.count}};
  NamedTensors outputs =
      context_.Run(*plan, {{"decoder_input_ids", ids}, {"picture_of_sequence", pictures}}, run);
  return std::move(outputs.at("logits"));
}

std::span<float> CachedDecoder::Start(std::span<const std::vector<int32_t>> prompts) {
  const auto count = static_cast<int64_t>(prompts.size());
  Clear(count);
  const bool equal = std::ranges::all_of(
      prompts, [&](const auto& prompt) { return prompt.size() == prompts[0].size(); });
  const auto run = [&](std::span<const int32_t> ids, Rows rows) {
    const int64_t tokens = static_cast<int64_t>(ids.size()) / rows.count;
    const TensorView view{ids.data(), DType::kI32, {rows.count, tokens}};
    return Run(tokens == 1 ? *programs_.every_token : *programs_.last_token, view, rows);
  };
  if (equal) {
    std::vector<int32_t> ids;
    for (const auto& prompt : prompts) ids.insert(ids.end(), prompt.begin(), prompt.end());
    logits_ = run(ids, {0, count});
    return logits_.as<float>();
  }
  // Prompts of several lengths are read one after the other: nothing is padded.
  Tensor all(DType::kF32, {count, vocab_size_});
  for (int64_t row = 0; row < count; ++row) {
    const Tensor one = run(prompts[static_cast<size_t>(row)], {row, 1});
    std::ranges::copy(one.as<float>(), all.as<float>().begin() + row * vocab_size_);
  }
  logits_ = std::move(all);
  return logits_.as<float>();
}

std::span<float> CachedDecoder::Step(std::span<const Extension> rows) {
  const auto count = rows.size();
  ids_.resize(count);
  parents_.resize(count);
  former_pictures_ = picture_of_;
  bool same = count == former_pictures_.size();
  picture_of_.resize(count);
  for (size_t row = 0; row < count; ++row) {
    ids_[row] = rows[row].token;
    parents_[row] = rows[row].parent;
    picture_of_[row] = former_pictures_[static_cast<size_t>(rows[row].parent)];
    same = same && parents_[row] == static_cast<int32_t>(row);
  }
  if (!same) of_sequences_.Select(parents_);
  if (!step_) PrepareStep();
  alive_["sequences"] = static_cast<int64_t>(count);
  step_->Run(alive_);
  return step_->Output("logits");
}

// What a step reads lies in vectors that were reserved for all sequences and never move.
void CachedDecoder::PrepareStep() {
  RunOptions run{.cancel = cancel_};
  run.runtime_extents = {{"sequences", static_cast<int64_t>(ids_.size())}};
  of_pictures_.AddTo(run.states);
  of_sequences_.AddTo(run.states);
  const auto count = static_cast<int64_t>(ids_.size());
  step_.emplace(step_context_, BindFor(*programs_.every_token, sizes_.sequences, 1),
                NamedViews{{"decoder_input_ids", {ids_.data(), DType::kI32, {count, 1}}},
                           {"picture_of_sequence", {picture_of_.data(), DType::kI32, {count}}}},
                std::move(run));
}

}  // namespace vernier
