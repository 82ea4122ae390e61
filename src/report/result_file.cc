#include "report/result_file.h"

#include <fmt/format.h>

#include <optional>

#include "core/sha256.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::optional<ResultKind> KindOf(const Json& content) {
  if (!content.is_object()) return {};
  const std::string kind = content.GetString("kind", "");
  if (kind == "comparison") return ResultKind::kCompare;
  if (kind == "evaluation") return ResultKind::kEval;
  const auto holds = [&](std::string_view key) {
    const Json* member = content.Find(key);
    return member != nullptr && member->is_array();
  };
  if (holds("runs")) return ResultKind::kBench;
  if (holds("results") && content.Has("processor")) return ResultKind::kRun;
  return {};
}

}  // namespace

const char* Name(ResultKind kind) {
  switch (kind) {
    case ResultKind::kRun:
      return "run";
    case ResultKind::kCompare:
      return "compare";
    case ResultKind::kEval:
      return "eval";
    case ResultKind::kBench:
      break;
  }
  return "bench";
}

ResultFile ReadResultFile(const std::string& path) {
  ResultFile file{.path = path, .sha256 = Sha256OfFile(path), .content = Json::ParseFile(path)};
  const std::optional<ResultKind> kind = KindOf(file.content);
  if (!kind) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: holds no result of compare, eval, bench or run", path),
                "give the file that one of them wrote with --json");
  }
  file.kind = *kind;
  return file;
}

}  // namespace vernier
