#include "io/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "io/resize_points.h"
#include "io/resize_taps.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr const char* kFlavourNames[] = {"torch8", "pillow", "pillow12"};
constexpr const char* kFilterNames[] = {"nearest", "box",     "bilinear",
                                        "hamming", "bicubic", "lanczos"};

constexpr int64_t kRowsPerPiece = 8;
// Samples summed at a time in the vertical pass: the sums stay in the first-level cache.
constexpr int64_t kColumnBlock = 1024;

bool IsWide(ImageMode mode) {
  return mode == ImageMode::kI16 || mode == ImageMode::kI || mode == ImageMode::kF;
}

uint8_t Round8(int32_t sum, int bits) {
  return static_cast<uint8_t>(std::clamp(sum >> bits, 0, 255));
}

template <int kChannels>
void SqueezeRow(const uint8_t* in, const FixedTaps& taps, int64_t width, uint8_t* out) {
  for (int64_t x = 0; x < width; ++x, out += kChannels) {
    const auto weights = taps.table.taps(x);
    const uint8_t* pixel = in + taps.table.first[static_cast<size_t>(x)] * kChannels;
    std::array<int32_t, kChannels> sum;
    sum.fill(1 << (taps.bits - 1));
    for (const int32_t weight : weights) {
      for (int c = 0; c < kChannels; ++c) sum[c] += weight * pixel[c];
      pixel += kChannels;
    }
    for (int c = 0; c < kChannels; ++c) out[c] = Round8(sum[c], taps.bits);
  }
}

// Sums whole rows; `row_of(j)` is the row that the j-th weight belongs to.
template <typename RowOf>
void SumRows(const RowOf& row_of, std::span<const int32_t> weights, int bits, int64_t samples,
             uint8_t* out) {
  std::array<int32_t, kColumnBlock> sums;
  for (int64_t at = 0; at < samples; at += kColumnBlock) {
    const int64_t count = std::min(kColumnBlock, samples - at);
    std::fill_n(sums.begin(), count, 1 << (bits - 1));
    for (size_t j = 0; j < weights.size(); ++j) {
      const uint8_t* in = row_of(static_cast<int64_t>(j)) + at;
      const int32_t weight = weights[j];
      for (int64_t i = 0; i < count; ++i) sums[static_cast<size_t>(i)] += weight * in[i];
    }
    for (int64_t i = 0; i < count; ++i) out[at + i] = Round8(sums[static_cast<size_t>(i)], bits);
  }
}

using RowSink = std::function<void(int64_t y, const uint8_t* row)>;

// Both passes over an 8-bit picture, one output row after the other; what lies between the passes
// is a few rows that stay in the cache. An axis that keeps its size is not touched.
class RowResizer {
 public:
  RowResizer(const Image& image, int64_t height, int64_t width, const ResizeOptions& options)
      : image_(image),
        height_(height),
        width_(width),
        channels_(Channels(image.mode)),
        height_first_(HeightFirst(options.flavour, image.height, image.width, height, width) &&
                      image.width != width),
        threads_(options.threads) {
    if (image.width != width) columns_ = FixedFilterTaps(options, image.width, width);
    if (image.height != height) rows_ = FixedFilterTaps(options, image.height, height);
    static constexpr decltype(&SqueezeRow<1>) kRows[] = {SqueezeRow<1>, SqueezeRow<2>,
                                                         SqueezeRow<3>, SqueezeRow<4>};
    squeeze_ = kRows[channels_ - 1];
  }

  void Run(const RowSink& take) const {
    ParallelFor(threads_, height_, kRowsPerPiece, [&](int64_t begin, int64_t end) {
      if (!rows_) {
        OneAxis(begin, end, take);
      } else if (!columns_ || height_first_) {
        HeightThenWidth(begin, end, take);
      } else {
        WidthThenHeight(begin, end, take);
      }
    });
  }

