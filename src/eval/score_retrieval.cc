#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/parallel.h"
#include "eval/score_tasks.h"
#include "pipeline/results.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Rows of length 1 (or 0 where a vector is zero), so that a product is a cosine.
class UnitRows {
 public:
  explicit UnitRows(size_t width) : width_(width) {}

  void Add(std::span<const float> row) {
    if (row.size() != width_) {
      throw Error(ErrorKind::kInput,
                  fmt::format("embeddings of {} and of {} numbers in one run's results", width_,
                              row.size()),
                  "the file was edited; run the set again into a new one");
    }
    double squares = 0;
    for (float value : row) squares += double{value} * value;
    const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    for (float value : row) values_.push_back(static_cast<float>(value * scale));
  }

  // Eight sums side by side: as many as a register holds, in an order that never changes.
  double Cosine(size_t a, const UnitRows& other, size_t b) const {
    constexpr size_t kLanes = 8;
    const float* x = values_.data() + a * width_;
    const float* y = other.values_.data() + b * width_;
    std::array<float, kLanes> sums{};
    size_t i = 0;
    for (; i + kLanes <= width_; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += x[i + lane] * y[i + lane];
    }
    double total = 0;
    for (float sum : sums) total += sum;
    for (; i < width_; ++i) total += x[i] * y[i];
    return total;
  }

 private:
  size_t width_;
  std::vector<float> values_;
};

struct Gallery {
  std::vector<size_t> records;  // of the answered ones
  UnitRows queries;
  UnitRows searched;
  bool pairs;
};

Gallery MakeGallery(std::span<const Record> records) {
  size_t width = 0;
  bool pairs = false;
  for (const Record& record : records) {
    if (record.failed()) continue;
    width = record.embedding.size();
    pairs = !record.partner_embedding.empty();
  }
  Gallery gallery{.queries = UnitRows(width), .searched = UnitRows(width), .pairs = pairs};
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].failed()) continue;
    gallery.records.push_back(i);
    gallery.queries.Add(records[i].embedding);
    gallery.searched.Add(pairs ? records[i].partner_embedding : records[i].embedding);
  }
  return gallery;
}

// The same picture may be the partner of several queries; it is then no wrong answer.
bool Matches(const Gallery& gallery, const Record& query, const Record& found) {
  return gallery.pairs ? query.partner_embedding == found.partner_embedding
                       : query.expected == found.expected;
}

RetrievalFigures Search(const Gallery& gallery, std::span<const Record> records, size_t query) {
  const Record& asked = records[gallery.records[query]];
  RetrievalFigures figures;
  std::vector<double> others;
  double nearest = -2;
  double sum = 0;
  int64_t matches = 0;
  for (size_t j = 0; j < gallery.records.size(); ++j) {
    if (!gallery.pairs && j == query) continue;
    const double cosine = gallery.queries.Cosine(query, gallery.searched, j);
    if (Matches(gallery, asked, records[gallery.records[j]])) {
      nearest = std::max(nearest, cosine);
      sum += cosine;
      ++matches;
    } else {
      others.push_back(cosine);
    }
  }
  if (matches == 0) return figures;
  figures.has_match = true;
  figures.mean_cosine = sum / static_cast<double>(matches);
  // Ties count against the model: equal embeddings find nothing.
  for (double cosine : others) figures.rank += cosine >= nearest;
  return figures;
}

}  // namespace

std::vector<RetrievalFigures> Retrieve(std::span<const Record> records) {
  const Gallery gallery = MakeGallery(records);
  std::vector<RetrievalFigures> figures(records.size());
  ParallelFor(AvailableThreads(), std::ssize(gallery.records), 1, [&](int64_t begin, int64_t end) {
    for (int64_t query = begin; query < end; ++query) {
      const auto index = static_cast<size_t>(query);
      figures[gallery.records[index]] = Search(gallery, records, index);
    }
  });
  return figures;
}

MetricTerms EmbeddingAgreement(std::span<const Record> now, std::span<const Record> before) {
  MetricTerms metric{.name = "baseline.cosine", .least = -1};
  for (size_t i = 0; i < now.size(); ++i) {
    const bool comparable = !now[i].failed() && !before[i].failed() &&
                            now[i].embedding.size() == before[i].embedding.size();
    comparable ? metric.AddValue(Cosine(now[i].embedding, before[i].embedding))
               : metric.AddNothing();
  }
  return metric;
}

}  // namespace vernier
