#include "compare_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/bytes_text.h"

namespace vernier {
namespace {

constexpr size_t kFigureWidth = 11;
constexpr size_t kShortestName = 24;
constexpr size_t kUnpairedShown = 5;

struct Column {
  const char* title;
  std::string (*text)(const TensorMetrics&);
};

std::string Short(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3g}", value); }

std::string Percent(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3g} %", value * 100);
}

/// Near 1, the distance to it is what one wants to see.
std::string Likeness(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.8g}", value);
}

constexpr Column kPlainColumns[] = {
    {"max abs", [](const TensorMetrics& m) { return Short(m.max_abs); }},
    {"mean abs", [](const TensorMetrics& m) { return Short(m.mean_abs); }},
    {"MRE", [](const TensorMetrics& m) { return Percent(m.mre); }},
    {"rel L2", [](const TensorMetrics& m) { return Short(m.rel_euclidean); }},
    {"cosine", [](const TensorMetrics& m) { return Likeness(m.cosine); }},
    {"within", [](const TensorMetrics& m) { return Percent(m.within); }},
};

constexpr Column kMoreColumns[] = {
    {"max rel", [](const TensorMetrics& m) { return Short(m.max_rel); }},
    {"mean rel", [](const TensorMetrics& m) { return Percent(m.mean_rel); }},
    {"MSE", [](const TensorMetrics& m) { return Short(m.mse); }},
    {"RMSE", [](const TensorMetrics& m) { return Short(m.rmse); }},
    {"KL", [](const TensorMetrics& m) { return Short(m.kl); }},
    {"PSNR dB", [](const TensorMetrics& m) { return Short(m.psnr_db); }},
};

std::vector<Column> ColumnsOf(const TableOptions& options) {
  std::vector<Column> columns(std::begin(kPlainColumns), std::end(kPlainColumns));
  if (options.all_figures) {
    columns.insert(columns.end(), std::begin(kMoreColumns), std::end(kMoreColumns));
  }
  return columns;
}

/// Long names lose their middle: layers differ at the front, modules at the end.
std::string Fitted(const std::string& name, size_t width) {
  const std::string text = Printable(name);
  if (text.size() <= width) return text;
  const size_t back = (width - 1) * 2 / 3;
  const size_t front = width - 1 - back;
  return text.substr(0, front) + "…" + text.substr(text.size() - back);
}

double Badness(const TensorComparison& tensor) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (!tensor.not_compared.empty()) return kInfinity;
  if (tensor.accumulated.elements > 0 && !tensor.accumulated.comparable()) return kInfinity;
  const double error = tensor.accumulated.rel_euclidean;
  return std::isnan(error) ? (tensor.accumulated.max_abs > 0 ? kInfinity : 0) : error;
}

std::vector<const TensorComparison*> Shown(const Comparison& comparison, int64_t top) {
  std::vector<const TensorComparison*> tensors;
  for (const TensorComparison& tensor : comparison.tensors) tensors.push_back(&tensor);
  if (top == 0) return tensors;
  std::ranges::stable_sort(tensors, [](const TensorComparison* a, const TensorComparison* b) {
    return Badness(*a) > Badness(*b);
  });
  tensors.resize(std::min(tensors.size(), static_cast<size_t>(top)));
  return tensors;
}

bool HasOwnErrors(const Comparison& comparison) {
  return std::ranges::any_of(comparison.tensors,
                             [](const TensorComparison& tensor) { return tensor.own.has_value(); });
}

std::string OwnText(const TensorComparison& tensor) {
  if (!tensor.own) return "-";
  return Short(tensor.own->metrics.rel_euclidean) + (tensor.own->kind == "regional" ? "~" : "");
}

std::string NonFiniteText(const char* side, const NonFiniteCount& count) {
  return fmt::format("{} NaN and {} infinite on the {}", count.nan, count.inf, side);
}

