#include "pipeline/causal_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kLogits = "logits";

void CheckPixels(const Tensor& pixels, const Program& program) {
  for (int id : program.original().inputs()) {
    const ValueInfo& info = program.original().value(id);
    if (info.name != kPixelValues) continue;
    bool fits = pixels.dtype() == info.type.dtype && pixels.shape().rank() == info.type.rank();
    for (int axis = 1; fits && axis < info.type.rank(); ++axis) {
      fits = info.type.dim(axis).constant() == pixels.shape()[axis];
    }
    if (fits) return;
    throw Error(
        ErrorKind::kInput,
        fmt::format("input {}: expected {} {}, found {} {}", kPixelValues, Name(info.type.dtype),
                    ToString(info.type.shape), Name(pixels.dtype()), pixels.shape().ToString()));
  }
}

}  // namespace

CausalRun::CausalRun(const CompiledModel& model, const ModelPrograms& programs,
                     const NamedTensors& inputs)
    : model_(model),
      programs_(programs),
      inputs_(inputs),
      rows_(ReadCausalRows(inputs, model.model().causal->places)),
      has_pictures_(inputs.contains(kPixelValues) || inputs.contains(kImageGrids)) {
  if (!has_pictures_) return;
  grids_ = CheckedGrids(inputs, model.model().causal->places);
  CheckPixels(inputs.at(kPixelValues), *programs.encoder);
}

RunPart CausalRun::PicturesPart() const {
  const Tensor& pixels = inputs_.at(kPixelValues);
  return {.name = "encoder",
          .plan = programs_.encoder->Bind(
              {{"patches", pixels.shape()[0]}, {"pictures", grids_.shape()[0]}}),
          .inputs = {{kPixelValues, pixels.view()}, {kImageGrids, grids_.view()}}};
}

RunPart CausalRun::RowsPart() {
  if (!decoder_) {
    const TensorView features =
        has_pictures_ ? outputs_.at(model_.model().features).view() : TensorView{};
    decoder_.emplace(*programs_.causal, rows_, features,
                     CausalSizes{.sequences = std::ssize(rows_.rows), .tokens = rows_.tokens},
                     nullptr);
  }
  cover_ = rows_.together() ? std::ssize(rows_.rows) : 1;
  return decoder_->ForcedPart(next_row_, cover_);
}

RunPart CausalRun::First() { return has_pictures_ ? PicturesPart() : RowsPart(); }

std::optional<RunPart> CausalRun::Next(NamedTensors outputs) {
  if (cover_ == 0) {
    outputs_ = std::move(outputs);
    return RowsPart();
  }
  Keep(std::move(outputs.at(kLogits)));
  next_row_ += cover_;
  if (next_row_ == std::ssize(rows_.rows)) return std::nullopt;
  return RowsPart();
}

// Behind the padding of its rows.
void CausalRun::Keep(Tensor logits) {
  if (rows_.together()) {
    outputs_.insert_or_assign(kLogits, std::move(logits));
    return;
  }
  const int64_t vocab = logits.shape()[2];
  const auto count = std::ssize(rows_.rows);
  Tensor& all =
      outputs_.try_emplace(kLogits, DType::kF32, Shape{count, rows_.tokens, vocab}).first->second;
  if (next_row_ == 0) std::ranges::fill(all.as<float>(), 0.0f);
  const int64_t end = (next_row_ + 1) * rows_.tokens * vocab;
  std::ranges::copy(std::as_const(logits).as<float>(),
                    all.as<float>().begin() + (end - logits.shape().elements()));
}

}  // namespace vernier
