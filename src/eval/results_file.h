// A results file: a header that says what was evaluated and how, then one line per sample as it is
// done. It is written by one process at a time and survives its end at any point; opened again for
// the same evaluation, it goes on where it stopped.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/record.h"
#include "io/append_file.h"
#include "io/json.h"

namespace vernier {

/// What must be equal for two runs' records to stand in one file.
struct ResultsHeader {
  std::string version;  // of vernier
  std::string task;
  std::string model;  // as it was named; informative
  std::string model_sha256;
  std::string data;  // as it was named; informative
  std::string data_sha256;
  int64_t samples = 0;
  Json settings = Json::Object();  // what may change answers: device, dtype, generation
};

std::string ToLine(const ResultsHeader& header);

/// Opens, checks and reads a file of results to add to it.
class ResultsFile {
 public:
  /// A new or empty file gets the header. Throws Error{kInput} for a file that holds something
  /// else, for one of another model, data, task or settings, naming what differs, and for one that
  /// another process writes.
  ResultsFile(const std::string& path, const ResultsHeader& header);

  /// Records that were there when it was opened.
  const std::vector<Record>& records() const { return records_; }
  /// Bytes of an incomplete last line that were cut off when it was opened.
  int64_t torn_bytes() const { return torn_bytes_; }

  /// Adds records; they are on disk when this returns.
  void Append(std::span<const Record> records);

 private:
  AppendFile file_;
  std::vector<Record> records_;
  int64_t torn_bytes_ = 0;
};

struct StoredResults {
  ResultsHeader header;
  std::vector<Record> records;
  bool torn = false;  // its last line is incomplete
};

/// An earlier run's results, left as they are.
StoredResults ReadResults(const std::string& path);

}  // namespace vernier
