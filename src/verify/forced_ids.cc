#include "verify/forced_ids.h"

#include <algorithm>
#include <utility>

#include "generation/generate.h"
#include "pipeline/causal_generation.h"
#include "pipeline/causal_rows.h"
#include "pipeline/model_run.h"
#include "pipeline/text_generation.h"

namespace vernier {
namespace {

GenerationRequest RequestOf(const GenerationOptions& published, size_t rows,
                            const ForcedIdsRequest& wanted) {
  GenerationRequest request{.options = published, .ids_only = true, .cancel = wanted.cancel};
  request.options.num_beams = 1;
  request.options.do_sample = false;
  request.options.stop_strings.clear();
  if (wanted.max_new_tokens > 0) request.options.max_new_tokens = wanted.max_new_tokens;
  request.prompts = wanted.prompts;
  if (request.prompts.size() == 1) request.prompts.resize(rows, wanted.prompts[0]);
  return request;
}

// The answers' ids, filled up to the longest.
ForcedIds IdsOf(const GenerationOutput& answers, const GenerationOptions& options) {
  // Nothing is asked about what follows the last token.
  const auto length = [](const GeneratedText& row) { return row.token_ids.size() - 1; };
  const auto [shortest, longest] = std::ranges::minmax(answers.rows, {}, length);
  ForcedIds forced{.ids = Tensor(DType::kI32, {static_cast<int64_t>(answers.rows.size()),
                                               static_cast<int64_t>(length(longest))}),
                   .filled = length(shortest) < length(longest)};
  std::ranges::fill(forced.ids.as<int32_t>(), FillToken(options));
  auto to = forced.ids.as<int32_t>().begin();
  for (const GeneratedText& row : answers.rows) {
    std::copy_n(row.token_ids.begin(), length(row), to);
    to += static_cast<std::ptrdiff_t>(length(longest));
  }
  return forced;
}

// What follows the prompts, which the ids of an answer begin with.
ForcedIds ChatIds(const CompiledModel& model, const NamedTensors& inputs,
                  const ForcedIdsRequest& wanted) {
  const CausalModel& causal = *model.model().causal;
  const CausalRows rows = ReadCausalRows(inputs, causal.places);
  GenerationRequest request = RequestOf(causal.generation, rows.rows.size(), wanted);
  request.options = CheckedForContext(model, rows, std::move(request.options));
  NamedTensors encoded;
  if (inputs.contains(kPixelValues)) {
    const ModelRun run(model, model.programs(), inputs);
    const RunPart& pictures = run.First();
    encoded = Context().Run(*pictures.plan, pictures.inputs, {.cancel = wanted.cancel});
  }
  const auto features = encoded.find(model.model().features);
  GenerationOutput answers = GenerateAnswers(
      model, rows, features == encoded.end() ? TensorView{} : features->second.view(), request);
  for (size_t row = 0; row < answers.rows.size(); ++row) {
    std::vector<int32_t>& ids = answers.rows[row].token_ids;
    ids.erase(ids.begin(), ids.begin() + std::ssize(rows.rows[row].ids));
  }
  return IdsOf(answers, request.options);
}

}  // namespace

ForcedIds GreedyIds(const CompiledModel& model, const NamedTensors& inputs,
                    const NamedTensors& encoded, const ForcedIdsRequest& wanted) {
  const std::vector<int64_t> patches = PatchesOf(inputs.at(kPatchMask).view());
  const GenerationRequest request =
      RequestOf(model.model().decoder->generation, patches.size(), wanted);
  return IdsOf(GenerateText(model, {encoded.at(model.model().features).view(), patches}, request),
               request.options);
}

ForcedIds GreedyIds(const CompiledModel& model, const NamedTensors& inputs,
                    const ForcedIdsRequest& request) {
  if (model.model().causal) return ChatIds(model, inputs, request);
  const ModelRun run(model, model.programs(), inputs);
  const RunPart& encoder = run.First();
  return GreedyIds(model, inputs,
                   Context().Run(*encoder.plan, encoder.inputs, {.cancel = request.cancel}),
                   request);
}

}  // namespace vernier
