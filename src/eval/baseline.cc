#include "eval/baseline.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

struct Pairs {
  std::vector<Record> now;
  std::vector<Record> before;
};

const std::string& AnswerOrError(const Record& record) {
  return record.failed() ? record.error : record.answer;
}

void CheckSameSample(const Record& now, const Record& before, const std::string& path) {
  if (now.fingerprint == before.fingerprint) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: the sample '{}' has another picture, question or expected answer "
                          "there than here",
                          path, now.id),
              "a baseline is a run on the same data");
}

}  // namespace

BaselineComparison CompareWithBaseline(EvalTask task, std::span<const std::string> metrics,
                                       std::span<const Record> records, const std::string& path,
                                       StoredResults baseline) {
  if (baseline.header.task != Name(task)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: is a run of the task {}, this one is {}", path,
                                               baseline.header.task, Name(task)));
  }
  std::map<std::string, Record> earlier;
  for (Record& record : baseline.records) {
    std::string id = record.id;
    earlier.emplace(std::move(id), std::move(record));
  }
  BaselineComparison comparison{
      .path = path, .header = std::move(baseline.header), .torn = baseline.torn};
  Pairs pairs;
  for (const Record& now : records) {
    const auto found = earlier.find(now.id);
    if (found == earlier.end()) {
      ++comparison.unpaired;
      continue;
    }
    const Record& before = found->second;
    CheckSameSample(now, before, path);
    if (AnswerOrError(now) != AnswerOrError(before)) {
      comparison.changed.push_back(
          {now.id, now.expected, AnswerOrError(before), AnswerOrError(now)});
    }
    if (now.failed() || before.failed()) {
      ++comparison.unpaired;
      continue;
    }
    pairs.now.push_back(now);
    pairs.before.push_back(before);
    pairs.before.back().expected = now.expected;  // the same samples, by their fingerprints
  }
  if (pairs.now.empty()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: shares no answered sample with this run", path),
                "a baseline is a run on the same data");
  }
  comparison.paired = std::ssize(pairs.now);
  for (const MetricTerms& terms : Agreement(task, pairs.now, pairs.before)) {
    comparison.agreement.push_back(Summarize(terms));
  }
  const auto now = Score(task, pairs.now, metrics, FailedSamples::kLeftOut);
  const auto before = Score(task, pairs.before, metrics, FailedSamples::kLeftOut);
  for (size_t i = 0; i < now.size(); ++i) {
    comparison.deltas.push_back(SummarizeDifference(now[i], before[i]));
  }
  return comparison;
}

}  // namespace vernier
