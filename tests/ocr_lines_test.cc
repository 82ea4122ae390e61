// The model that comes along and reads printed lines, on 100 lines that it never saw.
#include <fstream>
#include <string>
#include <vector>

#include "io/json.h"
#include "metrics/text_edits.h"
#include "vernier/session.h"

namespace vernier {
namespace {

const std::string kModel = std::string(VERNIER_SOURCE_DIR) + "/models/lines-paddleocr-vl";

struct HeldOutLine {
  std::string file;
  std::string text;
  std::string of_transformers;  // what it reads there
};

std::vector<HeldOutLine> HeldOut() {
  const Json reference = Json::ParseFile(kModel + "/test/reference_texts.json");
  std::vector<HeldOutLine> lines;
  std::ifstream labels(kModel + "/test/labels.jsonl");
  for (std::string row; std::getline(labels, row);) {
    const Json label = Json::Parse(row, "labels.jsonl");
    lines.push_back({kModel + "/test/" + label.GetString("image"), label.GetString("answer"),
                     reference.items()[lines.size()].GetString("text")});
  }
  return lines;
}

std::vector<std::string> Read(const std::vector<HeldOutLine>& lines, const std::string& dtype) {
  std::vector<ChatPrompt> prompts;
  for (const HeldOutLine& line : lines) {
    prompts.push_back({.turns = {{.pictures = {{line.file}}, .text = "OCR:"}}});
  }
  Session session({.model = kModel, .dtype = dtype});
  const GenerationOutput output = session.Generate(session.ReadChats(prompts).inputs,
                                                   {.options = *session.generation_options()});
  std::vector<std::string> texts;
  for (const GeneratedText& row : output.rows) texts.push_back(row.text);
  return texts;
}

// The same for every test: once, for under the sanitizers it takes ten seconds.
const std::vector<std::string>& TextsInF32() {
  static const std::vector<std::string> texts = Read(HeldOut(), "f32");
  return texts;
}

double CharacterErrorRate(const std::vector<HeldOutLine>& lines,
                          const std::vector<std::string>& texts) {
  EditCounts all;
  for (size_t i = 0; i < lines.size(); ++i) {
    const EditCounts counts = CharacterEdits(lines[i].text, texts[i]);
    all.edits += counts.edits;
    all.reference_length += counts.reference_length;
  }
  return ErrorRate(all);
}

TEST(LinesModel, ReachesTheFigureOfItsCard) {
  const std::vector<HeldOutLine> lines = HeldOut();
  ASSERT_EQ(lines.size(), 100u);
  EXPECT_LE(CharacterErrorRate(lines, TextsInF32()), 0.01);  // the card says 0.92 %
}

TEST(LinesModel, ReadsWhatTransformersReads) {
  const std::vector<HeldOutLine> lines = HeldOut();
  const std::vector<std::string>& texts = TextsInF32();
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(texts[i], lines[i].of_transformers);
}

TEST(LinesModel, ReadsTheSameInBf16OnAtLeast95Percent) {
  const std::vector<HeldOutLine> lines = HeldOut();
  const std::vector<std::string>& f32 = TextsInF32();
  const std::vector<std::string> bf16 = Read(lines, "bf16");
  size_t same = 0;
  for (size_t i = 0; i < lines.size(); ++i) same += f32[i] == bf16[i];
  EXPECT_GE(same, lines.size() * 95 / 100);
}

// Every fourth line, for time: that is where those in faces that training left out stand.
TEST(LinesModel, ReadsAsWellWithWeightsIn8Bits) {
  std::vector<HeldOutLine> lines;
  const std::vector<HeldOutLine> all = HeldOut();
  for (size_t i = 3; i < all.size(); i += 4) lines.push_back(all[i]);
  ASSERT_EQ(lines.size(), 25u);
  const std::vector<std::string> texts = Read(lines, "int8");
  size_t same = 0;
  for (size_t i = 0; i < lines.size(); ++i) same += texts[i] == lines[i].of_transformers;
  EXPECT_GE(same, lines.size() - 1);
  // In f32 these have 1.96 % wrong by the card; all 100 together 0.92 % in f32, bf16 and int8.
  EXPECT_LE(CharacterErrorRate(lines, texts), 0.03);
}

}  // namespace
}  // namespace vernier