 private:
  void OneAxis(int64_t begin, int64_t end, const RowSink& take) const {
    std::vector<uint8_t> out(static_cast<size_t>(width_ * channels_));
    for (int64_t y = begin; y < end; ++y) {
      if (columns_) squeeze_(image_.row(y), *columns_, width_, out.data());
      take(y, columns_ ? out.data() : image_.row(y));
    }
  }

  void HeightThenWidth(int64_t begin, int64_t end, const RowSink& take) const {
    const int64_t samples = image_.width * channels_;
    std::vector<uint8_t> summed(static_cast<size_t>(samples));
    std::vector<uint8_t> out(static_cast<size_t>(width_ * channels_));
    for (int64_t y = begin; y < end; ++y) {
      const int64_t first = rows_->table.first[static_cast<size_t>(y)];
      SumRows([&](int64_t j) { return image_.row(first + j); }, rows_->table.taps(y), rows_->bits,
              samples, summed.data());
      if (columns_) squeeze_(summed.data(), *columns_, width_, out.data());
      take(y, columns_ ? out.data() : summed.data());
    }
  }

  // Source rows that the taps of the next output rows share wait, squeezed, in a ring.
  void WidthThenHeight(int64_t begin, int64_t end, const RowSink& take) const {
    const int64_t samples = width_ * channels_;
    int64_t slots = 1;
    for (int64_t y = begin; y < end; ++y) slots = std::max(slots, std::ssize(rows_->table.taps(y)));
    std::vector<uint8_t> ring(static_cast<size_t>(slots * samples));
    std::vector<uint8_t> out(static_cast<size_t>(samples));
    const auto slot = [&](int64_t row) { return ring.data() + row % slots * samples; };
    int64_t ready = 0;  // source rows before it need no squeezing any more
    for (int64_t y = begin; y < end; ++y) {
      const auto weights = rows_->table.taps(y);
      const int64_t first = rows_->table.first[static_cast<size_t>(y)];
      const int64_t last = first + std::ssize(weights);
      for (ready = std::max(ready, first); ready < last; ++ready) {
        squeeze_(image_.row(ready), *columns_, width_, slot(ready));
      }
      SumRows([&](int64_t j) { return slot(first + j); }, weights, rows_->bits, samples,
              out.data());
      take(y, out.data());
    }
  }

  const Image& image_;
  int64_t height_;
  int64_t width_;
  int channels_;
  bool height_first_;
  int threads_;
  std::optional<FixedTaps> columns_;
  std::optional<FixedTaps> rows_;
  decltype(&SqueezeRow<1>) squeeze_;
};

Image Resize8(const Image& source, int64_t height, int64_t width, const ResizeOptions& options) {
  Image out = NewImageLike(source, source.mode, width, height);
  const auto bytes = static_cast<size_t>(width * Channels(source.mode));
  RowResizer(source, height, width, options).Run([&](int64_t y, const uint8_t* row) {
    std::memcpy(out.row(y), row, bytes);
  });
  return out;
}

// Modes of more than 8 bits are summed in double precision, tap by tap.
template <typename Sample>
Sample RoundWide(double sum) {
  if constexpr (std::is_floating_point_v<Sample>) {
    return static_cast<Sample>(sum);
  } else {
    const double rounded = sum >= 0.0 ? std::floor(sum + 0.5) : -std::floor(std::abs(sum) + 0.5);
    return static_cast<Sample>(
        std::clamp(rounded, static_cast<double>(std::numeric_limits<Sample>::lowest()),
                   static_cast<double>(std::numeric_limits<Sample>::max())));
  }
}

// Sample strides: along the axis that is summed, and across it.
template <typename Sample>
void SumLineWide(const uint8_t* in, int64_t in_stride, const TapTable<double>& taps, int64_t size,
                 uint8_t* out, int64_t out_stride) {
  for (int64_t i = 0; i < size; ++i) {
    const auto weights = taps.taps(i);
    double sum = 0.0;
    for (size_t j = 0; j < weights.size(); ++j) {
      Sample sample;
      const int64_t at = taps.first[static_cast<size_t>(i)] + static_cast<int64_t>(j);
      std::memcpy(&sample, in + at * in_stride, sizeof sample);
      sum += static_cast<double>(sample) * weights[j];
    }
    const Sample rounded = RoundWide<Sample>(sum);
    std::memcpy(out + i * out_stride, &rounded, sizeof rounded);
  }
}

