// Comma-separated values as RFC 4180 has them: a heading, quoted fields with commas, quotes and
// line breaks in them, lines ending in LF or CRLF, a byte-order mark in front. Field bytes are kept
// as they are. Values; const members may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

struct CsvRow {
  int64_t line = 0;  // where it begins, counted from 1
  std::vector<std::string> fields;
};

class Csv {
 public:
  /// `source` stands first in messages. Throws Error{kInput} naming the line whose fields do not
  /// fit the heading or whose quotes do not close.
  static Csv Parse(std::string_view text, std::string source);
  static Csv ParseFile(const std::string& path);

  const std::vector<std::string>& heading() const { return heading_; }
  std::span<const CsvRow> rows() const { return rows_; }

  /// Position of the first of `names` that the heading has, case ignored.
  std::optional<size_t> Column(std::span<const std::string_view> names) const;

 private:
  std::vector<std::string> heading_;
  std::vector<CsvRow> rows_;
};

}  // namespace vernier
