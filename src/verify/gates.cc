#include "verify/gates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "metrics/share_interval.h"
#include "passes/precision_rules.h"
#include "vernier/error.h"

namespace vernier {
namespace {

enum class Kind { kError, kLikeness, kShareOfRows, kText };

struct Metric {
  std::string_view name;
  Kind kind;
  double (*of_tensor)(const TensorComparison&);
  double (*of_text)(const TextComparison&) = nullptr;
};

template <double TensorMetrics::*figure>
double Figure(const TensorComparison& tensor) {
  return tensor.accumulated.*figure;
}

template <double RowMetrics::*figure>
double RowFigure(const TensorComparison& tensor) {
  return tensor.rows ? (*tensor.rows).*figure : kNoFigure;
}

double OfNoTensor(const TensorComparison&) { return kNoFigure; }

constexpr Metric kMetrics[] = {
    {"max_abs", Kind::kError, Figure<&TensorMetrics::max_abs>},
    {"mean_abs", Kind::kError, Figure<&TensorMetrics::mean_abs>},
    {"max_rel", Kind::kError, Figure<&TensorMetrics::max_rel>},
    {"mean_rel", Kind::kError, Figure<&TensorMetrics::mean_rel>},
    {"sum_rel", Kind::kError, Figure<&TensorMetrics::sum_rel>},
    {"mre", Kind::kError, Figure<&TensorMetrics::mre>},
    {"mse", Kind::kError, Figure<&TensorMetrics::mse>},
    {"rmse", Kind::kError, Figure<&TensorMetrics::rmse>},
    {"rel_euclidean", Kind::kError, Figure<&TensorMetrics::rel_euclidean>},
    {"kl", Kind::kError, Figure<&TensorMetrics::kl>},
    {"cosine", Kind::kLikeness, Figure<&TensorMetrics::cosine>},
    {"psnr_db", Kind::kLikeness, Figure<&TensorMetrics::psnr_db>},
    {"within", Kind::kLikeness, Figure<&TensorMetrics::within>},
    {"min_cosine", Kind::kLikeness, RowFigure<&RowMetrics::min_cosine>},
    {"top1", Kind::kShareOfRows, RowFigure<&RowMetrics::top1>},
    {"top5", Kind::kShareOfRows, RowFigure<&RowMetrics::top5>},
    {"rouge_l", Kind::kText, OfNoTensor, [](const TextComparison& t) { return t.rouge_l; }},
    {"exact_text", Kind::kText, OfNoTensor,
     [](const TextComparison& t) { return t.reference == t.candidate ? 1.0 : 0.0; }},
    {"text_similarity", Kind::kText, OfNoTensor,
     [](const TextComparison& t) { return 1 - t.edit_distance; }},
};

/// Samples from which a share of 100 % is taken as shown: with 95 % confidence no more than 5 % of
/// other samples differ (0.95^59 < 0.05).
constexpr double kSamplesForAll = 59;

const Metric* FindMetric(std::string_view name) {
  const auto found = std::ranges::find(kMetrics, name, &Metric::name);
  return found == std::end(kMetrics) ? nullptr : &*found;
}

const Metric& MetricOf(const Gate& gate) { return *FindMetric(gate.metric); }

[[noreturn]] void Refuse(std::string_view text, const std::string& why) {
  throw Error(ErrorKind::kUsage, fmt::format("--gate '{}': {}", text.substr(0, 120), why),
              "a gate is [NAMES:]METRIC<=VALUE or >=, such as mre<=1% or logits:top1>=99%");
}

std::optional<double> ParseThreshold(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return percent ? value / 100 : value;
}

std::vector<std::string> SplitNames(std::string_view text, std::string_view gate) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    names.emplace_back(text.substr(begin, end - begin));
    const std::string& name = names.back();
    if (name.empty()) Refuse(gate, "a name is missing before ':'");
    if (name[0] == '@' && name != "@inputs" && name != "@layers" && name != "@outputs") {
      Refuse(gate,
             fmt::format("there is no group {}: they are @inputs, @layers and @outputs", name));
    }
    begin = end + 1;
  }
  return names;
}

bool PatternCovers(const std::string& pattern, const TensorComparison& tensor) {
  if (pattern == "@inputs") return tensor.preprocessing;
  if (pattern == "@outputs") return tensor.output;
  if (pattern == "@layers") return !tensor.output && !tensor.preprocessing;
  return GlobMatches(pattern, tensor.name) ||
         std::ranges::any_of(tensor.aliases,
                             [&](const std::string& alias) { return GlobMatches(pattern, alias); });
}

