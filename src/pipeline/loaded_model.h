// A checkpoint folder understood: its family, graph, names, labels and picture processor.
// One function per family fills it; nothing below this folder knows families.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "io/checkpoint.h"
#include "io/json.h"
#include "models/blendmask/config.h"
#include "pipeline/causal_rows.h"
#include "pipeline/chat_reader.h"
#include "pipeline/picture_reader.h"
#include "pipeline/tensor_match.h"
#include "tokenizers/tokenizer.h"
#include "vernier/generation.h"
#include "vernier/session.h"

namespace vernier {

/// The half of an encoder-decoder model that writes, over the same weights (cached_decoder.h says
/// what its graphs are).
struct DecoderModel {
  Graph memory{"empty"};
  Graph every_token{"empty"};
  Graph last_token{"empty"};
  GenerationOptions generation;                // generation_config.json
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the folder has none
};

/// A language model that reads the graph's output among its tokens, over the same weights. Inputs
/// and states are those of models/paddleocr_vl/model.h.
struct CausalModel {
  Graph every_token{"empty"};                  // a prompt: logits behind every token
  Graph last_token{"empty"};                   // a prompt: logits behind its last token
  Graph step{"empty"};                         // tokens without pictures, logits behind each
  GenerationOptions generation;                // generation_config.json
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the folder has none
  PicturePlaces places;
};

/// What finds objects in the dense maps that a detector's graph gives, over the same weights.
struct DetectorModel {
  BlendMaskConfig config;
  Graph top{"empty"};  // attention at chosen locations: input windows, output top_feat
};

struct LoadedModel {
  ModelInfo info;
  Graph graph{"empty"};
  CanonicalTensors tensors;  // borrowed from the checkpoint
  MatchReport match;
  std::string features;               // the output that holds [batch, tokens, width]
  std::vector<std::string> keep_f32;  // names that a bf16 preset leaves alone
  std::vector<std::string> made_up;   // weights to be drawn at random: a head that is missing
  std::string size_hint;              // what to do about pictures of another size
  std::vector<std::string> f32_activations;  // … whose weights alone it stores as bf16
  PictureReader pictures;
  std::optional<DecoderModel> decoder;
  std::optional<CausalModel> causal;
  std::optional<DetectorModel> detector;
  std::optional<ChatReader> chats;  // of a model that reads pictures among text
};

/// The graphs of a model that together have all of its weights and names, in the order of a run.
std::vector<const Graph*> GraphsOf(const LoadedModel& model);

/// What a folder holds before anybody looks into it.
struct ModelFolder {
  std::string path;
  Json config;  // null without config.json or yaml
  Checkpoint checkpoint;
};

/// Throws Error{kInput} for a folder that is missing, holds no weights, or is no folder. `config`
/// is a file to read instead of the folder's own; empty: none.
ModelFolder OpenModelFolder(const std::string& path, const std::string& config = {});

enum class Family { kVit, kPe, kPix2Struct, kPaddleOcrVl, kBlendMask };
const char* Name(Family family);

/// By the configuration alone.
Family FamilyOfConfig(const Json& config, const std::string& where);

/// By config.json, or by the tensors' names where there is none. Throws Error{kInput} that names
/// what was found and lists the families.
Family RecogniseFamily(const Json& config, const Checkpoint& checkpoint, const std::string& where);

LoadedModel LoadVit(const ModelFolder& folder, const SessionOptions& options);
LoadedModel LoadPe(const ModelFolder& folder, const SessionOptions& options);
LoadedModel LoadPix2Struct(const ModelFolder& folder, const SessionOptions& options);
LoadedModel LoadPaddleOcrVl(const ModelFolder& folder, const SessionOptions& options);
LoadedModel LoadBlendMask(const ModelFolder& folder, const SessionOptions& options);
LoadedModel LoadModel(const ModelFolder& folder, const SessionOptions& options);

/// The overrides of a session's options as processors take them.
ProcessorOverrides OverridesOf(const SessionOptions& options);

}  // namespace vernier
