#include "report/markdown.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vernier {
namespace {

// Longer plots are thinned out: the file is read by people.
constexpr size_t kMaxPlotRows = 16;

// `text` on one line without meaning of its own in Markdown.
std::string Plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// A code span that holds back-ticks in `text` whole.
std::string Fenced(std::string_view text) {
  std::string fence = "```";
  while (text.find(fence) != std::string_view::npos) fence += '`';
  return fmt::format("{}\n{}\n{}\n", fence, text, fence);
}

class MarkdownWriter {
 public:
  std::string Write(const Document& document) {
    text_ = fmt::format("# {}\n\n**{}**\n", Plain(document.title), Plain(document.verdict));
    Write(BulletList{document.reasons});
    if (!document.figures.empty()) {
      Table table{.columns = {{"figure"}, {"value"}, {"note"}}};
      for (const KeyFigure& figure : document.figures) {
        table.rows.push_back({{figure.label}, {figure.value}, {figure.note}});
      }
      Write(table);
    }
    for (const Section& section : document.sections) Write(section);
    text_ += fmt::format("\n---\n{}\n", Plain(document.made));
    return std::move(text_);
  }

 private:
  void Write(const Section& section) {
    text_ += fmt::format("\n## {}", Plain(section.title));
    if (!section.remark.empty()) text_ += fmt::format(" ({})", Plain(section.remark));
    text_ += "\n";
    for (const Block& block : section.blocks) {
      std::visit([this](const auto& content) { Write(content); }, block);
    }
  }

  void Write(const Paragraph& paragraph) { text_ += fmt::format("\n{}\n", Plain(paragraph.text)); }

  void Write(const BulletList& list) {
    if (!list.items.empty()) text_ += "\n";
    for (const std::string& item : list.items) text_ += fmt::format("- {}\n", Plain(item));
  }

  void Write(const Table& table) {
    text_ += "\n";
    if (!table.caption.empty()) text_ += fmt::format("{}\n\n", Plain(table.caption));
    std::string rule = "|";
    text_ += "|";
    for (const Column& column : table.columns) {
      text_ += fmt::format(" {} |", Plain(column.title));
      rule += column.number ? " ---: |" : " --- |";
    }
    text_ += fmt::format("\n{}\n", rule);
    for (const auto& row : table.rows) {
      text_ += "|";
      for (const Cell& cell : row) text_ += fmt::format(" {} |", Plain(cell.text));
      text_ += "\n";
    }
  }

  void Write(const Figure& figure) {
    Table table{.caption = fmt::format("{}: {}", figure.plot.title, figure.caption),
                .columns = {{figure.plot.x.label}, {"series"}, {figure.plot.y.label, true}}};
    for (const PlotSeries& series : figure.plot.series) {
      const size_t step = (series.points.size() + kMaxPlotRows - 1) / kMaxPlotRows;
      for (size_t i = 0; i < series.points.size(); i += std::max<size_t>(step, 1)) {
        const PlotPoint& point = series.points[i];
        table.rows.push_back(
            {{NameOf(figure.plot.x, point.x)}, {series.name}, {ShortNumber(point.y)}});
      }
    }
    Write(table);
  }

  static std::string NameOf(const PlotAxis& axis, double x) {
    const auto index = static_cast<size_t>(std::max(0.0, std::round(x)));
    return index < axis.names.size() ? axis.names[index] : ShortNumber(x);
  }

  void Write(const TextPairs& pairs) {
    Table table{.columns = {{"what"}, {pairs.reference_title}, {pairs.candidate_title}, {""}}};
    for (const TextPair& pair : pairs.pairs) {
      table.rows.push_back({{pair.name}, {pair.reference}, {pair.candidate}, {pair.remark}});
    }
    Write(table);
  }

  void Write(const Gallery& gallery) {
    Table table{.columns = {{"picture"}, {"result"}}};
    for (const GalleryItem& item : gallery.items) table.rows.push_back({{item.name}, {item.text}});
    Write(table);
  }

  void Write(const Commands& commands) {
    for (const Command& command : commands.lines) {
      text_ += fmt::format("\n{}\n\n{}", Plain(command.what), Fenced(command.line));
    }
  }

  std::string text_;
};

}  // namespace

std::string WriteMarkdown(const Document& document) { return MarkdownWriter().Write(document); }

}  // namespace vernier
