#include "kernels/cpu/pixel_windows.h"

#include <algorithm>
#include <cstring>

namespace vernier {
namespace {

class WindowCopy {
 public:
  explicit WindowCopy(const PixelWindowsArgs& args)
      : a_(args),
        w_(args.windows),
        bytes_(w_.element == Element::kF32 ? 4 : 2),
        pixel_bytes_(w_.channels * bytes_),
        contiguous_(args.pixel_stride == w_.channels) {}

  void Run() const {
    char* to = static_cast<char*>(a_.rows);
    int64_t column = w_.first_pixel % w_.out_width;
    int64_t row = w_.first_pixel / w_.out_width % w_.out_height;
    int64_t picture = w_.first_pixel / (w_.out_width * w_.out_height);
    for (int64_t i = 0; i < w_.pixels; ++i) {
      to = Window(picture, row * w_.stride - w_.padding, column * w_.stride - w_.padding, to);
      if (++column < w_.out_width) continue;
      column = 0;
      if (++row < w_.out_height) continue;
      row = 0;
      ++picture;
    }
  }

 private:
  // Copies one window and returns where the next begins.
  char* Window(int64_t picture, int64_t top, int64_t left, char* to) const {
    // Columns [begin, end) of the window lie within the map.
    const int64_t begin = std::clamp<int64_t>(-left, 0, w_.kernel_width);
    const int64_t end = std::clamp<int64_t>(w_.width - left, begin, w_.kernel_width);
    for (int64_t row = top; row < top + w_.kernel_height; ++row) {
      if (row < 0 || row >= w_.height) {
        to = Zeros(w_.kernel_width, to);
        continue;
      }
      const int64_t pixel = (picture * w_.height + row) * w_.width + left + begin;
      to = Zeros(begin, to);
      to = Pixels(pixel, end - begin, to);
      to = Zeros(w_.kernel_width - end, to);
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
  const WindowRun& w_;
  int64_t bytes_;
  int64_t pixel_bytes_;
  bool contiguous_;
};

}  // namespace

void PixelWindows(const PixelWindowsArgs& args) noexcept { WindowCopy(args).Run(); }

}  // namespace vernier
