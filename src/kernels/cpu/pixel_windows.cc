#include "kernels/cpu/pixel_windows.h"

#include <algorithm>
#include <cstring>

namespace vernier {
namespace {

class WindowCopy {
 public:
  explicit WindowCopy(const PixelWindowsArgs& args)
      : a_(args),
        bytes_(args.element == Element::kF32 ? 4 : 2),
        pixel_bytes_(args.channels * bytes_),
        contiguous_(args.pixel_stride == args.channels) {}

  void Run() const {
    char* to = static_cast<char*>(a_.rows);
    int64_t column = a_.first_pixel % a_.out_width;
    int64_t row = a_.first_pixel / a_.out_width % a_.out_height;
    int64_t picture = a_.first_pixel / (a_.out_width * a_.out_height);
    for (int64_t i = 0; i < a_.pixels; ++i) {
      to = Window(picture, row * a_.stride - a_.padding, column * a_.stride - a_.padding, to);
      if (++column < a_.out_width) continue;
      column = 0;
      if (++row < a_.out_height) continue;
      row = 0;
      ++picture;
    }
  }

 private:
  // Copies one window and returns where the next begins.
  char* Window(int64_t picture, int64_t top, int64_t left, char* to) const {
    // Columns [begin, end) of the window lie within the map.
    const int64_t begin = std::clamp<int64_t>(-left, 0, a_.kernel_width);
    const int64_t end = std::clamp<int64_t>(a_.width - left, begin, a_.kernel_width);
    for (int64_t row = top; row < top + a_.kernel_height; ++row) {
      if (row < 0 || row >= a_.height) {
        to = Zeros(a_.kernel_width, to);
        continue;
      }
      const int64_t pixel = (picture * a_.height + row) * a_.width + left + begin;
      to = Zeros(begin, to);
      to = Pixels(pixel, end - begin, to);
      to = Zeros(a_.kernel_width - end, to);
    }
    return to;
  }

  char* Zeros(int64_t count, char* to) const {
    const int64_t size = count * pixel_bytes_;
    std::memset(to, 0, static_cast<size_t>(size));
    return to + size;
  }

  char* Pixels(int64_t first, int64_t count, char* to) const {
    const char* from = static_cast<const char*>(a_.map) + first * a_.pixel_stride * bytes_;
    if (contiguous_) {
      std::memcpy(to, from, static_cast<size_t>(count * pixel_bytes_));
      return to + count * pixel_bytes_;
    }
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(to, from, static_cast<size_t>(pixel_bytes_));
      from += a_.pixel_stride * bytes_;
      to += pixel_bytes_;
    }
    return to;
  }

  const PixelWindowsArgs& a_;
  int64_t bytes_;
  int64_t pixel_bytes_;
  bool contiguous_;
};

}  // namespace

void PixelWindows(const PixelWindowsArgs& args) noexcept { WindowCopy(args).Run(); }

}  // namespace vernier
