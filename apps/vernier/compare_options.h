// The flags of `vernier compare` that every kind of side has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "flags.h"
#include "proof_flags.h"
#include "verify/compare_sources.h"
#include "verify/judge.h"

namespace vernier {

struct CompareVerbOptions {
  std::string first_side;   // positional
  std::string second_side;  // positional
  std::string reference;    // --reference; after ResolveSides, the reference
  std::string candidate;    // --candidate; after ResolveSides, the candidate
  std::vector<std::string> gates;
  std::string preset;
  std::string scope = "numerics";
  std::vector<std::string> tolerances;
  bool same_kernels = false;
  std::vector<std::string> maps;
  bool pair_by_shape = false;
  std::vector<std::string> filters;
  int64_t top = 20;
  std::string columns = "plain";
  std::string json;
  // For sides that are run on the spot.
  ProofFlags proof;
  std::string precision_file;
  std::string bisect;
  bool self = false;
  bool no_cache = false;
};

std::vector<Flag> CompareFlags(CompareVerbOptions& options);

/// Puts each side into `reference` and `candidate`, however it was given. Throws Error{kUsage} when
/// one is missing or there are three.
void ResolveSides(CompareVerbOptions& options);

/// Throws Error{kUsage} naming the flag and its value.
CompareOptions ToCompareOptions(const CompareVerbOptions& options);
JudgeOptions ToJudgeOptions(const CompareVerbOptions& options);

/// The words that would repeat this comparison.
std::vector<std::string> CommandOf(const CompareVerbOptions& options);

}  // namespace vernier
