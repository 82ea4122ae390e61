#include "pipeline/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/check.h"

namespace vernier {

std::vector<LabelScore> TopLabels(std::span<const float> logits,
                                  const std::vector<std::string>& names, int64_t count) {
  if (logits.empty()) return {};
  const double highest = *std::ranges::max_element(logits);
  double total = 0;
  for (float logit : logits) total += std::exp(logit - highest);
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto wanted = std::min(static_cast<size_t>(count), order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(wanted), order.end(),
      [&](size_t a, size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  std::vector<LabelScore> scores;
  for (size_t i = 0; i < wanted; ++i) {
    const size_t index = order[i];
    scores.push_back({.label = index < names.size() && !names[index].empty()
                                   ? names[index]
                                   : fmt::format("LABEL_{}", index),
                      .index = static_cast<int64_t>(index),
                      .probability = std::exp(logits[index] - highest) / total});
  }
  return scores;
}

double Cosine(std::span<const float> a, std::span<const float> b) {
  VN_CHECK(a.size() == b.size());
  double product = 0, a_squares = 0, b_squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    a_squares += static_cast<double>(a[i]) * a[i];
    b_squares += static_cast<double>(b[i]) * b[i];
  }
  const double norms = std::sqrt(a_squares) * std::sqrt(b_squares);
  return norms > 0 ? product / norms : 0;
}

Tensor Stacked(std::span<const Tensor> parts) {
  VN_CHECK(!parts.empty());
  Shape shape = parts[0].shape();
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.shape()[0];
  shape.Set(0, rows);
  Tensor stacked(parts[0].dtype(), shape);
  char* to = static_cast<char*>(stacked.data());
  for (const Tensor& part : parts) {
    std::memcpy(to, part.data(), part.bytes());
    to += part.bytes();
  }
  return stacked;
}

TensorView Row(const Tensor& tensor, int64_t index) {
  VN_CHECK(index >= 0 && index < tensor.shape()[0]);
  const Shape row(tensor.shape().dims().subspan(1));
  const size_t bytes = static_cast<size_t>(row.elements()) * ByteSize(tensor.dtype());
  return {static_cast<const char*>(tensor.data()) + static_cast<size_t>(index) * bytes,
          tensor.dtype(), row};
}

}  // namespace vernier
