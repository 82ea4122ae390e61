#include "verify/msaccucmp_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <vector>

namespace vernier {
namespace {

constexpr const char* kHeader =
    "Index,OpType,NPUDump,DataType,Address,GroundTruth,DataType,Address,TensorIndex,Shape,"
    "CosineSimilarity,MaxAbsoluteError,AccumulatedRelativeError,RelativeEuclideanDistance,"
    "KullbackLeiblerDivergence,StandardDeviation,MeanAbsoluteError,RootMeanSquareError,"
    "MaxRelativeError,MeanRelativeError,CompareFailReason\n";

std::string Quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string Number(double value) {
  return std::isnan(value) ? "NaN" : fmt::format("{:.6f}", value);
}

double Cosine(const TensorMetrics& m) {
  if (m.elements == 1) return 1;  // a scalar has no direction
  const double x = m.candidate_norm;
  const double y = m.reference_norm;
  if (x <= kLeastRelativeReference && y <= kLeastRelativeReference) return 1;
  if (std::sqrt(x) <= kLeastRelativeReference || std::sqrt(y) <= kLeastRelativeReference) {
    return kNoFigure;
  }
  return m.cosine;
}

double RelativeEuclidean(const TensorMetrics& m) {
  return m.reference_norm <= kLeastRelativeReference ? 0 : m.rel_euclidean;
}

/// Magnitudes below what three decimals show are printed as 0, without a sign.
std::string ThreeDecimals(double value) {
  return fmt::format("{:.3f}", std::abs(value) < 0.001 ? 0.0 : value);
}

std::string StandardDeviation(const TensorMetrics& m) {
  return fmt::format("({};{}),({};{})", ThreeDecimals(m.candidate_mean),
                     ThreeDecimals(m.candidate_std), ThreeDecimals(m.reference_mean),
                     ThreeDecimals(m.reference_std));
}

std::vector<std::string> Figures(const TensorComparison& tensor) {
  const TensorMetrics& m = tensor.accumulated;
  if (!tensor.not_compared.empty() || m.finite_pairs == 0) {
    return std::vector<std::string>(10, "NaN");
  }
  return {Number(Cosine(m)), Number(m.max_abs),    Number(m.sum_rel),  Number(RelativeEuclidean(m)),
          Number(m.kl),      StandardDeviation(m), Number(m.mean_abs), Number(m.rmse),
          Number(m.max_rel), Number(m.mean_rel)};
}

}  // namespace

std::string MsaccucmpCsv(const Comparison& comparison) {
  std::string csv = kHeader;
  size_t index = 0;
  for (const TensorComparison& tensor : comparison.tensors) {
    std::vector<std::string> cells = {fmt::format("{}", index++),
                                      tensor.op,
                                      tensor.candidate.name,
                                      Name(tensor.candidate.dtype),
                                      "NaN",  // addresses are those of a device's memory
                                      tensor.reference.name,
                                      Name(tensor.reference.dtype),
                                      "NaN",
                                      tensor.name,
                                      tensor.reference.shape.ToString()};
    for (std::string& figure : Figures(tensor)) cells.push_back(std::move(figure));
    cells.push_back(tensor.not_compared);
    for (std::string& cell : cells) cell = Quoted(cell);
    csv += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return csv;
}

}  // namespace vernier
