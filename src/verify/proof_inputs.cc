#include "verify/proof_inputs.h"

#include "pipeline/model_run.h"
#include "pipeline/read_pictures.h"

namespace vernier {

NamedTensors ReadProofInputs(const CompiledModel& model, const std::vector<std::string>& images,
                             const PictureHeaders& headers, const NamedTensors& fed) {
  NamedTensors inputs;
  for (const auto& [name, tensor] : fed) inputs.emplace(name, Tensor::CopyOf(tensor.view()));
  if (images.empty()) return inputs;
  PictureHeaders read = headers;
  const ModelInfo& info = model.model().info;
  if (!info.reads_headers && !info.chats) read.questions.clear();
  inputs.merge(ReadPictures(model.model(), images, read).inputs);
  return inputs;
}

std::vector<std::string> AnswerPrompts(const CompiledModel& model, const PictureHeaders& headers) {
  if (model.model().info.reads_headers || model.model().info.chats) return {};
  return headers.questions;
}

void AddForcedIds(const CompiledModel& model, const ForcedIdsRequest& request,
                  NamedTensors& inputs) {
  const LoadedModel& loaded = model.model();
  if (inputs.contains(kForcedIds) || (!loaded.decoder && !loaded.causal)) return;
  // A page's answer may have thousands of tokens: it is written where somebody says how many.
  if (loaded.causal && request.max_new_tokens == 0 && !loaded.causal->generation.max_new_tokens) {
    return;
  }
  Tensor ids = GreedyIds(model, inputs, request).ids;
  if (ids.shape()[1] > 0) inputs.emplace(kForcedIds, std::move(ids));
}

}  // namespace vernier