using WideLine = decltype(&SumLineWide<float>);

WideLine WideLineOf(ImageMode mode) {
  if (mode == ImageMode::kI16) return SumLineWide<uint16_t>;
  if (mode == ImageMode::kI) return SumLineWide<int32_t>;
  return SumLineWide<float>;
}

Image SqueezeWidthWide(const Image& source, int64_t width, const ResizeOptions& options) {
  const auto taps = FilterTaps(options.filter, source.width, width);
  const int sample_bytes = BytesPerPixel(source.mode);
  Image out = NewImageLike(source, source.mode, width, source.height);
  const WideLine line = WideLineOf(source.mode);
  for (int64_t y = 0; y < source.height; ++y)
    line(source.row(y), sample_bytes, taps, width, out.row(y), sample_bytes);
  return out;
}

Image SqueezeHeightWide(const Image& source, int64_t height, const ResizeOptions& options) {
  const auto taps = FilterTaps(options.filter, source.height, height);
  const int sample_bytes = BytesPerPixel(source.mode);
  const int64_t row_bytes = source.width * sample_bytes;
  Image out = NewImageLike(source, source.mode, source.width, height);
  const WideLine line = WideLineOf(source.mode);
  for (int64_t x = 0; x < source.width; ++x)
    line(source.row(0) + x * sample_bytes, row_bytes, taps, height, out.row(0) + x * sample_bytes,
         row_bytes);
  return out;
}

Image ResizeNearest(const Image& source, int64_t height, int64_t width, ResizeFlavour flavour) {
  const auto columns = NearestIndices(flavour, source.mode, source.width, width);
  const auto rows = NearestIndices(flavour, source.mode, source.height, height);
  Image out = NewImageLike(source, source.mode, width, height);
  const auto bytes = static_cast<size_t>(BytesPerPixel(source.mode));
  uint8_t* to = out.pixels.data();
  for (const int64_t y : rows)
    for (const int64_t x : columns) {
      std::memcpy(to, source.row(y) + static_cast<size_t>(x) * bytes, bytes);
      to += bytes;
    }
  return out;
}

// Rewrites the colours (all channels but the last) of each pixel as change(colour, alpha).
template <typename Change>
void ChangeColours(Image& image, const Change& change) {
  const int channels = Channels(image.mode);
  uint8_t* pixel = image.pixels.data();
  for (int64_t i = 0; i < image.width * image.height; ++i, pixel += channels)
    for (int c = 0; c < channels - 1; ++c)
      pixel[c] = static_cast<uint8_t>(change(pixel[c], pixel[channels - 1]));
}

void Premultiply(Image& image) {
  ChangeColours(image, [](int colour, int alpha) {
    const int product = colour * alpha + 128;
    return ((product >> 8) + product) >> 8;
  });
}

void Unpremultiply(Image& image) {
  ChangeColours(image, [](int colour, int alpha) {
    return alpha == 0 || alpha == 255 ? colour : std::min(255, 255 * colour / alpha);
  });
}

void CheckFormWithoutAntialias(const Image& image, const ResizeOptions& options) {
  if (options.filter != ResizeFilter::kBilinear && options.filter != ResizeFilter::kBicubic)
    throw Error(ErrorKind::kInput,
                fmt::format("the {} filter of {} has no form without antialias",
                            Name(options.filter), Name(options.flavour)),
                "use nearest, bilinear or bicubic, or leave antialias on");
  if (IsWide(image.mode))
    throw Error(ErrorKind::kInput,
                fmt::format("resizing without antialias takes 8-bit channels, and the picture's "
                            "mode is {}",
                            Name(image.mode)),
                "convert the picture first, or leave antialias on");
}

}  // namespace

