#include "eval/results_file.h"

#include <filesystem>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

ResultsHeader Header() {
  ResultsHeader header{.version = "1",
                       .task = "answer",
                       .model = "m",
                       .model_sha256 = "aa",
                       .data = "d",
                       .data_sha256 = "bb",
                       .samples = 3};
  header.settings["dtype"] = "f32";
  return header;
}

Record Answered(const std::string& id) {
  return {.id = id,
          .fingerprint = "f" + id,
          .expected = {"x", "ÿ"},
          .warnings = {"16-bit grey is clipped"},
          .answer = "line\n\"two\"",
          .embedding = {0.1f, -3e-7f}};
}

// What Header() says with one thing changed, refused.
std::string Refusal(const std::string& path, const std::function<void(ResultsHeader&)>& change) {
  ResultsHeader header = Header();
  change(header);
  return MessageOf([&] { ResultsFile{path, header}; });
}

class ResultsFileTest : public testing::Test {
 protected:
  // A file with the records "1" and "2".
  std::string MakeFile() {
    const std::string path = folder_.path("r.jsonl");
    ResultsFile file(path, Header());
    const std::vector<Record> records = {Answered("1"), {.id = "2", .error = "no such file"}};
    file.Append(records);
    return path;
  }
  ScratchFolder folder_;
};

TEST_F(ResultsFileTest, GivesBackItsRecords) {
  const ResultsFile file(MakeFile(), Header());
  ASSERT_THAT(file.records(), SizeIs(2));
  const Record& first = file.records()[0];
  EXPECT_EQ(first.id, "1");
  EXPECT_EQ(first.answer, "line\n\"two\"");
  EXPECT_THAT(first.expected, ElementsAre("x", "ÿ"));
  EXPECT_THAT(first.warnings, ElementsAre("16-bit grey is clipped"));
  EXPECT_EQ(first.embedding, Answered("1").embedding);
  EXPECT_EQ(file.records()[1].error, "no such file");
  EXPECT_EQ(file.torn_bytes(), 0);
}

TEST_F(ResultsFileTest, CutsAnIncompleteLastLineOffAtEveryByte) {
  const std::string whole = ReadAll(MakeFile());
  const size_t header = whole.find('\n') + 1;
  const size_t first = whole.find('\n', header) + 1;
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const std::string path = folder_.Write("torn.jsonl", whole.substr(0, bytes));
    {
      ResultsFile file(path, Header());
      const size_t records = bytes < first ? 0 : 1;
      ASSERT_THAT(file.records(), SizeIs(records)) << bytes;
      const std::vector<Record> rest = {Answered("3")};
      file.Append(rest);
    }
    const ResultsFile again(path, Header());
    EXPECT_EQ(again.records().back().id, "3");
  }
}

TEST_F(ResultsFileTest, CutsALastLineOfZerosOff) {
  const std::string path = MakeFile();
  folder_.Write("r.jsonl", ReadAll(path) + std::string(40, '\0') + "\n");
  const ResultsFile file(path, Header());
  EXPECT_THAT(file.records(), SizeIs(2));
  EXPECT_EQ(file.torn_bytes(), 41);
}

TEST_F(ResultsFileTest, SaysWhatDiffers) {
  const std::string path = MakeFile();
  const std::string before = ReadAll(path);
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.model_sha256 = "cc"; }),
              HasSubstr("the model (SHA-256) is aa there and cc here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.data_sha256 = "cc"; }),
              HasSubstr("the data (SHA-256) is bb there and cc here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.samples = 4; }),
              HasSubstr("the number of samples is 3 there and 4 here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.task = "classify"; }),
              HasSubstr("the task is answer there and classify here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.version = "2"; }),
              HasSubstr("vernier's version is 1 there and 2 here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.settings["dtype"] = "bf16"; }),
              HasSubstr("dtype is \"f32\" there and \"bf16\" here"));
  EXPECT_THAT(Refusal(path, [](ResultsHeader& h) { h.settings["beams"] = 4; }),
              HasSubstr("beams is absent there and 4 here"));
  EXPECT_EQ(ReadAll(path), before);
  // Where model and data lie does not matter.
  EXPECT_EQ(Refusal(path, [](ResultsHeader& h) { h.model = "elsewhere"; }), "no error");
}

TEST_F(ResultsFileTest, LeavesFilesThatAreNoResultsAlone) {
  const std::string path = folder_.Write("labels.csv", "file,label\n");
  EXPECT_THAT(Refusal(path, [](ResultsHeader&) {}), HasSubstr("something else than results"));
  EXPECT_EQ(ReadAll(path), "file,label\n");
  EXPECT_THAT(MessageOf([&] { ReadResults(path); }), HasSubstr("something else than results"));
  EXPECT_THAT(MessageOf([&] { ReadResults("/nowhere.jsonl"); }), HasSubstr("/nowhere.jsonl"));
}

TEST_F(ResultsFileTest, NamesTheLineThatIsDamaged) {
  const std::string whole = ReadAll(MakeFile());
  const size_t header = whole.find('\n') + 1;
  const std::string path =
      folder_.Write("r.jsonl", whole.substr(0, header) + "{]\n" + whole.substr(header));
  EXPECT_THAT(Refusal(path, [](ResultsHeader&) {}), HasSubstr("r.jsonl:2"));
  folder_.Write("r.jsonl", whole + whole.substr(header));
  EXPECT_THAT(Refusal(path, [](ResultsHeader&) {}), HasSubstr("the sample '1' is there twice"));
  folder_.Write("r.jsonl", "{\"vernier_eval\": 9}\n");
  EXPECT_THAT(Refusal(path, [](ResultsHeader&) {}), HasSubstr("format 9, this vernier reads 1"));
}

TEST_F(ResultsFileTest, HasOneWriter) {
  const std::string path = MakeFile();
  const ResultsFile first(path, Header());
  EXPECT_THAT(Refusal(path, [](ResultsHeader&) {}), HasSubstr("another process is writing it"));
}

}  // namespace
}  // namespace vernier
