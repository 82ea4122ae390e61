// The tasks' own ways to score records. For score.cc.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "eval/score.h"

namespace vernier {

/// What one query of a retrieval found.
struct RetrievalFigures {
  bool has_match = false;  // something in the set belongs to it
  int64_t rank = 0;        // pictures that do not, and are as near as the nearest that does
  double mean_cosine = 0;  // with those that do
};

/// Every answered record as a query. With partner embeddings, these are what is searched and each
/// query's own is the match; else all other records are, and those of its class match.
std::vector<RetrievalFigures> Retrieve(std::span<const Record> records);

/// Cosine of each record's embedding with its counterpart's.
MetricTerms EmbeddingAgreement(std::span<const Record> now, std::span<const Record> before);

/// COCO's figures of boxes and masks.
std::vector<std::string> ObjectMetricNames();
/// Those of `names`, then average precision of each class alone. Precision over a set is no mean
/// over its pictures: intervals come from scoring it again with pictures drawn anew.
std::vector<Metric> ScoreObjects(std::span<const Record> records,
                                 std::span<const std::string> names, FailedSamples failed);

std::vector<std::string> TextMetricNames();

/// One text metric; of several right answers the one that suits it best.
MetricTerms ScoreTexts(std::span<const Record> records, const std::string& name,
                       FailedSamples failed);

}  // namespace vernier
