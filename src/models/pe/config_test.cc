#include "models/pe/config.h"

#include <map>

#include "vernier/error.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using Shapes = std::map<std::string, Shape>;

PeConfig Timm(const std::string& args) {
  return ParseTimmPeConfig(Json::Parse(
      R"({"architecture": "vit_pe_lang_large_patch14_448", "model_args": )" + args + "}",
      "some/config.json"));
}

PeConfig Original(const std::string& text) {
  return ParseOriginalPeConfig(Json::Parse(text, "some/config.json"));
}

PeShapeOf Lookup(const Shapes& shapes) {
  return [shapes](const std::string& name) -> std::optional<Shape> {
    const auto found = shapes.find(name);
    return found == shapes.end() ? std::nullopt : std::optional(found->second);
  };
}

template <typename Action>
void ExpectRefused(Action action, const std::string& message) {
  SCOPED_TRACE(message);
  try {
    action();
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("some"));
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

// The tensors of a small PE-Lang checkpoint: width 128, patch 14, grid 4 x 4, 2 layers.
Shapes PeLangShapes() {
  Shapes shapes = {{"conv1.weight", {128, 3, 14, 14}},
                   {"class_embedding", {128}},
                   {"positional_embedding", {17, 128}},
                   {"transformer.resblocks.0.mlp.c_fc.weight", {512, 128}}};
  for (const char* layer : {"transformer.resblocks.0.", "transformer.resblocks.1."}) {
    shapes[std::string(layer) + "ln_1.weight"] = {128};
    shapes[std::string(layer) + "ls_1.gamma"] = {128};
  }
  return shapes;
}

TEST(PeConfig, OfTimmIsPeLangLargeByDefault) {
  const PeConfig pe = Timm("{}");
  EXPECT_EQ(pe.semantics, PeSemantics::kTimm);
  EXPECT_EQ(pe.width, 1024);
  EXPECT_EQ(pe.layers, 23);
  EXPECT_EQ(pe.head_dim(), 64);
  EXPECT_EQ(pe.mlp_width, 4096);
  EXPECT_EQ(pe.grid_rows(), 32);
  EXPECT_EQ(pe.reference_rows, 32);
  EXPECT_FALSE(pe.dynamic_image_size);
}

TEST(PeConfig, OfTheOriginalIsPeLangLargeByDefault) {
  const PeConfig pe = Original("{}");
  EXPECT_EQ(pe.semantics, PeSemantics::kOriginal);
  EXPECT_EQ(pe.width, 1024);
  EXPECT_EQ(pe.layers, 23);
  EXPECT_EQ(pe.mlp_width, 4096);
  EXPECT_EQ(pe.reference_rows, 0);
  EXPECT_TRUE(pe.dynamic_image_size);
}

TEST(PeConfig, IsReadFromTheTensorsWhereThereIsNoFile) {
  const PeConfig pe = InferPeConfig(Lookup(PeLangShapes()), "some.pt");
  EXPECT_EQ(pe.width, 128);
  EXPECT_EQ(pe.heads, 2);
  EXPECT_EQ(pe.layers, 2);
  EXPECT_EQ(pe.patch_size, 14);
  EXPECT_EQ(pe.image_height, 56);
  EXPECT_EQ(pe.mlp_width, 512);
}

TEST(PeConfig, NamesTheTensorThatInferenceLacks) {
  const auto infer_with = [](const std::string& name, std::optional<Shape> shape) {
    Shapes shapes = PeLangShapes();
    shapes.erase(name);
    if (shape) shapes[name] = *shape;
    return [shapes] { InferPeConfig(Lookup(shapes), "some.pt"); };
  };
  ExpectRefused(infer_with("conv1.weight", {}),
                "some.pt has no tensor conv1.weight of 4 dimensions");
  ExpectRefused(infer_with("conv1.weight", Shape{128, 14}),
                "some.pt has no tensor conv1.weight of 4 dimensions");
  ExpectRefused(infer_with("positional_embedding", Shape{16, 128}),
                "positional_embedding has 16 rows, expected 1 + a square");
  ExpectRefused(infer_with("positional_embedding", Shape{0, 128}),
                "positional_embedding has 0 rows, expected 1 + a square");
  ExpectRefused(infer_with("conv1.weight", Shape{100, 3, 14, 14}),
                "width 100 does not divide into heads of 64 channels");
  ExpectRefused(infer_with("conv1.weight", Shape{128, 3, 0, 0}), "some.pt");
  ExpectRefused(infer_with("transformer.resblocks.0.ln_1.weight", {}),
                "some.pt has no tensor transformer.resblocks.0.ln_1.weight");
}

TEST(PeConfig, RefusesNumbersOutOfBounds) {
  ExpectRefused([] { Timm(R"({"num_heads": 0})"); }, "num_heads is 0, expected 1 to 4096");
  ExpectRefused([] { Timm(R"({"depth": 2147483648})"); },
                "depth is 2147483648, expected 1 to 1024");
  ExpectRefused([] { Timm(R"({"embed_dim": -1})"); }, "embed_dim is -1, expected 1 to 65536");
  ExpectRefused([] { Timm(R"({"in_chans": 4})"); }, "in_chans is 4, expected 3 to 3");
  ExpectRefused([] { Timm(R"({"mlp_ratio": 0})"); }, "mlp_ratio must lie between 0 and 64");
  ExpectRefused([] { Timm(R"({"ref_feat_shape": [0, 32]})"); },
                "ref_feat_shape holds 0, expected 1 to 16384");
  ExpectRefused([] { Original(R"({"layers": 0})"); }, "layers is 0, expected 1 to 1024");
  ExpectRefused([] { Original(R"({"heads": -16})"); }, "heads is -16, expected 1 to 4096");
  ExpectRefused([] { Original(R"({"patch_size": 2000})"); },
                "patch_size is 2000, expected 1 to 1024");
}

TEST(PeConfig, RefusesSizesThatDoNotFitEachOther) {
  ExpectRefused([] { Original(R"({"heads": 15})"); }, "15 heads do not divide the width 1024");
  ExpectRefused([] { Original(R"({"width": 96, "heads": 16})"); },
                "heads of 6 channels: rotary positions need a multiple of 4 up to 256");
  ExpectRefused([] { Original(R"({"heads": 2})"); }, "heads of 512 channels");
  ExpectRefused([] { Original(R"({"image_size": 13})"); },
                "patch size 14 is larger than the image 13x13");
  ExpectRefused([] { Original(R"({"image_size": 16384, "patch_size": 2})"); }, "too many patches");
  ExpectRefused([] { Original(R"({"width": 65536, "heads": 1024, "mlp_ratio": 8})"); },
                "an MLP of 524288 channels");
}

TEST(PeConfig, RefusesOtherArchitecturesByName) {
  ExpectRefused(
      [] {
        ParseTimmPeConfig(Json::Parse(R"({"architecture": "vit_pe_core_large_patch14_336"})",
                                      "some/config.json"));
      },
      "architecture is vit_pe_core_large_patch14_336, which is not supported");
  ExpectRefused([] { Original(R"({"pool_type": "attn"})"); }, "pool_type is \"attn\"");
  ExpectRefused([] { Original(R"({"use_ln_post": true})"); }, "use_ln_post is true");
  ExpectRefused([] { Original(R"({"use_cls_token": false})"); }, "use_cls_token is false");
  ExpectRefused([] { Original(R"({"use_rope2d": false})"); }, "use_rope2d is false");
  ExpectRefused([] { Original(R"({"ls_init_value": null})"); }, "without layer scale");
}

TEST(PeCheckpoint, OfAnotherVariantIsRefusedByName) {
  const auto with = [](const std::string& name) {
    Shapes shapes = PeLangShapes();
    shapes[name] = {128};
    return [shapes] { RequirePeLang(Lookup(shapes), "some.pt"); };
  };
  const auto without = [](const std::string& name) {
    Shapes shapes = PeLangShapes();
    shapes.erase(name);
    return [shapes] { RequirePeLang(Lookup(shapes), "some.pt"); };
  };
  RequirePeLang(Lookup(PeLangShapes()), "some.pt");
  for (const char* name : {"ln_post.weight", "attn_pool.probe", "proj"}) {
    ExpectRefused(with(name),
                  "some.pt is not a PE-Lang encoder: it has a final norm, attention "
                  "pooling or a projection, as PE-Core has");
  }
  ExpectRefused(without("class_embedding"), "as the G models have none");
  ExpectRefused(without("transformer.resblocks.0.ls_1.gamma"), "as PE-Spatial has none");
  ExpectRefused(with("conv1.bias"), "its patch embedding has a bias");
}

}  // namespace
}  // namespace vernier
