#include "eval/dataset.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::string Refusal(const std::string& path) {
  return MessageOf([&] { LoadDataset(path); });
}

TEST(Dataset, TakesFoldersByClass) {
  const ScratchFolder folder;
  folder.Write("cat/1.png", "");
  folder.Write("dog/a/2.jpg", "");
  const Dataset set = LoadDataset(folder.path());
  EXPECT_EQ(set.layout, "folders by class");
  ASSERT_THAT(set.samples, SizeIs(2));
  EXPECT_EQ(set.samples[1].id, "dog/a/2.jpg");
  EXPECT_EQ(set.samples[1].image, folder.path("dog/a/2.jpg"));
  EXPECT_THAT(set.samples[1].expected, ElementsAre("dog"));
  EXPECT_THAT(LoadDataset(folder.path(), 1).samples, SizeIs(1));
}

TEST(Dataset, TakesACsvOfLabelsPairsOrQuestions) {
  const ScratchFolder folder;
  const Dataset labels = LoadDataset(folder.Write("l.csv", "File,Label\nx/a.png,cat\n"));
  EXPECT_EQ(labels.kind, SetKind::kClasses);
  EXPECT_EQ(labels.samples[0].image, folder.path("x/a.png"));
  EXPECT_EQ(labels.samples[0].id, "x/a.png");
  const Dataset pairs = LoadDataset(folder.Write("p.csv", "file,match\na.png,/b.png\n"));
  EXPECT_EQ(pairs.kind, SetKind::kPairs);
  EXPECT_EQ(pairs.samples[0].partner, "/b.png");
  const Dataset questions = LoadDataset(
      folder.Write("q.csv", "image,question,answer\na.png,how many?,3\na.png,\"why, then?\",no\n"));
  EXPECT_EQ(questions.kind, SetKind::kQuestions);
  EXPECT_EQ(questions.samples[1].prompt, "why, then?");
  EXPECT_EQ(questions.samples[1].id, "line 3");
  EXPECT_THAT(questions.samples[1].expected, ElementsAre("no"));
}

TEST(Dataset, TakesJsonLinesWithOneOrSeveralAnswers) {
  const ScratchFolder folder;
  const Dataset set = LoadDataset(
      folder.Write("s.jsonl",
                   "{\"image\":\"a.png\",\"question\":\"q\",\"answers\":[\"x\",\"y\"]}\n\n"
                   "{\"id\":\"last\",\"image\":\"b.png\",\"answer\":14.5}\r\n"));
  ASSERT_THAT(set.samples, SizeIs(2));
  EXPECT_THAT(set.samples[0].expected, ElementsAre("x", "y"));
  EXPECT_EQ(set.samples[0].id, "line 1");
  EXPECT_EQ(set.samples[1].id, "last");
  EXPECT_THAT(set.samples[1].expected, ElementsAre("14.5"));
}

TEST(Dataset, TakesChartQaAsPublished) {
  const ScratchFolder folder;
  folder.Write("png/1.png", "");
  folder.Write("test_human.json", R"([{"imgname": "1.png", "query": "How?", "label": "12%"}])");
  folder.Write("test_augmented.json",
               R"([{"imgname": "1.png", "query": "Where?", "label": "UK"}])");
  const Dataset set = LoadDataset(folder.path());
  EXPECT_EQ(set.layout, "ChartQA");
  ASSERT_THAT(set.samples, SizeIs(2));
  EXPECT_EQ(set.samples[0].id, "test_augmented[0]");
  EXPECT_EQ(set.samples[1].prompt, "How?");
  EXPECT_EQ(set.samples[1].image, folder.path("png/1.png"));
  EXPECT_THAT(LoadDataset(folder.path("test_human.json")).samples, SizeIs(1));
}

TEST(Dataset, NamesThePlaceThatCannotBeRead) {
  const ScratchFolder folder;
  EXPECT_THAT(Refusal(folder.Write("a.jsonl", "{\"image\":\"a\",\"answer\":\"1\"}\n{\"image\":\n")),
              HasSubstr("a.jsonl:2: "));
  EXPECT_THAT(Refusal(folder.Write("b.jsonl", "{\"answer\":\"1\"}\n")),
              HasSubstr("b.jsonl:1: expected an object with a picture under 'image'"));
  EXPECT_THAT(Refusal(folder.Write("c.jsonl", "{\"image\":\"a\",\"answers\":[]}\n")),
              HasSubstr("c.jsonl:1: the list of answers is empty"));
  EXPECT_THAT(Refusal(folder.Write(
                  "d.jsonl", "{\"image\":\"a\",\"answer\":\"" + std::string(70000, 'x') + "\"}\n")),
              HasSubstr("d.jsonl:1: a text of 70000 bytes"));
  EXPECT_THAT(Refusal(folder.Write("e.csv", "name,label\na.png,1\n")),
              AllOf(HasSubstr("e.csv:1: "), HasSubstr("no column for the picture")));
  EXPECT_THAT(Refusal(folder.Write("f.csv", "file,label\n,1\n")),
              HasSubstr("f.csv:2: names no picture"));
  EXPECT_THAT(Refusal(folder.Write("g.json", "{}")), HasSubstr("expected an array of samples"));
}

TEST(Dataset, RefusesIdsThatOccurTwice) {
  const ScratchFolder folder;
  EXPECT_THAT(Refusal(folder.Write("a.csv", "file,label\nx.png,1\ny.png,1\nx.png,2\n")),
              AllOf(HasSubstr("a.csv:4: the id 'x.png' occurs twice"), HasSubstr("a.csv:2")));
}

TEST(Dataset, SaysWhatIsMissing) {
  const ScratchFolder folder;
  EXPECT_THAT(Refusal("/nowhere"), HasSubstr("cannot read /nowhere: No such file"));
  EXPECT_THAT(Refusal(folder.path()), HasSubstr("holds no pictures"));
  EXPECT_THAT(Refusal(folder.Write("a.csv", "file,label\n")), HasSubstr("the set is empty"));
  EXPECT_THAT(Refusal(folder.Write("a.txt", "")), HasSubstr("ends in .csv, .jsonl or .json"));
  const ScratchFolder flat;
  flat.Write("1.png", "");
  EXPECT_THAT(Refusal(flat.path()), HasSubstr("lies in no class folder"));
  const ScratchFolder several;
  several.Write("a.csv", "");
  several.Write("b.csv", "");
  EXPECT_THAT(Refusal(several.path()), HasSubstr("holds several sets"));
}

TEST(Dataset, TakesNamesThatAreNoUtf8) {
  const ScratchFolder folder;
  folder.Write("cat/\xff.png", "");
  folder.Write("cat/\xfe.png", "");
  const Dataset set = LoadDataset(folder.path());
  ASSERT_THAT(set.samples, SizeIs(2));
  EXPECT_EQ(set.samples[0].id, "cat/\\xFE.png");
  EXPECT_EQ(set.samples[0].image, folder.path("cat/\xfe.png"));
}

}  // namespace
}  // namespace vernier
