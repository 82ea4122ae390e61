// WebP through libwebp. An animation gives its first frame, drawn on its canvas as Pillow does.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "io/image_codecs.h"

namespace vernier {
namespace {

constexpr ImageFormat kFormat = ImageFormat::kWebP;

using Demuxer = std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)>;
using Animation = std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)>;

[[noreturn]] void RefuseDamaged(const EncodedImage& file) {
  RefuseImage(file, kFormat,
              fmt::format("truncated or damaged within its {} bytes", file.bytes.size()),
              "the download or copy was probably cut short; get the file again");
}

WebPBitstreamFeatures ProbeHeader(const EncodedImage& file) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(file.bytes.data(), file.bytes.size(), &features) != VP8_STATUS_OK)
    RefuseDamaged(file);
  CheckDimensions(file, kFormat, features.width, features.height);
  return features;
}

std::span<const uint8_t> FirstChunk(const WebPDemuxer* demuxer, const char* name) {
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, name, 1, &chunk) == 0) return {};
  const std::span<const uint8_t> bytes(chunk.chunk.bytes, chunk.chunk.size);  // of the file itself
  WebPDemuxReleaseChunkIterator(&chunk);
  return bytes;
}

void ReadStill(const EncodedImage& file, Image& image) {
  const auto decode = image.mode == ImageMode::kRGBA ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  const auto stride = static_cast<int>(image.width * Channels(image.mode));
  if (decode(file.bytes.data(), file.bytes.size(), image.pixels.data(), image.pixels.size(),
             stride) == nullptr)
    RefuseDamaged(file);
}

void ReadFirstFrame(const EncodedImage& file, const WebPData& data, Image& image) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0) RefuseDamaged(file);
  options.color_mode = MODE_RGBA;
  const Animation animation(WebPAnimDecoderNew(&data, &options), &WebPAnimDecoderDelete);
  uint8_t* canvas = nullptr;  // belongs to the decoder
  int timestamp = 0;
  if (animation == nullptr || WebPAnimDecoderGetNext(animation.get(), &canvas, &timestamp) == 0)
    RefuseDamaged(file);
  std::memcpy(image.pixels.data(), canvas, image.pixels.size());
}

}  // namespace

Image DecodeWebP(const EncodedImage& file) {
  const WebPBitstreamFeatures features = ProbeHeader(file);
  const WebPData data{file.bytes.data(), file.bytes.size()};
  const Demuxer demuxer(WebPDemux(&data), &WebPDemuxDelete);
  if (demuxer == nullptr) RefuseDamaged(file);

  const bool has_alpha = features.has_alpha != 0 || features.has_animation != 0;
  Image image = NewDecodedImage(file, kFormat, has_alpha ? ImageMode::kRGBA : ImageMode::kRGB,
                                features.width, features.height);
  image.frames = static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT));
  const auto xmp = FirstChunk(demuxer.get(), "XMP ");
  image.exif_orientation = ReadOrientation(FirstChunk(demuxer.get(), "EXIF"),
                                           {reinterpret_cast<const char*>(xmp.data()), xmp.size()});
  if (features.has_animation != 0)
    ReadFirstFrame(file, data, image);
  else
    ReadStill(file, image);
  return image;
}

}  // namespace vernier
