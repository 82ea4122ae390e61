#include "kernels/cpu/winograd_filters.h"

namespace vernier {
namespace {

constexpr int kTaps = 3;

// Each row takes a filter, as a polynomial, to its value at a point, divided by the product of the
// distances to the others. The points are 0, 1, -1 and infinity, and 0, a, -a, b, -b and infinity.
constexpr double kF2[4][kTaps] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};

constexpr double kA = kWinogradNear, kB = kWinogradFar;
constexpr double kA2 = kA * kA, kB2 = kB * kB;
constexpr double kNear = 1 / (2 * kA2 * (kA2 - kB2)), kFar = 1 / (2 * kB2 * (kB2 - kA2));
constexpr double kF4[6][kTaps] = {{1 / (kA2 * kB2), 0, 0},         {kNear, kNear* kA, kNear* kA2},
                                  {kNear, -kNear* kA, kNear* kA2}, {kFar, kFar* kB, kFar* kB2},
                                  {kFar, -kFar* kB, kFar* kB2},    {0, 0, 1}};

template <int kSide>
void Transform(const double (&matrix)[kSide][kTaps], const WinogradFilters& args) {
  const int64_t filters = args.out * args.in;
  for (int64_t i = 0; i < filters; ++i) {
    const float* filter = args.filters + i * kTaps * kTaps;
    double middle[kSide][kTaps] = {};
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kTaps; ++column) {
        for (int tap = 0; tap < kTaps; ++tap) {
          middle[row][column] += matrix[row][tap] * filter[tap * kTaps + column];
        }
      }
    }
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        double value = 0;
        for (int tap = 0; tap < kTaps; ++tap) value += middle[row][tap] * matrix[column][tap];
        args.values[(row * kSide + column) * filters + i] = value;
      }
    }
  }
}

}  // namespace

void TransformFilters(WinogradForm form, const WinogradFilters& args) noexcept {
  form == WinogradForm::kF2 ? Transform(kF2, args) : Transform(kF4, args);
}

}  // namespace vernier
