#include "pipeline/find_instances.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/parallel.h"
#include "core/rounding.h"
#include "models/blendmask/blend.h"
#include "models/blendmask/detections.h"
#include "models/blendmask/paste.h"
#include "pipeline/results.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Numbers of locations that the top layer is asked for are multiples of it, so that few plans are
// bound.
constexpr int64_t kLocationGrain = 16;
constexpr int64_t kWindow = 3;

struct FoundBox {
  Detection detection;
  BoxCorners in_picture;
};

// One map of one picture, [channels, height, width].
struct PictureMap {
  int64_t channels, height, width;
  std::span<const float> values;
};

class PictureFinder {
 public:
  PictureFinder(const DetectorRun& run, const TopLayer& top, int64_t picture)
      : run_(run), config_(run.config), top_(top), picture_(picture) {
    const PictureMap finest = Map("cls_logits.", config_.levels[0]);
    const PictureSize input{finest.height * config_.strides[0], finest.width * config_.strides[0]};
    network_ = size_ = input;
    if (run.pictures.empty()) return;
    const PictureInfo& info = run.pictures[static_cast<size_t>(picture)];
    const bool sideways = info.exif_orientation >= 5;
    size_ = sideways ? PictureSize{info.width, info.height} : PictureSize{info.height, info.width};
    if (info.network_height > 0) network_ = {info.network_height, info.network_width};
  }

  PictureInstances Find() const {
    const std::vector<FoundBox> found = Boxes();
    PictureInstances result{.height = size_.height, .width = size_.width, .instances = {}};
    if (found.empty()) return result;
    const PictureMap bases = Map("bases");
    const MaskBlender blender({bases.height, bases.width, bases.values}, config_);
    const Tensor attention = Attention(found);
    result.instances.resize(found.size());
    std::atomic<size_t> next = 0;
    ParallelWorkers(run_.threads, [&](int) {
      for (size_t i = next++; i < found.size(); i = next++) {
        result.instances[i] = Cut(found[i], Row(attention, static_cast<int64_t>(i)), blender);
      }
    });
    return result;
  }

 private:
  Instance Cut(const FoundBox& box, const TensorView& attention, const MaskBlender& blender) const {
    const std::vector<float> logits = blender.Blend(box.detection.box, attention.as<float>());
    return {.category = box.detection.category,
            .score = box.detection.score,
            .box = box.in_picture,
            .mask = PasteMask(logits, config_.bottom_resolution, box.in_picture, size_)};
  }

  const Tensor& Maps(std::string_view name, const std::string& level) const {
    const std::string full = std::string(name) + level;
    const auto found = run_.maps.find(full);
    if (found == run_.maps.end()) {
      throw Error(ErrorKind::kUsage, fmt::format("there is no output {}", full),
                  "instances are found in all outputs of a detector's run");
    }
    return found->second;
  }

  PictureMap Map(std::string_view name, const std::string& level = "") const {
    const Tensor& maps = Maps(name, level);
    return {maps.shape()[1], maps.shape()[2], maps.shape()[3], Row(maps, picture_).as<float>()};
  }

  std::string PictureName() const {
    return run_.pictures.empty() ? fmt::format("picture {} of the batch", picture_)
                                 : run_.pictures[static_cast<size_t>(picture_)].file;
  }

  // Detections of which something is in the picture, as far as they are wanted.
  std::vector<FoundBox> Boxes() const {
    std::vector<HeadMaps> levels;
    for (const std::string& level : config_.levels) {
      const PictureMap cls = Map("cls_logits.", level);
      levels.push_back({.height = cls.height,
                        .width = cls.width,
                        .cls_logits = cls.values,
                        .bbox_reg = Map("bbox_reg.", level).values,
                        .ctrness = Map("ctrness.", level).values});
    }
    std::vector<FoundBox> found;
    for (const Detection& detection :
         SelectDetections(levels, config_, PictureName(), run_.threads)) {
      if (detection.score < run_.request.least_score) continue;
      const auto box = BoxInPicture(detection.box, network_, size_);
      if (box) found.push_back({detection, *box});
    }
    const int64_t most = run_.request.max_instances;
    if (most > 0 && std::ssize(found) > most) found.resize(static_cast<size_t>(most));
    return found;
  }

  const std::string& LevelOf(const FoundBox& box) const {
    return config_.levels[static_cast<size_t>(box.detection.level)];
  }

  // [found or more, attention channels]
  Tensor Attention(const std::vector<FoundBox>& found) const {
    return run_.maps.contains("top_feat." + config_.levels[0]) ? DenseAttention(found)
                                                               : top_(Windows(found));
  }

  Tensor DenseAttention(const std::vector<FoundBox>& found) const {
    Tensor attention(DType::kF32, {std::ssize(found), config_.attention_channels()});
    float* to = attention.as<float>().data();
    for (const FoundBox& box : found) {
      const PictureMap map = Map("top_feat.", LevelOf(box));
      for (int64_t c = 0; c < map.channels; ++c) {
        *to++ =
            map.values[static_cast<size_t>(c * map.height * map.width + box.detection.location)];
      }
    }
    return attention;
  }

  // Neighbourhoods of the detections' locations, channel by channel; rows of zeros fill up.
  Tensor Windows(const std::vector<FoundBox>& found) const {
    const int64_t rows = RoundUp(std::ssize(found), kLocationGrain);
    std::vector<PictureMap> towers;  // looked up here: what runs in parallel must not throw
    for (const std::string& level : config_.levels) towers.push_back(Map("bbox_tower.", level));
    const int64_t length = towers[0].channels * kWindow * kWindow;
    Tensor windows = Tensor::Zeros(DType::kF32, {rows, length});
    ParallelFor(run_.threads, std::ssize(found), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Detection& detection = found[static_cast<size_t>(i)].detection;
        CopyWindow(towers[static_cast<size_t>(detection.level)], detection.location,
                   windows.as<float>().data() + i * length);
      }
    });
    return windows;
  }

  static void CopyWindow(const PictureMap& map, int64_t location, float* to) {
    const int64_t row = location / map.width, column = location % map.width;
    for (int64_t c = 0; c < map.channels; ++c) {
      for (int64_t y = row - 1; y <= row + 1; ++y) {
        for (int64_t x = column - 1; x <= column + 1; ++x, ++to) {
          if (y < 0 || y >= map.height || x < 0 || x >= map.width) continue;
          *to = map.values[static_cast<size_t>((c * map.height + y) * map.width + x)];
        }
      }
    }
  }

  const DetectorRun& run_;
  const BlendMaskConfig& config_;
  const TopLayer& top_;
  int64_t picture_;
  PictureSize network_;
  PictureSize size_;
};

}  // namespace

std::vector<PictureInstances> FindInstances(const DetectorRun& run, const TopLayer& top) {
  const auto bases = run.maps.find("bases");
  if (bases == run.maps.end()) {
    throw Error(ErrorKind::kUsage, "there is no output bases",
                "instances are found in all outputs of a detector's run");
  }
  const int64_t pictures = bases->second.shape()[0];
  if (!run.pictures.empty() && std::ssize(run.pictures) != pictures) {
    throw Error(ErrorKind::kUsage, fmt::format("{} pictures are described, and the run had {}",
                                               run.pictures.size(), pictures));
  }
  std::vector<PictureInstances> found;
  for (int64_t i = 0; i < pictures; ++i) found.push_back(PictureFinder(run, top, i).Find());
  return found;
}

}  // namespace vernier