void PrintRemarks(const TensorComparison& tensor, Terminal& terminal) {
  const auto remark = [&](const std::string& text) {
    terminal.Write(terminal.Toned(fmt::format("    {}\n", Printable(text)), Tone::kFaint));
  };
  if (!tensor.not_compared.empty()) remark("not compared: " + tensor.not_compared);
  if (!tensor.transposed.empty()) remark(tensor.transposed);
  if (tensor.paired_by != "name" && tensor.paired_by != "alias") {
    remark(fmt::format("paired with '{}' by {}", tensor.candidate.name, tensor.paired_by));
  }
  for (const std::string& note : tensor.notes) remark(note);
  const TensorMetrics& m = tensor.accumulated;
  if (m.reference.any() || m.candidate.any()) {
    remark(NonFiniteText("reference", m.reference) + ", " +
           NonFiniteText("candidate", m.candidate));
  }
  if (!tensor.rows) return;
  remark(fmt::format("best of {} rows agrees in {:.4g} %, best five share {:.4g} %{}",
                     tensor.rows->rows, tensor.rows->top1 * 100, tensor.rows->top5 * 100,
                     tensor.rows->tie_like_flips > 0
                         ? fmt::format("; {} flips are ties", tensor.rows->tie_like_flips)
                         : ""));
}

void PrintTensors(const Comparison& comparison, const TableOptions& options, Terminal& terminal) {
  const std::vector<const TensorComparison*> tensors = Shown(comparison, options.top);
  if (tensors.empty()) return;
  const std::vector<Column> columns = ColumnsOf(options);
  const bool own = HasOwnErrors(comparison);
  const size_t figures = (columns.size() + (own ? 1 : 0)) * kFigureWidth;
  size_t width = kShortestName;
  for (const TensorComparison* tensor : tensors) width = std::max(width, tensor->name.size());
  const auto available = static_cast<size_t>(terminal.width());
  const size_t room = available > figures + 3 ? available - figures - 3 : 0;
  width = std::clamp(width, kShortestName, std::max(kShortestName, room));
  std::string header = fmt::format("\n  {:<{}}", "tensor", width);
  for (const Column& column : columns) header += fmt::format("{:>{}}", column.title, kFigureWidth);
  if (own) header += fmt::format("{:>{}}", "own rel L2", kFigureWidth);
  terminal.Write(terminal.Toned(header, Tone::kFaint) + "\n");
  for (const TensorComparison* tensor : tensors) {
    std::string line = fmt::format("  {:<{}}", Fitted(tensor->name, width), width);
    const bool measured = tensor->not_compared.empty() && tensor->accumulated.elements > 0;
    if (measured || tensor->own) {
      for (const Column& column : columns) {
        line +=
            fmt::format("{:>{}}", measured ? column.text(tensor->accumulated) : "-", kFigureWidth);
      }
      if (own) line += fmt::format("{:>{}}", OwnText(*tensor), kFigureWidth);
    }
    const bool broken = std::isinf(Badness(*tensor));
    terminal.Write(terminal.Toned(line, broken ? Tone::kBad : Tone::kPlain) + "\n");
    PrintRemarks(*tensor, terminal);
  }
  if (tensors.size() < comparison.tensors.size()) {
    terminal.Print("  … and {} more (--top 0 shows all)\n",
                   comparison.tensors.size() - tensors.size());
  }
}

std::string TensorsText(int64_t count) {
  return fmt::format("{} tensor{}", count, count == 1 ? "" : "s");
}

void PrintSide(const char* role, const ComparedSide& side, Terminal& terminal) {
  std::vector<std::string> facts;
  for (const std::string* fact : {&side.family, &side.device, &side.dtype}) {
    if (!fact->empty()) facts.push_back(*fact);
  }
  terminal.Print("{:<10} {} {}{}, {}\n", role, side.kind, Printable(side.source),
                 facts.empty() ? "" : fmt::format(" ({})", fmt::join(facts, ", ")),
                 TensorsText(side.tensors));
}

