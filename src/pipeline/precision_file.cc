#include "pipeline/precision_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "core/suggest.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 20;
constexpr const char* kForm = "a line is NAME PRECISION, as in encoder.layer.3.* f32";

struct PrecisionWord {
  std::string_view name;
  Precision precision;
};

constexpr PrecisionWord kWords[] = {
    {"f32", {}},
    {"bf16", {DType::kBF16, DType::kBF16, DType::kBF16}},
    {"bf16-weights", {DType::kBF16, DType::kF32, DType::kF32}},
    {"int8", {DType::kI8, DType::kBF16, DType::kBF16}},
    {"int8-weights", {DType::kI8, DType::kF32, DType::kF32}},
};

Precision ParsePrecision(const std::string& word, const std::string& where) {
  for (const PrecisionWord& known : kWords) {
    if (known.name == word) return known.precision;
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: unknown precision '{}'", where, word.substr(0, 40)),
              "use f32, bf16, bf16-weights, int8 or int8-weights");
}

std::string FileText(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  if (file.bytes().size() > kMaxFileBytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("precision file {}: it has {} bytes, the limit is {}", path,
                            file.bytes().size(), kMaxFileBytes),
                "is it another file?");
  }
  return {file.bytes().begin(), file.bytes().end()};
}

}  // namespace

std::string PrecisionName(const Precision& precision) {
  const auto found = std::ranges::find(kWords, precision, &PrecisionWord::precision);
  return found == std::end(kWords) ? "" : std::string(found->name);
}

PrecisionRules ReadPrecisionFile(const std::string& path) {
  PrecisionRules rules;
  std::istringstream lines(FileText(path));
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string pattern, precision, more;
    if (!(words >> pattern) || line.starts_with('#')) continue;
    const std::string where = fmt::format("precision file {}: line {}", path, number);
    if (!(words >> precision) || words >> more) {
      throw Error(
          ErrorKind::kInput,
          fmt::format("{}: expected a name and a precision, found '{}'", where, line.substr(0, 60)),
          kForm);
    }
    rules.push_back({pattern, ParsePrecision(precision, where)});
  }
  if (rules.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("precision file {}: it holds no rule", path), kForm);
  }
  return rules;
}

void CheckPrecisionRules(const PrecisionRules& rules, std::span<const Graph* const> graphs,
                         const std::string& path) {
  std::vector<std::string_view> names;
  for (const Graph* graph : graphs) {
    for (const Node& node : graph->nodes()) {
      if (TakesPrecision(node)) names.push_back(node.name);
    }
  }
  for (const PrecisionRule& rule : rules) {
    const bool used = std::ranges::any_of(graphs, [&](const Graph* graph) {
      return std::ranges::any_of(graph->nodes(), [&](const Node& node) {
        return TakesPrecision(node) && Matches(rule, *graph, node);
      });
    });
    if (used) continue;
    const std::vector<std::string_view> near = NearestFew(rule.pattern, names, 3);
    throw Error(ErrorKind::kInput,
                fmt::format("precision file {}: the model has no node '{}' that multiplies", path,
                            rule.pattern.substr(0, 80)),
                near.empty() ? "vernier run --print-graph text lists the nodes"
                             : fmt::format("did you mean {}?", fmt::join(near, " or ")));
  }
}

std::string PrecisionFileText(const PrecisionRules& rules, const std::string& comment) {
  std::string text;
  std::istringstream lines(comment);
  for (std::string line; std::getline(lines, line);) text += fmt::format("# {}\n", line);
  for (const PrecisionRule& rule : rules) {
    text += fmt::format("{} {}\n", rule.pattern, PrecisionName(rule.precision));
  }
  return text;
}

}  // namespace vernier
