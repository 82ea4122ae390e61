#include "models/blendmask/class_names.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "core/check.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Numbers between 1 and 90 that COCO gave to things without annotations.
constexpr std::array<int64_t, 10> kGaps = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};

}  // namespace

const std::vector<std::string>& CocoClassNames() {
  static const std::vector<std::string> names = {"person",        "bicycle",      "car",
                                                 "motorcycle",    "airplane",     "bus",
                                                 "train",         "truck",        "boat",
                                                 "traffic light", "fire hydrant", "stop sign",
                                                 "parking meter", "bench",        "bird",
                                                 "cat",           "dog",          "horse",
                                                 "sheep",         "cow",          "elephant",
                                                 "bear",          "zebra",        "giraffe",
                                                 "backpack",      "umbrella",     "handbag",
                                                 "tie",           "suitcase",     "frisbee",
                                                 "skis",          "snowboard",    "sports ball",
                                                 "kite",          "baseball bat", "baseball glove",
                                                 "skateboard",    "surfboard",    "tennis racket",
                                                 "bottle",        "wine glass",   "cup",
                                                 "fork",          "knife",        "spoon",
                                                 "bowl",          "banana",       "apple",
                                                 "sandwich",      "orange",       "broccoli",
                                                 "carrot",        "hot dog",      "pizza",
                                                 "donut",         "cake",         "chair",
                                                 "couch",         "potted plant", "bed",
                                                 "dining table",  "toilet",       "tv",
                                                 "laptop",        "mouse",        "remote",
                                                 "keyboard",      "cell phone",   "microwave",
                                                 "oven",          "toaster",      "sink",
                                                 "refrigerator",  "book",         "clock",
                                                 "vase",          "scissors",     "teddy bear",
                                                 "hair drier",    "toothbrush"};
  return names;
}

int64_t CocoCategoryId(int64_t category) {
  VN_CHECK(category >= 0 && category < kCocoClasses);
  int64_t id = category + 1;
  for (const int64_t gap : kGaps) id += gap <= id ? 1 : 0;
  return id;
}

std::vector<std::string> ReadClassNames(const std::string& path, int64_t classes) {
  const MappedFile file = MappedFile::Open(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  std::vector<std::string> names;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    names.emplace_back(line);
    begin = end + 1;
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (std::ssize(names) != classes) {
    throw Error(
        ErrorKind::kInput,
        fmt::format("{}: {} names, and the model has {} classes", path, names.size(), classes),
        "one name per line, in the order of the classes");
  }
  return names;
}

std::vector<std::string> ClassNames(const std::string& path, const std::string& folder,
                                    int64_t classes) {
  if (!path.empty()) return ReadClassNames(path, classes);
  const std::string own = folder + "/classes.txt";
  std::error_code ignored;
  if (std::filesystem::exists(own, ignored)) return ReadClassNames(own, classes);
  return classes == kCocoClasses ? CocoClassNames() : std::vector<std::string>();
}

}  // namespace vernier