bool Holds(const Gate& gate, double value) {
  if (std::isnan(value)) return false;
  if (gate.at_least) return gate.strict ? value > gate.threshold : value >= gate.threshold;
  return gate.strict ? value < gate.threshold : value <= gate.threshold;
}

bool Worse(const Gate& gate, double a, double b) { return gate.at_least ? a < b : a > b; }

/// Whether a tensor has the figure, or should have and lost it to values that are not finite.
bool HasFigure(const Gate& gate, const TensorComparison& tensor) {
  if (!tensor.not_compared.empty()) return false;
  const Metric& metric = MetricOf(gate);
  if (metric.kind == Kind::kShareOfRows || gate.metric == "min_cosine") {
    return tensor.rows && tensor.rows->rows > 0;
  }
  if (metric.kind == Kind::kText || tensor.accumulated.elements == 0) return false;
  // Both sides equal or zero: relative figures have no value and nothing to object to.
  return tensor.accumulated.finite_pairs == 0 || !std::isnan(metric.of_tensor(tensor));
}

bool NamedAnywhere(const Gate& gate, const Comparison& comparison) {
  const auto covers = [&](const UnpairedTensor& unpaired) {
    TensorComparison tensor;
    tensor.name = unpaired.name;
    return Covers(gate, tensor);
  };
  return std::ranges::any_of(gate.patterns,
                             [](const std::string& name) { return name[0] == '@'; }) ||
         std::ranges::any_of(comparison.only_reference, covers) ||
         std::ranges::any_of(comparison.only_candidate, covers);
}

GateResult Undecided(const Gate& gate, std::string note) {
  return {.gate = gate.text,
          .metric = gate.metric,
          .outcome = VerdictKind::kInconclusive,
          .threshold = gate.threshold,
          .note = std::move(note)};
}

GateResult NothingCovered(const Gate& gate, const Comparison& comparison) {
  const bool named = gate.patterns.empty() || NamedAnywhere(gate, comparison) ||
                     std::ranges::any_of(comparison.tensors, [&](const TensorComparison& tensor) {
                       return Covers(gate, tensor);
                     });
  if (!named && !gate.preset) {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min<size_t>(comparison.tensors.size(), 4); ++i) {
      names.push_back(comparison.tensors[i].name);
    }
    throw Error(ErrorKind::kUsage,
                fmt::format("--gate '{}': no tensor of either side has such a name", gate.text),
                fmt::format("the first that were compared are {}", fmt::join(names, ", ")));
  }
  return Undecided(gate, fmt::format("nothing that was compared has a {}", gate.metric));
}

/// Sets the outcome of a share of counted rows: decided only where its interval excludes the
/// threshold.
void JudgeShare(const Gate& gate, double share, double samples, GateResult& result) {
  const auto [low, high] = ShareInterval(share, samples);
  result.interval = {low, high};
  const auto undecided = [&](std::string note) {
    result.outcome = VerdictKind::kInconclusive;
    result.note = std::move(note);
  };
  if (gate.at_least && gate.threshold >= 1) {
    // No interval excludes 100 %: one that differs decides, and so do enough that agree.
    if (share < 1) return;
    if (samples >= kSamplesForAll) return;
    undecided(
        fmt::format("all {:.0f} agree, which is too few: {:.0f} would show that at most 5 % of "
                    "others differ",
                    samples, kSamplesForAll));
    return;
  }
  const bool straddles = low < gate.threshold && gate.threshold < high;
  if (!straddles) return;
  undecided(
      fmt::format("too few samples ({:.0f}): the 95 % interval {:.2f} % to {:.2f} % holds the "
                  "threshold",
                  samples, low * 100, high * 100));
}

/// The tensors that a gate looks at. Shares are counted over all rows of one name: prompts of a
/// batch are tensors of their own, and each alone has too few rows to show anything.
std::vector<TensorComparison> LookedAt(const Gate& gate, const Comparison& comparison) {
  std::vector<TensorComparison> found;
  for (const TensorComparison& tensor : comparison.tensors) {
    if (!Covers(gate, tensor) || !HasFigure(gate, tensor)) continue;
    const auto same = MetricOf(gate).kind == Kind::kShareOfRows
                          ? std::ranges::find(found, tensor.name, &TensorComparison::name)
                          : found.end();
    if (same == found.end()) {
      found.push_back(tensor);
      continue;
    }
    RowMetrics& all = *same->rows;
    const RowMetrics& more = *tensor.rows;
    const auto mean = [&](double a, double b) {
      const auto rows = static_cast<double>(all.rows), others = static_cast<double>(more.rows);
      return (a * rows + b * others) / (rows + others);
    };
    all.top1 = mean(all.top1, more.top1);
    all.top5 = mean(all.top5, more.top5);
    all.tie_like_flips += more.tie_like_flips;
    all.rows += more.rows;
  }
  return found;
}

