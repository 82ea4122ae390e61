#include "io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(text), source_(source) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  bool AtEnd() const { return at_ >= text_.size(); }

  CsvRow ReadRow() {
    CsvRow row{.line = line_};
    row.fields.push_back(ReadField());
    while (!AtEnd() && text_[at_] == ',') {
      ++at_;
      row.fields.push_back(ReadField());
    }
    EndLine();
    return row;
  }

 private:
  std::string ReadField() {
    if (!AtEnd() && text_[at_] == '"') return ReadQuoted();
    const size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    std::string field(text_.substr(at_, end - at_));
    if ((end == text_.size() || text_[end] == '\n') && field.ends_with('\r')) field.pop_back();
    at_ = end;
    return field;
  }

  std::string ReadQuoted() {
    const int64_t opened = line_;
    std::string field;
    for (++at_;; ++at_) {
      if (AtEnd()) Refuse(opened, "a quote that opens here does not close");
      if (text_[at_] == '"') {
        ++at_;
        if (AtEnd() || text_[at_] != '"') break;  // a doubled quote stands for one
      }
      line_ += text_[at_] == '\n';
      field += text_[at_];
    }
    if (!AtEnd() && text_.substr(at_).starts_with("\r\n")) ++at_;
    if (!AtEnd() && text_[at_] != ',' && text_[at_] != '\n') {
      Refuse(line_, "text follows a closing quote; quotes within a field are doubled");
    }
    return field;
  }

  void EndLine() {
    if (!AtEnd()) ++at_;
    ++line_;
  }

  [[noreturn]] void Refuse(int64_t line, std::string_view what) const {
    throw Error(ErrorKind::kInput, fmt::format("{}:{}: {}", source_, line, what));
  }

  std::string_view text_;
  const std::string& source_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

bool SameLetters(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

Csv Csv::Parse(std::string_view text, std::string source) {
  Parser parser(text, source);
  Csv csv;
  if (parser.AtEnd()) {
    throw Error(ErrorKind::kInput, fmt::format("{}: is empty; expected a heading", source));
  }
  csv.heading_ = parser.ReadRow().fields;
  while (!parser.AtEnd()) {
    CsvRow row = parser.ReadRow();
    if (row.fields.size() == 1 && row.fields[0].empty()) continue;
    if (row.fields.size() != csv.heading_.size()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}:{}: expected {} fields as in the heading, found {}", source,
                              row.line, csv.heading_.size(), row.fields.size()),
                  "put fields that hold commas into double quotes");
    }
    csv.rows_.push_back(std::move(row));
  }
  return csv;
}

Csv Csv::ParseFile(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  Csv csv = Parse({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path);
  file.CheckIntact();
  return csv;
}

std::optional<size_t> Csv::Column(std::span<const std::string_view> names) const {
  for (std::string_view name : names) {
    for (size_t i = 0; i < heading_.size(); ++i) {
      if (SameLetters(heading_[i], name)) return i;
    }
  }
  return std::nullopt;
}

}  // namespace vernier
