// Resizing as three published implementations do it, to the last bit. The same name ("bilinear")
// means different arithmetic in each, so the flavour is always stated:
//   torch8    torchvision on 8-bit tensors: taps of 16 bits or fewer, width before height.
//   pillow    Pillow 13: taps of 22 bits; height first where rows shrink by more than twice as
//             much as columns.
//   pillow12  Pillow up to 12: the same taps, always width first.
// Pure functions; `threads` splits rows and never changes a result.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "io/image.h"

namespace vernier {

enum class ResizeFlavour : uint8_t { kTorch8, kPillow, kPillow12 };
enum class ResizeFilter : uint8_t { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

const char* Name(ResizeFlavour flavour);
const char* Name(ResizeFilter filter);

/// By name, as given on the command line; Error{kUsage} lists the choices.
ResizeFlavour ResizeFlavourNamed(std::string_view name);

/// By name, as a configuration gives it; Error{kInput} lists the choices.
ResizeFilter ResizeFilterNamed(std::string_view name);

/// By Pillow's number, as preprocessor_config.json gives it in `resample`; Error{kInput} otherwise.
ResizeFilter ResizeFilterNumbered(int64_t number);

struct ResizeOptions {
  ResizeFlavour flavour = ResizeFlavour::kTorch8;
  ResizeFilter filter = ResizeFilter::kBilinear;
  int threads = 1;
  // Whether the filter widens where the picture shrinks. Without it there are only nearest (never
  // antialiased anyway), bilinear and bicubic, on 8-bit channels: torchvision's antialias=False for
  // torch8, Image.transform's interpolation for Pillow (resize_points.h).
  bool antialias = true;
};

/// Whether the vertical pass comes before the horizontal one.
bool HeightFirst(ResizeFlavour flavour, int64_t from_height, int64_t from_width, int64_t height,
                 int64_t width);

/// Resizes every channel by itself, whatever it means; mode and palette stay. Same size: a copy.
/// Error{kInput} where options.antialias is off and the filter or the mode has no such form.
Image ResizeChannels(const Image& image, int64_t height, int64_t width,
                     const ResizeOptions& options);

/// As ResizeChannels on 8-bit channels with an antialiased filter, row by row: every row is handed
/// to `take` as soon as it is there, from several threads at once, so that what follows finds it in
/// the cache and no second picture is made. The bytes are valid in the call.
void ResizeRows(const Image& image, int64_t height, int64_t width, const ResizeOptions& options,
                const std::function<void(int64_t y, const uint8_t* row)>& take);

/// Resizes as Pillow's Image.resize does: nearest neighbour for modes P and 1, colours weighted by
/// alpha for LA and RGBA.
Image ResizeInMode(const Image& image, int64_t height, int64_t width, const ResizeOptions& options);

}  // namespace vernier
