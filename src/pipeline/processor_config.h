// Image processors from what a checkpoint folder says about its preprocessing, and from what a
// caller chooses instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "pipeline/image_processor.h"

namespace vernier {

/// Choices of a caller; what is not set is the checkpoint's.
struct ProcessorChoices {
  std::optional<ResizeFlavour> flavour = {};
  std::string pipeline = {};  // a Perception Encoder pipeline by name; empty for the checkpoint's
  bool convert_rgb = false;
  bool apply_exif = false;
  std::optional<int64_t> height = {};
  std::optional<int64_t> width = {};
};

/// Names that ProcessorChoices::pipeline may have.
const std::vector<std::string>& PipelineNames();

/// transformers' ViTImageProcessor: preprocessor_config.json with its defaults. A null `config`
/// stands for a folder without the file; then `height` and `width` (the model's) are the size.
ImageProcessor VitProcessor(const Json& config, int64_t height, int64_t width);

/// A Perception Encoder pipeline of Meta's ("meta-squash", "meta-crop", "plm") or timm's default,
/// by name. Throws Error{kUsage} that lists the names.
ImageProcessor EncoderProcessor(const std::string& pipeline, int64_t height, int64_t width);

/// timm's evaluation transform from the `pretrained_cfg` of its config.json.
ImageProcessor TimmProcessor(const Json& pretrained_cfg, int64_t height, int64_t width);

/// `processor` with the caller's choices. Throws Error{kUsage} for a flavour that the pipeline
/// cannot have.
ImageProcessor WithChoices(ImageProcessor processor, const ProcessorChoices& choices);

}  // namespace vernier
