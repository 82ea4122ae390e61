#include "bench/workload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/sha256.h"

namespace vernier {
namespace {

// The checkpoint's own way of choosing tokens, but always as many of them.
GenerationRequest RequestOf(const GenerationOptions& published, int64_t new_tokens) {
  GenerationRequest request{.options = published, .ids_only = true};
  request.options.max_new_tokens = new_tokens;
  request.options.min_new_tokens = new_tokens;
  request.options.stop_strings.clear();
  request.options.forced_eos_token_id.clear();
  request.options.do_sample = false;
  return request;
}

}  // namespace

std::string HashOf(const NamedTensors& tensors) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    hash.Update(fmt::format("{} {} {}\n", name, Name(tensor.dtype()), tensor.shape().ToString()));
    hash.Update(std::span(static_cast<const std::byte*>(tensor.data()), tensor.bytes()));
  }
  return hash.Finish();
}

Workload::Workload(Session& session, const WorkloadOptions& options)
    : session_(&session),
      inputs_(session.NoiseInputs({.batch = options.batch, .patches = options.patches})) {
  const GenerationOptions* published = session.generation_options();
  if (published == nullptr || options.new_tokens == 0) return;
  new_tokens_ = options.new_tokens;
  request_ = RequestOf(*published, new_tokens_);
  for (const auto& [name, tensor] : inputs_) {
    first_step_.emplace(name, Tensor::CopyOf(tensor.view()));
  }
  Tensor start(DType::kI32, {options.batch, 1});
  std::ranges::fill(start.as<int32_t>(), published->decoder_start_token_id.value_or(0));
  first_step_.emplace("decoder_input_ids", std::move(start));
}

void Workload::Run() {
  if (!writes()) {
    outputs_ = session_->Run(inputs_);
    return;
  }
  GenerationOutput output = session_->Generate(inputs_, request_);
  answers_ = std::move(output.rows);
  seconds_.push_back(std::move(output.seconds));
}

std::string Workload::OutputsHash() const {
  if (!writes()) return HashOf(outputs_);
  Sha256 hash;
  for (const GeneratedText& answer : answers_) {
    hash.Update(fmt::format("{}\n", fmt::join(answer.token_ids, " ")));
  }
  return hash.Finish();
}

int64_t Workload::patches() const {
  if (const auto found = inputs_.find("flattened_patches"); found != inputs_.end()) {
    return found->second.shape()[1];
  }
  const auto grids = inputs_.find("image_grid_thw");
  if (grids == inputs_.end()) return 0;
  return inputs_.at("pixel_values").shape()[0] / grids->second.shape()[0];
}

}  // namespace vernier
