// A report as blocks of content, without any form: the HTML and Markdown writers give it one.
// Plain data; texts are plain text, never markup.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "report/plot.h"

namespace vernier {

/// How good news is; the writers choose colours and signs.
enum class ReportTone { kPlain, kGood, kBad, kUnsure };

struct Paragraph {
  std::string text;
};

struct BulletList {
  std::vector<std::string> items;
};

struct Cell {
  std::string text;
  ReportTone tone = ReportTone::kPlain;
};

struct Column {
  std::string title;
  bool number = false;  // set flush right
};

struct Table {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
};

/// A plot, with its caption and the command that makes its figures again.
struct Figure {
  Plot plot;
  std::string caption;
};

/// Two answers to one question, differences marked by the writers.
struct TextPair {
  std::string name;
  std::string reference;
  std::string candidate;
  std::string remark;
};
struct TextPairs {
  std::string reference_title;
  std::string candidate_title;
  std::vector<TextPair> pairs;
};

/// Pictures with what was found in them.
struct GalleryItem {
  std::string name;
  std::string picture;  // data URI
  std::string text;
};
struct Gallery {
  std::vector<GalleryItem> items;
};

/// Commands as one could paste them into a shell, each with what it makes again.
struct Command {
  std::string what;
  std::string line;
};
struct Commands {
  std::vector<Command> lines;
};

using Block = std::variant<Paragraph, BulletList, Table, Figure, TextPairs, Gallery, Commands>;

struct Section {
  std::string id;  // for links within the report: lower-case letters, digits, dashes
  std::string title;
  std::string remark;  // behind the title: the verdict's word, a file name
  ReportTone tone = ReportTone::kPlain;
  std::vector<Block> blocks;
};

/// One figure that people look for first.
struct KeyFigure {
  std::string label;
  std::string value;
  std::string note;
  ReportTone tone = ReportTone::kPlain;
};

struct Document {
  std::string title;
  std::string verdict;  // "PASSED", "FAILED", "INCONCLUSIVE", "MEASURED"
  ReportTone tone = ReportTone::kPlain;
  std::vector<std::string> reasons;  // of the verdict, in words
  std::vector<KeyFigure> figures;
  std::vector<Section> sections;
  std::string made;  // when and by what, for the last line
};

}  // namespace vernier
