#include "eval/run_samples.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/check.h"
#include "core/interrupt.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::vector<Record> AnswerBatch(const SampleRun& run, const AnswerSamples& answer,
                                std::span<const size_t> positions) {
  std::vector<Sample> samples;
  for (size_t position : positions) samples.push_back(run.samples[position]);
  std::vector<Record> records = answer(samples);
  VN_CHECK(records.size() == samples.size());
  for (size_t i = 0; i < records.size(); ++i) {
    Record& record = records[i];
    record.id = samples[i].id;
    record.fingerprint = run.fingerprints[positions[i]];
    record.expected = samples[i].expected;
    for (auto& figure : ScoreOne(run.task, record)) record.figures.push_back(std::move(figure));
  }
  return records;
}

}  // namespace

SampleRunResult RunSamples(const SampleRun& run) {
  std::map<std::string, Record> done;
  if (run.file != nullptr) {
    for (const Record& record : run.file->records()) done.emplace(record.id, record);
  }
  const auto resumed = static_cast<int64_t>(done.size());
  std::vector<size_t> left;
  for (size_t i = 0; i < run.samples.size(); ++i) {
    if (!done.contains(run.samples[i].id)) left.push_back(i);
  }

  if (!left.empty()) {
    const AnswerSamples answer = run.open_model();
    const auto batch = static_cast<size_t>(run.batch);
    for (size_t at = 0; at < left.size() && !Interrupted(); at += batch) {
      const auto positions = std::span(left).subspan(at, std::min(batch, left.size() - at));
      if (run.progress) run.progress(static_cast<int64_t>(at), std::ssize(left));
      std::vector<Record> records;
      try {
        records = AnswerBatch(run, answer, positions);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kInterrupted) throw;
        break;  // the batch begins anew when the run is resumed
      }
      if (run.file != nullptr) run.file->Append(records);
      for (Record& record : records) {
        if (run.take) run.take(record);
        std::string id = record.id;
        done.insert_or_assign(std::move(id), std::move(record));
      }
    }
  }

  SampleRunResult result{.resumed = resumed};
  for (const Sample& sample : run.samples) {
    const auto found = done.find(sample.id);
    if (found == done.end()) continue;
    result.records.push_back(std::move(found->second));
    // What is right is the set's to say, not that of a file which somebody may have edited.
    result.records.back().expected = sample.expected;
  }
  result.complete = result.records.size() == run.samples.size();
  return result;
}

}  // namespace vernier
