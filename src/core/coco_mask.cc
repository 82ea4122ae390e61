#include "core/coco_mask.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Characters of the compressed text: '0' plus five bits of a number and one that says "more".
constexpr char kZero = '0';
constexpr int kBits = 5;
constexpr int64_t kPayload = 0x1F;
constexpr int64_t kSign = 0x10;
constexpr int64_t kMore = 0x20;
// Enough for any difference of two runs, and few enough to keep shifts defined.
constexpr int kLongestNumber = 12;

[[noreturn]] void Refuse(const std::string& what) {
  throw Error(ErrorKind::kInput, "compressed mask: " + what,
              "expected COCO's run lengths as pycocotools writes them");
}

int64_t ReadNumber(std::string_view text, size_t& at) {
  int64_t number = 0;
  for (int group = 0;; ++group) {
    if (at >= text.size()) Refuse("the text is cut short");
    const int64_t code = text[at] - kZero;
    if (code < 0 || code > (kMore | kPayload) || group >= kLongestNumber) {
      Refuse(fmt::format("character {} belongs to no number", at));
    }
    ++at;
    number |= (code & kPayload) << (kBits * group);
    if ((code & kMore) != 0) continue;
    if ((code & kSign) != 0) number -= int64_t{1} << (kBits * (group + 1));
    return number;
  }
}

void AppendNumber(int64_t number, std::string& text) {
  for (bool more = true; more;) {
    int64_t code = number & kPayload;
    number >>= kBits;
    more = (code & kSign) != 0 ? number != -1 : number != 0;
    if (more) code |= kMore;
    text += static_cast<char>(kZero + code);
  }
}

}  // namespace

int64_t RunLengths::area() const {
  int64_t sum = 0;
  for (size_t i = 1; i < counts.size(); i += 2) sum += counts[i];
  return sum;
}

RunLengths EncodeMask(std::span<const uint8_t> pixels, int64_t height, int64_t width) {
  VN_CHECK(std::ssize(pixels) == height * width);
  RunLengths mask{.height = height, .width = width};
  bool current = false;
  int64_t run = 0;
  for (int64_t x = 0; x < width; ++x) {
    for (int64_t y = 0; y < height; ++y) {
      const bool set = pixels[static_cast<size_t>(y * width + x)] != 0;
      if (set != current) {
        mask.counts.push_back(run);
        run = 0;
        current = set;
      }
      ++run;
    }
  }
  mask.counts.push_back(run);
  return mask;
}

std::vector<uint8_t> DecodeMask(const RunLengths& mask) {
  std::vector<uint8_t> pixels(static_cast<size_t>(mask.height * mask.width));
  int64_t at = 0;
  for (size_t i = 0; i < mask.counts.size(); ++i) {
    for (int64_t n = 0; n < mask.counts[i]; ++n, ++at) {
      const int64_t x = at / mask.height, y = at % mask.height;
      pixels[static_cast<size_t>(y * mask.width + x)] = i % 2;
    }
  }
  return pixels;
}

std::string CompressedText(const RunLengths& mask) {
  std::string text;
  for (size_t i = 0; i < mask.counts.size(); ++i) {
    AppendNumber(mask.counts[i] - (i > 2 ? mask.counts[i - 2] : 0), text);
  }
  return text;
}

RunLengths ParseCompressedText(std::string_view text, int64_t height, int64_t width) {
  RunLengths mask{.height = height, .width = width};
  const int64_t pixels = height * width;
  int64_t sum = 0;
  for (size_t at = 0; at < text.size();) {
    int64_t count = ReadNumber(text, at);
    const size_t i = mask.counts.size();
    if (i > 2) count += mask.counts[i - 2];
    if (count < 0 || count > pixels - sum) {
      Refuse(fmt::format("run {} does not fit a mask of {}x{}", i, height, width));
    }
    sum += count;
    mask.counts.push_back(count);
  }
  if (sum != pixels) Refuse(fmt::format("the runs hold {} pixels of {}x{}", sum, height, width));
  return mask;
}

double MaskOverlap(const RunLengths& detection, const RunLengths& truth, bool crowd) {
  VN_CHECK(detection.height == truth.height && detection.width == truth.width);
  int64_t both = 0;
  size_t i = 0, j = 0;
  int64_t left_i = detection.counts.empty() ? 0 : detection.counts[0];
  int64_t left_j = truth.counts.empty() ? 0 : truth.counts[0];
  while (i < detection.counts.size() && j < truth.counts.size()) {
    const int64_t step = std::min(left_i, left_j);
    if (i % 2 == 1 && j % 2 == 1) both += step;
    left_i -= step;
    left_j -= step;
    if (left_i == 0 && ++i < detection.counts.size()) left_i = detection.counts[i];
    if (left_j == 0 && ++j < truth.counts.size()) left_j = truth.counts[j];
  }
  if (both == 0) return 0;
  const int64_t whole = crowd ? detection.area() : detection.area() + truth.area() - both;
  return static_cast<double>(both) / static_cast<double>(whole);
}

}  // namespace vernier
