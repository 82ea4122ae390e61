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
  if (!model.model().decoder || inputs.contains(kForcedIds)) return;
  inputs.emplace(kForcedIds, GreedyIds(model, inputs, request).ids);
}

}  // namespace vernier
