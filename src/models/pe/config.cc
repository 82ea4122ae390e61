#include "models/pe/config.h"

#include <fmt/format.h>

#include <cmath>

#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kSupported =
    "supported are PE-Lang-L14-448, its tiling variant, and encoders of the same structure";

int64_t MlpWidth(const Json& config, int64_t width) {
  const double ratio = config.GetNumber("mlp_ratio", 4.0);
  if (!(ratio > 0 && ratio <= 64)) ConfigError(config, "mlp_ratio", "must lie between 0 and 64");
  return static_cast<int64_t>(static_cast<double>(width) * ratio);
}

void RequireFlag(const Json& config, const char* key, bool wanted) {
  if (config.GetBool(key, wanted) == wanted) return;
  ConfigError(config, key, fmt::format("is {}, which is not supported", !wanted), kSupported);
}

std::string WhereOf(const Json& config) {
  const std::string place = config.Where("");
  return place.substr(0, place.find(':'));
}

}  // namespace

bool IsTimmPeConfig(const Json& config) { return config.Has("architecture"); }

PeConfig ParseTimmPeConfig(const Json& config) {
  const std::string architecture = config.GetString("architecture");
  if (architecture != "vit_pe_lang_large_patch14_448") {
    ConfigError(config, "architecture", fmt::format("is {}, which is not supported", architecture),
                "supported is vit_pe_lang_large_patch14_448");
  }
  const Json none = Json::Object();
  const Json& args = config.Has("model_args") ? config.GetObject("model_args") : none;
  PeConfig pe;
  pe.semantics = PeSemantics::kTimm;
  std::tie(pe.image_height, pe.image_width) = BoundedSize(args, "img_size", 448, kMaxImageSide);
  pe.patch_size = BoundedInt(args, "patch_size", 14, 1, 1024);
  pe.width = BoundedInt(args, "embed_dim", 1024, 1, kMaxWidth);
  pe.layers = BoundedInt(args, "depth", 23, 1, kMaxLayers);
  pe.heads = static_cast<int>(BoundedInt(args, "num_heads", 16, 1, 4096));
  pe.mlp_width = MlpWidth(args, pe.width);
  BoundedInt(args, "in_chans", 3, 3, 3);
  pe.dynamic_image_size = args.GetBool("dynamic_img_size", false);
  pe.reference_rows = pe.reference_columns = 32;
  if (args.Has("ref_feat_shape")) {
    std::tie(pe.reference_rows, pe.reference_columns) =
        BoundedSize(args, "ref_feat_shape", 32, kMaxImageSide);
  }
  CheckPeConfig(pe, WhereOf(config));
  return pe;
}

PeConfig ParseOriginalPeConfig(const Json& config) {
  PeConfig pe;
  std::tie(pe.image_height, pe.image_width) = BoundedSize(config, "image_size", 448, kMaxImageSide);
  pe.patch_size = BoundedInt(config, "patch_size", 14, 1, 1024);
  pe.width = BoundedInt(config, "width", 1024, 1, kMaxWidth);
  pe.layers = BoundedInt(config, "layers", 23, 1, kMaxLayers);
  pe.heads = static_cast<int>(BoundedInt(config, "heads", 16, 1, 4096));
  pe.mlp_width = MlpWidth(config, pe.width);
  RequireFlag(config, "use_cls_token", true);
  RequireFlag(config, "use_abs_posemb", true);
  RequireFlag(config, "use_rope2d", true);
  RequireFlag(config, "use_ln_pre", true);
  RequireFlag(config, "use_ln_post", false);
  if (const std::string pool = config.GetString("pool_type", "none"); pool != "none") {
    ConfigError(config, "pool_type", fmt::format("is \"{}\", which is not supported", pool),
                kSupported);
  }
  if (const Json* scale = config.Find("ls_init_value"); scale != nullptr && scale->is_null()) {
    ConfigError(config, "ls_init_value", "is null: an encoder without layer scale", kSupported);
  }
  CheckPeConfig(pe, WhereOf(config));
  return pe;
}

PeConfig InferPeConfig(const PeShapeOf& shape_of, const std::string& where) {
  const auto shape = [&](const std::string& name, int rank) {
    const std::optional<Shape> found = shape_of(name);
    if (!found || found->rank() != rank) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{} has no tensor {} of {} dimensions", where, name, rank),
                  "give the checkpoint a config.json");
    }
    return *found;
  };
  PeConfig pe;
  const Shape patch = shape("conv1.weight", 4);
  pe.width = patch[0];
  pe.patch_size = patch[2];
  const int64_t rows = shape("positional_embedding", 2)[0] - 1;
  const auto side = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(rows))));
  if (pe.width < 1 || pe.patch_size < 1 || rows < 1 || side * side != rows) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: positional_embedding has {} rows, expected 1 + a square", where,
                            rows + 1));
  }
  pe.image_height = pe.image_width = side * pe.patch_size;
  pe.mlp_width = shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0];
  constexpr int64_t kHeadDim = 64;  // of every published size
  if (pe.width % kHeadDim != 0) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: width {} does not divide into heads of 64 channels", where, pe.width),
        "give the checkpoint a config.json with \"heads\"");
  }
  pe.heads = static_cast<int>(pe.width / kHeadDim);
  pe.layers = 0;
  while (pe.layers < kMaxLayers &&
         shape_of(fmt::format("transformer.resblocks.{}.ln_1.weight", pe.layers))) {
    ++pe.layers;
  }
  if (pe.layers == 0) shape("transformer.resblocks.0.ln_1.weight", 1);
  CheckPeConfig(pe, where);
  return pe;
}

void RequirePeLang(const PeShapeOf& shape_of, const std::string& where) {
  const auto refuse = [&](const char* what) {
    throw Error(ErrorKind::kInput, fmt::format("{} is not a PE-Lang encoder: {}", where, what),
                kSupported);
  };
  if (shape_of("ln_post.weight") || shape_of("attn_pool.probe") || shape_of("proj")) {
    refuse("it has a final norm, attention pooling or a projection, as PE-Core has");
  }
  if (!shape_of("class_embedding")) {
    refuse("it has no class_embedding, as the G models have none");
  }
  if (!shape_of("transformer.resblocks.0.ls_1.gamma")) {
    refuse("it has no layer scale (ls_1.gamma), as PE-Spatial has none");
  }
  if (shape_of("conv1.bias")) refuse("its patch embedding has a bias");
}

void CheckPeConfig(const PeConfig& pe, const std::string& where) {
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {}", where, message));
  };
  if (pe.width % pe.heads != 0) {
    refuse(fmt::format("{} heads do not divide the width {}", pe.heads, pe.width));
  }
  if (pe.head_dim() % 4 != 0 || pe.head_dim() > 256) {
    refuse(fmt::format("heads of {} channels: rotary positions need a multiple of 4 up to 256",
                       pe.head_dim()));
  }
  if (pe.grid_rows() < 1 || pe.grid_columns() < 1) {
    refuse(fmt::format("patch size {} is larger than the image {}x{}", pe.patch_size,
                       pe.image_height, pe.image_width));
  }
  if (pe.grid_rows() * pe.grid_columns() > kMaxTokens) refuse("too many patches");
  if (pe.mlp_width < 1 || pe.mlp_width > kMaxWidth * 4) {
    refuse(fmt::format("an MLP of {} channels", pe.mlp_width));
  }
}

}  // namespace vernier
