#include "models/paddleocr_vl/model.h"

#include <set>

#include "models/names.h"

namespace vernier {
namespace {

PaddleOcrVlConfig Small() {
  PaddleOcrVlConfig config;
  config.vision.layers = 2;
  config.text.layers = 2;
  return config;
}

Graph Decoder(const PaddleOcrVlConfig& config) {
  return PaddleOcrVlDecoderGraph(config, LogitsAt::kEveryToken, PaddleOcrVlPictures::kPlaced);
}

TEST(PaddleOcrVlNames, OfBothSpellingsAreOneTensor) {
  const std::pair<const char*, const char*> pairs[] = {
      {"visual.vision_model.post_layernorm.bias", "model.visual.vision_model.post_layernorm.bias"},
      {"mlp_AR.linear_1.weight", "model.projector.linear_1.weight"},
      {"model.layers.0.mlp.up_proj.weight", "model.language_model.layers.0.mlp.up_proj.weight"},
      {"model.norm.weight", "model.language_model.norm.weight"},
      {"lm_head.weight", "lm_head.weight"}};
  const Graph vision = PaddleOcrVlVisionGraph(Small()), text = Decoder(Small());
  for (const auto& [published, native] : pairs) {
    EXPECT_EQ(PublishedPaddleOcrVlName(native), published);
    EXPECT_EQ(PublishedPaddleOcrVlName(published), published);
    const Graph& graph = vision.Find(published) != kNoValue ? vision : text;
    EXPECT_NE(graph.Find(published), kNoValue) << published;
    EXPECT_EQ(graph.Find(native), graph.Find(published)) << native;
  }
}

TEST(PaddleOcrVlNames, OfAModuleAndItsLastChildAreOneTensor) {
  const Graph vision = PaddleOcrVlVisionGraph(Small()), text = Decoder(Small());
  const std::pair<const char*, const char*> of_vision[] = {
      {"visual", "visual.vision_model.post_layernorm"},
      {"model.visual.vision_model", "vision/post_layernorm"},
      {"visual.vision_model.encoder", "vision/layer.1"},
      {"visual.vision_model.encoder.layers.0.self_attn", "vision/layer.0.self_attn.out_proj"},
      {"vision/layer.0.mlp", "visual.vision_model.encoder.layers.0.mlp.fc2"},
      {"mlp_AR", "projector/out"},
      {"model.projector", "picture_features"}};
  for (const auto& [module, tensor] : of_vision) {
    EXPECT_NE(vision.Find(module), kNoValue) << module;
    EXPECT_EQ(vision.Find(module), vision.Find(tensor)) << module;
  }
  const std::pair<const char*, const char*> of_text[] = {
      {"model", "text/norm"},
      {"model.language_model", "model.norm"},
      {"model.layers.1.self_attn", "text/layer.1.self_attn.o_proj"},
      {"model.layers.1.mlp", "text/layer.1.mlp.down_proj"},
      {"lm_head", "logits"}};
  for (const auto& [module, tensor] : of_text) {
    EXPECT_NE(text.Find(module), kNoValue) << module;
    EXPECT_EQ(text.Find(module), text.Find(tensor)) << module;
  }
}

TEST(PaddleOcrVlNames, AreEachTakenByOneTensor) {
  for (const Graph& graph : {PaddleOcrVlVisionGraph(Small()), Decoder(Small())}) {
    for (size_t id = 0; id < graph.values().size(); ++id) {
      for (const std::string& alias : graph.values()[id].aliases) {
        EXPECT_EQ(graph.Find(alias), static_cast<int>(id)) << alias;
      }
    }
  }
}

TEST(PaddleOcrVlDecoder, ReadsTheEmbeddingAsItsHeadWhereThatIsTied) {
  PaddleOcrVlConfig config = Small();
  config.tied_embeddings = true;
  EXPECT_EQ(Decoder(config).Find("lm_head.weight"), kNoValue);
  config.tied_embeddings = false;
  EXPECT_NE(Decoder(config).Find("lm_head.weight"), kNoValue);
}

TEST(PaddleOcrVlDecoder, HasNoPlaceForPicturesInSteps) {
  const Graph step =
      PaddleOcrVlDecoderGraph(Small(), LogitsAt::kEveryToken, PaddleOcrVlPictures::kNone);
  EXPECT_EQ(step.Find("picture_features"), kNoValue);
  EXPECT_NE(Decoder(Small()).Find("picture_features"), kNoValue);
}

TEST(PaddleOcrVlParameters, AreThePublishedCount) {
  std::set<std::string> counted;
  int64_t parameters = 0;
  const PaddleOcrVlConfig config;
  for (const Graph& graph : {PaddleOcrVlVisionGraph(config), Decoder(config)}) {
    for (int id : graph.weights()) {
      const ValueInfo& weight = graph.value(id);
      if (counted.insert(weight.name).second) parameters += weight.stored_shape.elements();
    }
  }
  EXPECT_EQ(counted.size(), 608u);
  EXPECT_EQ(parameters, 905'601'648);
}

// Section "cost" of the specification: a picture of 392 x 392 and a decoded token.
TEST(PaddleOcrVlFlops, AreThoseOfThePublishedSizes) {
  const PaddleOcrVlConfig config;
  const int64_t vision =
      PaddleOcrVlVisionGraph(config).Flops().Evaluate({{"patches", 784}, {"pictures", 1}});
  const int64_t projector = int64_t{2} * 196 * (4608 * 4608 + 4608 * 1024);
  EXPECT_NEAR(static_cast<double>(projector), 10.2e9, 0.05e9);
  EXPECT_NEAR(static_cast<double>(vision - projector), 722.1e9, 0.05e9);
  const int64_t token =
      PaddleOcrVlDecoderGraph(config, LogitsAt::kEveryToken, PaddleOcrVlPictures::kNone)
          .Flops()
          .Evaluate({{"sequences", 1}, {"new_tokens", 1}, {"cache_capacity", 212}});
  EXPECT_NEAR(static_cast<double>(token), 0.753e9, 0.0005e9);
}

}  // namespace
}  // namespace vernier
