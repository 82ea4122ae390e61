#include "report/html.h"

#include <fmt/format.h>

#include <string_view>

#include "report/style.h"
#include "report/text_diff.h"

namespace vernier {
namespace {

const char* Class(ReportTone tone) {
  switch (tone) {
    case ReportTone::kGood:
      return "good";
    case ReportTone::kBad:
      return "bad";
    case ReportTone::kUnsure:
      return "unsure";
    case ReportTone::kPlain:
      break;
  }
  return "plain";
}

// Names of tensors and files may be broken behind their dots, slashes and underscores.
std::string Breakable(std::string_view text) {
  std::string out;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '.' && text[i] != '/' && text[i] != '_') continue;
    out += EscapeMarkup(text.substr(begin, i + 1 - begin)) + "<wbr>";
    begin = i + 1;
  }
  return out + EscapeMarkup(text.substr(begin));
}

// One overload per kind of block; the text of the file grows from the top to the bottom.
class HtmlWriter {
 public:
  std::string Write(const Document& document) {
    Head(document);
    Verdict(document);
    KeyFigures(document);
    Contents(document);
    for (const Section& section : document.sections) Write(section);
    html_ += fmt::format("<footer>{}</footer>\n</main>\n</body>\n</html>\n",
                         EscapeMarkup(document.made));
    return std::move(html_);
  }

 private:
  void Head(const Document& document) {
    // The policy makes the promise that nothing is fetched one that the browser keeps.
    html_ += fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:\">\n"
        "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        EscapeMarkup(document.title), kReportStyle);
  }

  void Verdict(const Document& document) {
    html_ += fmt::format("<section class=\"verdict {}\">\n<div class=\"word\">{}</div>\n",
                         Class(document.tone), EscapeMarkup(document.verdict));
    List(document.reasons);
    html_ += "</section>\n";
  }

  void KeyFigures(const Document& document) {
    if (document.figures.empty()) return;
    html_ += "<dl class=\"figures\">\n";
    for (const KeyFigure& figure : document.figures) {
      html_ += fmt::format(
          "<div class=\"{}\"><dt>{}</dt><dd class=\"value\">{}</dd><dd class=\"note\">{}</dd>"
          "</div>\n",
          Class(figure.tone), EscapeMarkup(figure.label), EscapeMarkup(figure.value),
          EscapeMarkup(figure.note));
    }
    html_ += "</dl>\n";
  }

  void Contents(const Document& document) {
    html_ += "<nav aria-label=\"Contents\">\n";
    for (const Section& section : document.sections) {
      html_ += fmt::format("<a href=\"#{}\">{}</a>\n", section.id, EscapeMarkup(section.title));
    }
    html_ += "</nav>\n";
  }

  void Write(const Section& section) {
    html_ += fmt::format("<section>\n<h2 id=\"{}\">{}", section.id, EscapeMarkup(section.title));
    if (!section.remark.empty()) {
      html_ += fmt::format(" <span class=\"remark {}\">{}</span>", Class(section.tone),
                           EscapeMarkup(section.remark));
    }
    html_ += "</h2>\n";
    for (const Block& block : section.blocks) {
      std::visit([this](const auto& content) { Write(content); }, block);
    }
    html_ += "</section>\n";
  }

  void Write(const Paragraph& paragraph) {
    html_ += fmt::format("<p>{}</p>\n", EscapeMarkup(paragraph.text));
  }

  void Write(const BulletList& list) { List(list.items); }

  void List(const std::vector<std::string>& items) {
    if (items.empty()) return;
    html_ += "<ul>\n";
    for (const std::string& item : items) html_ += fmt::format("<li>{}</li>\n", EscapeMarkup(item));
    html_ += "</ul>\n";
  }

  void Write(const Table& table) {
    // Above the table and not in it: a wide table scrolls, its caption wraps.
    if (!table.caption.empty()) {
      html_ += fmt::format("<p class=\"caption\">{}</p>\n", EscapeMarkup(table.caption));
    }
    html_ += fmt::format("<div class=\"scroll\"><table aria-label=\"{}\">\n",
                         EscapeMarkup(table.caption));
    html_ += "<thead><tr>";
    for (const Column& column : table.columns) {
      html_ += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"number\"" : "",
                           EscapeMarkup(column.title));
    }
    html_ += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      html_ += "<tr>";
      for (size_t i = 0; i < row.size(); ++i) WriteCell(row[i], table.columns[i].number);
      html_ += "</tr>\n";
    }
    html_ += "</tbody></table></div>\n";
  }

  void WriteCell(const Cell& cell, bool number) {
    html_ += fmt::format("<td class=\"{}{}\">{}</td>", Class(cell.tone), number ? " number" : "",
                         number ? EscapeMarkup(cell.text) : Breakable(cell.text));
  }

  void Write(const Figure& figure) {
    html_ +=
        fmt::format("<figure><div class=\"scroll\">{}</div><figcaption>{}</figcaption></figure>\n",
                    DrawSvg(figure.plot), EscapeMarkup(figure.caption));
  }

  void Write(const TextPairs& pairs) {
    for (const TextPair& pair : pairs.pairs) {
      html_ += fmt::format("<div class=\"pair\">\n<div class=\"name\">{}</div>\n",
                           EscapeMarkup(pair.name));
      if (!pair.remark.empty()) {
        html_ += fmt::format("<div class=\"remark\">{}</div>\n", EscapeMarkup(pair.remark));
      }
      const auto parts = DiffWords(pair.reference, pair.candidate);
      html_ += "<div class=\"sides\">\n";
      Side(pairs.reference_title, parts, DiffKind::kOnlyReference, "del");
      Side(pairs.candidate_title, parts, DiffKind::kOnlyCandidate, "ins");
      html_ += "</div>\n</div>\n";
    }
  }

  // The parts of one side, its own ones marked.
  void Side(const std::string& title, const std::vector<DiffPart>& parts, DiffKind own,
            std::string_view tag) {
    html_ += fmt::format("<div><h3>{}</h3><p>", EscapeMarkup(title));
    for (const DiffPart& part : parts) {
      if (part.kind == DiffKind::kSame) html_ += EscapeMarkup(part.text);
      if (part.kind == own) html_ += fmt::format("<{0}>{1}</{0}>", tag, EscapeMarkup(part.text));
    }
    html_ += "</p></div>\n";
  }

  void Write(const Gallery& gallery) {
    html_ += "<div class=\"gallery\">\n";
    for (const GalleryItem& item : gallery.items) {
      html_ += fmt::format(
          "<figure><img alt=\"{0}\" src=\"{1}\"><figcaption>{0}</figcaption><p>{2}</p></figure>\n",
          EscapeMarkup(item.name), item.picture, EscapeMarkup(item.text));
    }
    html_ += "</div>\n";
  }

  void Write(const Commands& commands) {
    for (const Command& command : commands.lines) {
      html_ += fmt::format("<p>{}</p>\n<pre>{}</pre>\n", EscapeMarkup(command.what),
                           EscapeMarkup(command.line));
    }
  }

  std::string html_;
};

}  // namespace

std::string WriteHtml(const Document& document) { return HtmlWriter().Write(document); }

}  // namespace vernier