void PrintUnpaired(const char* side, const std::vector<UnpairedTensor>& tensors,
                   Terminal& terminal) {
  if (tensors.empty()) return;
  terminal.Print("\non the {} only: {}\n", side, tensors.size());
  for (size_t i = 0; i < std::min(kUnpairedShown, tensors.size()); ++i) {
    terminal.Print("  {} {}: {}\n", Printable(tensors[i].name), tensors[i].shape.ToString(),
                   Printable(tensors[i].reason));
  }
  if (tensors.size() > kUnpairedShown) {
    terminal.Print("  … and {} more (--json lists all)\n", tensors.size() - kUnpairedShown);
  }
}

void PrintTexts(const Comparison& comparison, int64_t top, Terminal& terminal) {
  std::vector<const TextComparison*> texts;
  for (const TextComparison& text : comparison.texts) {
    if (text.reference != text.candidate) texts.push_back(&text);
  }
  if (comparison.texts.empty()) return;
  terminal.Print("\ntexts: {} of {} are equal\n", comparison.texts.size() - texts.size(),
                 comparison.texts.size());
  std::ranges::stable_sort(texts, {}, &TextComparison::rouge_l);
  if (top > 0) texts.resize(std::min(texts.size(), static_cast<size_t>(top)));
  constexpr size_t kTextShown = 70;
  for (const TextComparison* text : texts) {
    terminal.Print("  {}: ROUGE-L {:.4f}\n    - {}\n    + {}\n", Printable(text->item),
                   text->rouge_l, Printable(text->reference, kTextShown),
                   Printable(text->candidate, kTextShown));
  }
}

struct OutcomeLook {
  const char* word;
  Tone tone;
};

OutcomeLook LookOf(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kPassed:
      return {"PASS", Tone::kGood};
    case VerdictKind::kFailed:
      return {"FAIL", Tone::kBad};
    case VerdictKind::kInconclusive:
      break;
  }
  return {"OPEN", Tone::kWarning};
}

void PrintGates(const Comparison& comparison, Terminal& terminal) {
  if (!comparison.gates.empty()) terminal.Write("\n");
  for (const GateResult& gate : comparison.gates) {
    const OutcomeLook look = LookOf(gate.outcome);
    std::string line = fmt::format("{}  {}", terminal.Toned(look.word, look.tone), gate.gate);
    if (!std::isnan(gate.value)) {
      line += fmt::format(": {:.6g}", gate.value);
      if (!gate.tensor.empty()) line += fmt::format(" at {}", Printable(gate.tensor));
    }
    if (gate.over > 0) line += fmt::format(", {} of {} miss it", gate.over, gate.tensors);
    if (!gate.note.empty()) line += fmt::format(" ({})", gate.note);
    terminal.Write(line + "\n");
  }
}

void PrintList(const char* title, const std::vector<std::string>& items, Terminal& terminal) {
  if (items.empty()) return;
  terminal.Print("\n{}\n", title);
  for (const std::string& item : items) terminal.Print("  {}\n", Printable(item));
}

}  // namespace

void PrintComparison(const Comparison& comparison, const TableOptions& options,
                     Terminal& terminal) {
  PrintSide("reference", comparison.reference, terminal);
  PrintSide("candidate", comparison.candidate, terminal);
  terminal.Print("compared   {}, {} in {:.2f} s\n",
                 TensorsText(static_cast<int64_t>(comparison.tensors.size())),
                 BytesText(comparison.bytes_read), comparison.seconds);
  PrintTensors(comparison, options, terminal);
  PrintTexts(comparison, options.top, terminal);
  PrintUnpaired("reference", comparison.only_reference, terminal);
  PrintUnpaired("candidate", comparison.only_candidate, terminal);
  PrintGates(comparison, terminal);
  if (comparison.verdict.kind != VerdictKind::kPassed) {
    PrintList("where it comes from", comparison.verdict.culprits.sentences, terminal);
  }
  PrintList("not tested", comparison.verdict.not_tested, terminal);
  PrintList("notes", comparison.notes, terminal);
  terminal.Flush();
}

}  // namespace vernier