GateResult JudgeTexts(const Gate& gate, const Comparison& comparison) {
  if (comparison.texts.empty()) return NothingCovered(gate, comparison);
  GateResult result{.gate = gate.text, .metric = gate.metric, .threshold = gate.threshold};
  double sum = 0;
  double worst = kNoFigure;
  for (const TextComparison& text : comparison.texts) {
    const double value = MetricOf(gate).of_text(text);
    sum += value;
    result.over += Holds(gate, value) ? 0 : 1;
    if (!std::isnan(worst) && !Worse(gate, value, worst)) continue;
    worst = value;
    result.tensor = text.item;
  }
  // Text figures are published as the mean over a set.
  result.tensors = static_cast<int64_t>(comparison.texts.size());
  const auto count = static_cast<double>(comparison.texts.size());
  result.value = sum / count;
  result.outcome = Holds(gate, result.value) ? VerdictKind::kPassed : VerdictKind::kFailed;
  result.note = fmt::format("mean of {} texts", result.tensors);
  if (gate.metric == "exact_text") JudgeShare(gate, result.value, count, result);
  return result;
}

}  // namespace

std::vector<std::string_view> GateMetrics() {
  std::vector<std::string_view> names;
  for (const Metric& metric : kMetrics) names.push_back(metric.name);
  return names;
}

Gate ParseGate(std::string_view text) {
  Gate gate{.text = std::string(text), .metric = {}};
  const size_t sign = text.find_first_of("<>=");
  if (sign == std::string_view::npos) Refuse(text, "it has no <, > or =");
  std::string_view left = text.substr(0, sign);
  std::string_view right = text.substr(sign + 1);
  const bool by_metric = text[sign] == '=';  // mre=1%: whichever bound the metric can have
  gate.strict = !by_metric && !right.starts_with('=');
  if (!gate.strict && !by_metric) right.remove_prefix(1);
  if (const size_t colon = left.rfind(':'); colon != std::string_view::npos) {
    gate.patterns = SplitNames(left.substr(0, colon), text);
    left.remove_prefix(colon + 1);
  }
  if (left.starts_with("avg(") && left.ends_with(')')) {
    gate.average = true;
    left = left.substr(4, left.size() - 5);
  }
  gate.metric = left;
  const Metric* metric = FindMetric(left);
  if (metric == nullptr) {
    Refuse(text, fmt::format("there is no metric '{}'; there are {}", left,
                             fmt::join(GateMetrics(), ", ")));
  }
  gate.at_least = by_metric ? metric->kind != Kind::kError : text[sign] == '>';
  const std::optional<double> threshold = ParseThreshold(right);
  if (!threshold) Refuse(text, fmt::format("'{}' is no number or percentage", right));
  gate.threshold = *threshold;
  if ((metric->kind == Kind::kError) == gate.at_least) {
    Refuse(text, fmt::format("{} is better the {} it is, so this bound asks for the worse",
                             gate.metric, gate.at_least ? "smaller" : "larger"));
  }
  return gate;
}

std::span<const GatePreset> GatePresets() {
  static const std::vector<GatePreset> presets = {
      {"vit",
       "ViT ports: same best label, mean relative error below 1 %",
       {"logits,labels:top1>=100%", "@outputs:mean_rel<1%"}},
      {"pe",
       "Perception Encoder ports: cosine of the features, relative error below 1 %",
       {"@outputs:cosine>0.999", "@outputs:rel_euclidean<1%"}},
      {"pix2struct", "Pix2Struct ports: ROUGE-L of the answers 1.0", {"rouge_l>=1"}},
      {"paddleocr_vl",
       "PaddleOCR-VL ports: MRE below 1 %, best token at least 99 %, cosine above 0.999",
       {"logits:mre<1%", "logits:top1>=99%", "logits:cosine>0.999"}},
      {"blendmask",
       "BlendMask ports: layers' mean and largest MRE below 10 %, boxes 0.10, scores 1 %, "
       "classes 70 %",
       {"stem,res?,level?,p?,basis_fused,bases,cls_logits.p?,bbox_reg.p?,ctrness.p?,top_feat.p?:"
        "avg(mre)<10%",
        "stem,res?,level?,p?,basis_fused,bases,cls_logits.p?,bbox_reg.p?,ctrness.p?,top_feat.p?:"
        "mre<10%",
        "box_distances:mean_abs<0.10", "top_scores:mean_rel<1%", "top_classes:top1>70%"}},
  };
  return presets;
}