const char* Name(ResizeFlavour flavour) { return kFlavourNames[static_cast<size_t>(flavour)]; }
const char* Name(ResizeFilter filter) { return kFilterNames[static_cast<size_t>(filter)]; }

ResizeFlavour ResizeFlavourNamed(std::string_view name) {
  for (size_t i = 0; i < std::size(kFlavourNames); ++i)
    if (name == kFlavourNames[i]) return static_cast<ResizeFlavour>(i);
  throw Error(ErrorKind::kUsage, fmt::format("unknown resize flavour '{}'", name),
              fmt::format("known are {}", fmt::join(kFlavourNames, ", ")));
}

ResizeFilter ResizeFilterNamed(std::string_view name) {
  for (size_t i = 0; i < std::size(kFilterNames); ++i)
    if (name == kFilterNames[i]) return static_cast<ResizeFilter>(i);
  throw Error(ErrorKind::kInput, fmt::format("unknown resize filter '{}'", name),
              fmt::format("known are {}", fmt::join(kFilterNames, ", ")));
}

ResizeFilter ResizeFilterNumbered(int64_t number) {
  switch (number) {
    case 0:
      return ResizeFilter::kNearest;
    case 1:
      return ResizeFilter::kLanczos;
    case 2:
      return ResizeFilter::kBilinear;
    case 3:
      return ResizeFilter::kBicubic;
    case 4:
      return ResizeFilter::kBox;
    case 5:
      return ResizeFilter::kHamming;
  }
  throw Error(ErrorKind::kInput, fmt::format("unknown resample number {}", number),
              "Pillow counts 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming");
}

bool HeightFirst(ResizeFlavour flavour, int64_t from_height, int64_t from_width, int64_t height,
                 int64_t width) {
  return flavour == ResizeFlavour::kPillow && from_height > height &&
         from_height - height > 2 * (from_width - width);
}

Image ResizeChannels(const Image& image, int64_t height, int64_t width,
                     const ResizeOptions& options) {
  VN_CHECK(height > 0 && width > 0);
  if (image.height == height && image.width == width) return CopyOf(image);
  if (options.filter == ResizeFilter::kNearest)
    return ResizeNearest(image, height, width, options.flavour);
  if (!options.antialias) {
    CheckFormWithoutAntialias(image, options);
    if (options.flavour != ResizeFlavour::kTorch8)
      return InterpolateAtPoints(image, height, width, options);
  }
  if (!IsWide(image.mode)) return Resize8(image, height, width, options);
  if (image.height == height) return SqueezeWidthWide(image, width, options);
  if (image.width == width) return SqueezeHeightWide(image, height, options);
  if (HeightFirst(options.flavour, image.height, image.width, height, width))
    return SqueezeWidthWide(SqueezeHeightWide(image, height, options), width, options);
  return SqueezeHeightWide(SqueezeWidthWide(image, width, options), height, options);
}

void ResizeRows(const Image& image, int64_t height, int64_t width, const ResizeOptions& options,
                const std::function<void(int64_t y, const uint8_t* row)>& take) {
  VN_CHECK(height > 0 && width > 0 && !IsWide(image.mode));
  VN_CHECK(options.filter != ResizeFilter::kNearest && options.antialias);
  RowResizer(image, height, width, options).Run(take);
}

Image ResizeInMode(const Image& image, int64_t height, int64_t width,
                   const ResizeOptions& options) {
  if (image.height == height && image.width == width) return CopyOf(image);
  if (image.mode == ImageMode::kP || image.mode == ImageMode::k1)
    return ResizeNearest(image, height, width, options.flavour);
  const bool has_alpha = image.mode == ImageMode::kLA || image.mode == ImageMode::kRGBA;
  if (!has_alpha || options.filter == ResizeFilter::kNearest)
    return ResizeChannels(image, height, width, options);
  Image weighted = CopyOf(image);
  Premultiply(weighted);
  weighted = ResizeChannels(weighted, height, width, options);
  Unpremultiply(weighted);
  return weighted;
}

}  // namespace vernier
