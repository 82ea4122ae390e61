// Result files of the other verbs, recognised by what they hold.
#pragma once

#include <string>

#include "io/json.h"

namespace vernier {

enum class ResultKind { kRun, kCompare, kEval, kBench };
const char* Name(ResultKind kind);

struct ResultFile {
  std::string path;
  std::string sha256;
  ResultKind kind = ResultKind::kRun;
  Json content;
};

/// Throws Error{kInput} for a file that cannot be read, is no JSON or holds no result of vernier.
ResultFile ReadResultFile(const std::string& path);

}  // namespace vernier
