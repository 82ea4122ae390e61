// From a decoded picture to the numbers a vision encoder reads: colour, size, scale.
// Preprocessing is part of a model's accuracy, so each step is a field, read from the checkpoint's
// own configuration (pipeline/processor_config.h), and the choices travel with every result.
// Pure functions on plain data; callable from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/image.h"
#include "io/resize.h"
#include "vernier/tensor.h"

namespace vernier {

/// What happens to a picture that is not RGB.
enum class RgbRule : uint8_t {
  kRefuse,        // transformers' ViT processors convert nothing
  kBeforeResize,  // timm
  kAfterResize,   // Meta's Perception Encoder: the resize runs in the picture's own mode
};

/// How a picture of another aspect ratio becomes the wanted size.
enum class FitRule : uint8_t {
  kSquash,  // both sides at once
  kCrop,    // the shorter side to the wanted one, then the centre of the longer one
};

/// Rounding of 8-bit pixels to numbers; the formulas differ in the last bits.
enum class ScaleRule : uint8_t {
  kFused,    // (u8 - mean/f) / (std/f): transformers 5 on torchvision
  kRescale,  // (u8·f - mean) / std, the product rounded once from double: transformers 4, PIL
  kDivide,   // (u8 / 255 - mean) / std, each step rounded: torchvision's ToTensor and Normalize
};

struct ImageProcessor {
  std::string name = "vit";  // "vit", "meta-squash", "meta-crop", "timm", "plm"
  bool resize = true;
  int64_t height = 224;
  int64_t width = 224;
  FitRule fit = FitRule::kSquash;
  RgbRule rgb = RgbRule::kRefuse;
  bool apply_exif = false;
  ResizeFlavour flavour = ResizeFlavour::kTorch8;
  ResizeFilter filter = ResizeFilter::kBilinear;
  ScaleRule scale = ScaleRule::kFused;
  bool rescale = true;
  bool normalize = true;
  double rescale_factor = 1.0 / 255;
  std::vector<double> mean = {0.5, 0.5, 0.5};
  std::vector<double> std = {0.5, 0.5, 0.5};
  int threads = 1;

  /// "meta-squash: bilinear (pillow) to 448x448, RGB after resize": for results and manifests.
  std::string Describe() const;
};

/// The picture in RGB at the wanted size, still in 8 bits. Throws Error{kInput} naming `name` when
/// its mode is refused.
Image ResizedPixels(Image image, const ImageProcessor& processor, const std::string& name);

/// Writes `pixels` (RGB) as f32 [3, height, width] to `into`.
void ScalePixels(const Image& pixels, const ImageProcessor& processor, float* into);

/// Both steps: [3, height, width] of one picture.
Tensor PixelValues(Image image, const ImageProcessor& processor, const std::string& name);

}  // namespace vernier
