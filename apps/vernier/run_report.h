// What `vernier run` says: lines as results come, tables, and the JSON object of the contract.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/results.h"
#include "run_options.h"
#include "terminal.h"
#include "vernier/session.h"

namespace vernier {

/// One picture, or one row of a fed tensor, or one conversation.
struct PictureResult {
  std::string image;
  std::string question = {};          // of a conversation
  std::vector<PictureInfo> pictures;  // one, but in conversations
  std::vector<LabelScore> labels;
  std::vector<float> embedding;
  Shape features;                             // [tokens, width]
  std::optional<GeneratedText> answer;        // of a model that writes
  std::optional<PictureInstances> instances;  // of a model that finds objects
};

struct FailedPicture {
  std::string image;
  std::string error;
};

struct RunReport {
  const RunVerbOptions& options;
  const Session& session;
  std::vector<PictureResult> results = {};
  std::vector<FailedPicture> failed = {};
  std::vector<PlacedNode> placement = {};
  double decode_s = 0;
  double run_s = 0;
  double detect_s = 0;  // from a detector's maps to instances
  double total_s = 0;
  GenerationSeconds generation = {};  // summed over the batches
  bool beams = false;                 // answers have scores
  bool one_picture = false;           // its answer stands alone
  bool several_questions = false;     // of one picture: an answer stands below its own
};

/// Text that a model wrote, safe for a terminal: lines and tabs stay, other control characters are
/// shown as \xHH.
std::string ShownText(std::string_view text);
/// The line above the answer of a conversation; empty where there is one alone.
std::string HeadingOf(const PictureResult& result, const RunReport& report);
void PrintResult(const PictureResult& result, const RunReport& report, Terminal& terminal);
void PrintSimilarity(const RunReport& report, Terminal& terminal);
void PrintPlacement(const std::vector<PlacedNode>& placement, Terminal& terminal);
std::string ToJson(const RunReport& report);

}  // namespace vernier
