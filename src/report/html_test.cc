#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/markdown.h"

namespace vernier {
namespace {

using testing::HasSubstr;
using testing::Not;

Document Hostile() {
  const std::string attack = "<script>alert('x')</script>|`*";
  return {.title = attack,
          .verdict = "FAILED",
          .tone = ReportTone::kBad,
          .reasons = {attack},
          .figures = {{attack, attack, attack}},
          .sections = {{.id = "one",
                        .title = attack,
                        .remark = attack,
                        .blocks = {Paragraph{attack}, BulletList{{attack}},
                                   Table{attack, {{attack}}, {{{attack}}}},
                                   TextPairs{attack, attack, {{attack, attack, "b", attack}}},
                                   Gallery{{{attack, "", attack}}}, Commands{{{attack, attack}}}}}},
          .made = attack};
}

TEST(WriteHtml, NeverLetsATextBecomeMarkup) {
  EXPECT_THAT(WriteHtml(Hostile()), Not(HasSubstr("<script")));
}

TEST(WriteHtml, FetchesNothing) {
  const std::string html = WriteHtml(Hostile());
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* fetch : {"<link", "<script", "@import", "url(", "src=\"http", "href=\"http"}) {
    EXPECT_THAT(html, Not(HasSubstr(fetch))) << fetch;
  }
}

TEST(WriteHtml, SaysTheVerdictBeforeAnythingElse) {
  const std::string html = WriteHtml(Hostile());
  const size_t verdict = html.find("class=\"word\">FAILED");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_LT(verdict, html.find("<h2"));
  EXPECT_LT(verdict, html.find("<table"));
}

TEST(WriteHtml, MarksWhereTwoAnswersDiffer) {
  Document document;
  document.sections.push_back(
      {.id = "texts",
       .title = "Answers",
       .blocks = {TextPairs{"f32", "bf16", {{"chart.png", "about 42", "about 43", ""}}}}});
  const std::string html = WriteHtml(document);
  EXPECT_THAT(html, HasSubstr("about <del>42</del>"));
  EXPECT_THAT(html, HasSubstr("about <ins>43</ins>"));
}

TEST(WriteMarkdown, KeepsTextsFromBeingMarkup) {
  const std::string text = WriteMarkdown(Hostile());
  EXPECT_THAT(text, HasSubstr("\\<script\\>"));
  EXPECT_THAT(text, HasSubstr("\\|\\`\\*"));
}

TEST(WriteMarkdown, FencesCommandsThatHoldFences) {
  Document document;
  document.sections.push_back(
      {.id = "again", .title = "Again", .blocks = {Commands{{{"all", "echo ```"}}}}});
  EXPECT_THAT(WriteMarkdown(document), HasSubstr("````\necho ```\n````"));
}

TEST(WriteMarkdown, GivesAPlotAsATableOfItsValues) {
  Document document;
  document.sections.push_back(
      {.id = "plot",
       .title = "Plot",
       .blocks = {Figure{.plot = {.title = "throughput",
                                  .x = {.label = "batch", .names = {"1", "4"}},
                                  .y = {.label = "pictures/s"},
                                  .series = {{.name = "f32", .points = {{0, 10}, {1, 22.5}}}}},
                         .caption = "more is better"}}});
  EXPECT_THAT(WriteMarkdown(document), HasSubstr("| 4 | f32 | 22.5 |"));
}

}  // namespace
}  // namespace vernier