std::vector<Gate> PresetGates(std::string_view name) {
  std::vector<std::string_view> names;
  for (const GatePreset& preset : GatePresets()) {
    names.push_back(preset.name);
    if (preset.name != name) continue;
    std::vector<Gate> gates;
    for (const std::string_view text : preset.gates) {
      gates.push_back(ParseGate(text));
      gates.back().preset = true;
    }
    return gates;
  }
  throw Error(ErrorKind::kUsage, fmt::format("--preset: there is no '{}'", name.substr(0, 40)),
              fmt::format("there are {}", fmt::join(names, ", ")));
}

bool Covers(const Gate& gate, const TensorComparison& tensor) {
  return gate.patterns.empty() || std::ranges::any_of(gate.patterns, [&](const std::string& p) {
           return PatternCovers(p, tensor);
         });
}

bool Keeps(const Gate& gate, const TensorComparison& tensor) {
  return !HasFigure(gate, tensor) || Holds(gate, MetricOf(gate).of_tensor(tensor));
}

GateResult JudgeGate(const Gate& gate, const Comparison& comparison) {
  const Metric& metric = MetricOf(gate);
  if (metric.kind == Kind::kText) return JudgeTexts(gate, comparison);
  GateResult result{.gate = gate.text, .metric = gate.metric, .threshold = gate.threshold};
  const std::vector<TensorComparison> tensors = LookedAt(gate, comparison);
  const TensorComparison* worst = nullptr;
  double sum = 0;
  bool only_nan = false;
  for (const TensorComparison& tensor : tensors) {
    const double value = metric.of_tensor(tensor);
    result.tensors += 1;
    sum += value;
    result.over += Holds(gate, value) ? 0 : 1;
    only_nan |= std::isnan(value);
    const bool worse =
        worst == nullptr || std::isnan(value) || Worse(gate, value, metric.of_tensor(*worst));
    if (worse && (worst == nullptr || !std::isnan(metric.of_tensor(*worst)))) worst = &tensor;
  }
  if (worst == nullptr) return NothingCovered(gate, comparison);
  result.tensor = worst->name;
  result.value = metric.of_tensor(*worst);
  if (gate.average) {
    result.value = sum / static_cast<double>(result.tensors);
    result.note = fmt::format("mean of {} tensors; the worst has {:.4g}", result.tensors,
                              metric.of_tensor(*worst));
    result.outcome = Holds(gate, result.value) ? VerdictKind::kPassed : VerdictKind::kFailed;
    return result;
  }
  result.outcome = result.over == 0 ? VerdictKind::kPassed : VerdictKind::kFailed;
  if (only_nan) result.note = "no pair of finite values";
  if (metric.kind == Kind::kShareOfRows) {
    JudgeShare(gate, result.value, static_cast<double>(worst->rows->rows), result);
    if (worst->rows->tie_like_flips > 0) {
      result.note += fmt::format("{}{} of the flips are ties that rounding decides",
                                 result.note.empty() ? "" : "; ", worst->rows->tie_like_flips);
    }
  }
  return result;
}

std::string PassingGate(const Gate& gate, const GateResult& result) {
  if (!std::isfinite(result.value)) return "";
  const size_t sign = gate.text.find_first_of("<>");
  const bool percent = gate.text.ends_with('%');
  const double value = percent ? result.value * 100 : result.value;
  // Outwards to four digits of what is missing: of the distance to 1 where a likeness is near it.
  const double whole = percent ? 100 : 1;
  const bool near_one = gate.at_least && value > 0.9 * whole && value < whole;
  const double distance = near_one ? whole - value : std::abs(value);
  if (distance == 0) return gate.text.substr(0, sign) + (gate.at_least ? ">=0" : "<=0");
  const double step = std::pow(10.0, std::floor(std::log10(distance)) - 3);
  const double rounded =
      gate.at_least ? std::floor(value / step) * step : std::ceil(value / step) * step;
  return fmt::format("{}{}{:.12g}{}", gate.text.substr(0, sign),
                     gate.at_least ? ">=" : "<=", rounded, percent ? "%" : "");
}

}  // namespace vernier
