#include "eval/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "vernier/error.h"

namespace vernier {
namespace {

bool IsClaim(const Metric& metric) {
  return !metric.name.starts_with("baseline.") && !std::isnan(metric.interval.low);
}

bool Holds(const MetricGate& gate, double value) {
  return gate.at_least ? value >= gate.threshold : value <= gate.threshold;
}

std::string Sign(const MetricGate& gate) { return gate.at_least ? ">=" : "<="; }

// The nearest threshold that `value` meets, cut to four digits on the safe side.
std::string WouldPass(const MetricGate& gate, double value) {
  constexpr double kDigits = 1e4;
  const double safe =
      gate.at_least ? std::floor(value * kDigits) / kDigits : std::ceil(value * kDigits) / kDigits;
  return fmt::format("{}{}{:.4g}", gate.metric, Sign(gate), safe);
}

VerdictKind ByValue(const MetricGate& gate, const Metric& metric, std::string& note) {
  const bool holds = Holds(gate, metric.value);
  note = holds ? fmt::format("{:.6g} on these {} samples", metric.value, metric.n)
               : fmt::format("{:.6g} on these {} samples; would pass with {}", metric.value,
                             metric.n, WouldPass(gate, metric.value));
  return holds ? VerdictKind::kPassed : VerdictKind::kFailed;
}

VerdictKind ByInterval(const MetricGate& gate, const Metric& metric, std::string& note) {
  const auto [low, high] = metric.interval;
  const std::string found =
      fmt::format("{:.4f}, 95 % interval {:.4f} to {:.4f}", metric.value, low, high);
  const double worst = gate.at_least ? low : high;
  if (Holds(gate, worst)) {
    note = found;
    return VerdictKind::kPassed;
  }
  if (!Holds(gate, gate.at_least ? high : low)) {
    note = fmt::format("{}; would pass with {}", found, WouldPass(gate, worst));
    return VerdictKind::kFailed;
  }
  note = fmt::format("{}: {} samples do not decide about {:.4g}", found, metric.n, gate.threshold);
  return VerdictKind::kInconclusive;
}

}  // namespace

MetricGate ParseMetricGate(std::string_view text) {
  const size_t sign = text.find_first_of("<>");
  const auto refuse = [&] {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("--gate: expected NAME>=VALUE or NAME<=VALUE, found '{}'", text.substr(0, 60)),
        "quote it for the shell: --gate 'top1>=0.97'");
  };
  if (sign == std::string_view::npos || sign == 0 || text.substr(sign + 1, 1) != "=") refuse();
  MetricGate gate{.text = std::string(text),
                  .metric = std::string(text.substr(0, sign)),
                  .at_least = text[sign] == '>'};
  std::string_view value = text.substr(sign + 2);
  const bool percent = value.ends_with('%');
  if (percent) value.remove_suffix(1);
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), gate.threshold);
  if (error != std::errc() || end != value.data() + value.size() ||
      !std::isfinite(gate.threshold)) {
    refuse();
  }
  if (percent) gate.threshold /= 100;
  return gate;
}

MetricGateResult JudgeGate(const MetricGate& gate, const Metric& metric,
                           const GateObstacles& obstacles) {
  MetricGateResult result{.gate = gate, .metric = metric};
  if (metric.n == 0) {
    result.note = "no sample says anything about it";
    return result;
  }
  const bool best_possible =
      gate.at_least ? gate.threshold == metric.most : gate.threshold == metric.least;
  result.outcome = IsClaim(metric) && !best_possible ? ByInterval(gate, metric, result.note)
                                                     : ByValue(gate, metric, result.note);
  if (result.outcome == VerdictKind::kPassed && !obstacles.reasons.empty()) {
    result.outcome = VerdictKind::kInconclusive;
    result.note = fmt::format("{}; but {}", result.note, fmt::join(obstacles.reasons, "; "));
  }
  return result;
}

}  // namespace vernier
