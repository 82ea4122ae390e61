// What became of one sample, and its line in a results file. Plain data.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eval/dataset.h"

namespace vernier {

struct Record {
  std::string id;
  std::string fingerprint;            // of the sample: pictures, question, expected answers
  std::vector<std::string> expected;  // a class as the model calls it, or right answers
  std::string error;                  // why it has no answer; empty when it has one
  std::vector<std::string> warnings;  // of how its pictures were read

  std::string answer;                                   // text, or the best label
  std::vector<std::string> ranked;                      // classes: the best five labels, best first
  std::vector<float> embedding;                         // retrieval
  std::vector<float> partner_embedding;                 // retrieval by pairs
  std::vector<std::pair<std::string, double>> figures;  // for readers: probability, scores
  int64_t tokens = 0;                                   // generated

  bool failed() const { return !error.empty(); }
};

/// One line of JSON with its newline; reading it back gives the same record, figures aside.
std::string ToLine(const Record& record);

/// `place` stands first in messages. Throws Error{kInput} for what is no record.
Record ParseRecord(std::string_view line, const std::string& place);

}  // namespace vernier
