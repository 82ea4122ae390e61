#include "io/pickle.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;
using std::string_literals::operator""s;

bool AllowFew(std::string_view name) {
  return name == "collections OrderedDict" || name == "collections Counter" ||
         name == "torch FloatStorage";
}

Pickle Read(const std::string& text) {
  return Pickle::Parse({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "m.pt",
                       AllowFew);
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] { Read(text); });
}

TEST(Pickle, ReadsNumbersTextAndContainers) {
  // {'a': [1, -2, 2.5, None, True], 'b': (b'xy', -129)}
  const Pickle pickle = Read(
      "\x80\2}q\0(X\1\0\0\0a](K\1J\xfe\xff\xff\xffG\x40\4\0\0\0\0\0\0N\x88"
      "eX\1\0\0\0bC\2xy\x8a\2\x7f\xff\x86u."s);
  const PickleNode& a = *pickle.root().Find("a");
  ASSERT_EQ(a.items.size(), 5u);
  EXPECT_EQ(a.items[0]->integer, 1);
  EXPECT_EQ(a.items[1]->integer, -2);
  EXPECT_EQ(a.items[2]->number, 2.5);
  EXPECT_EQ(a.items[3]->kind, PickleKind::kNone);
  EXPECT_EQ(a.items[4]->integer, 1);
  const PickleNode& b = *pickle.root().Find("b");
  EXPECT_EQ(b.kind, PickleKind::kTuple);
  EXPECT_EQ(b.items[0]->text, "xy");
  EXPECT_EQ(b.items[1]->integer, -129);
}

TEST(Pickle, ReadsProtocolFourWithFramesAndMemo) {
  const Pickle pickle = Read("\x80\4\x95\x0b\0\0\0\0\0\0\0]\x94(\x8c\1k\x94h\1\x85h\0e."s);
  const PickleNode& list = pickle.root();
  ASSERT_EQ(list.items.size(), 3u);
  EXPECT_EQ(list.items[1]->items[0]->text, "k");
  EXPECT_EQ(list.items[2], &list);  // it contains itself
}

TEST(Pickle, BuildsOrderedDictsAndIgnoresTheirAttributes) {
  const Pickle pickle = Read(
      "ccollections\nOrderedDict\n](X\1\0\0\0aK\1\x86X\1\0\0\0bK\2\x86"
      "e\x85R}b."s);
  EXPECT_EQ(pickle.root().Find("b")->integer, 2);
  EXPECT_EQ(Read("ccollections\nCounter\n}K\1K\2s\x85R."s).root().items.size(), 2u);
}

TEST(Pickle, RefusesCodeByItsName) {
  struct Case {
    std::string text;
    const char* name;
  };
  const Case cases[] = {
      {"cos\nsystem\n(X\4\0\0\0echot\x85R."s, "os.system"},
      {"cposix\nsystem\n."s, "posix.system"},
      {"\x80\4\x8c\10builtins\x94\x8c\4eval\x94\x93."s, "builtins.eval"},
      {"(X\1\0\0\0aios\nsystem\n."s, "os.system"},
      {"c__builtin__\ngetattr\n."s, "__builtin__.getattr"},
      {"ctorch\nload\n."s, "torch.load"},
      {"ccollections\nOrderedDict.__init__\n."s, "collections.OrderedDict.__init__"},
      {"cnumpy.core.multiarray\n_reconstruct\n."s, "numpy.core.multiarray._reconstruct"},
      {"ca\x1b[2J\nb\n."s, "a?[2J.b"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Refusal(c.text), "m.pt: refused: loading it would use " + std::string(c.name) +
                                   ", which is no tensor data");
  }
}

TEST(Pickle, RefusesEachMisuseByName) {
  struct Case {
    std::string text;
    const char* message;
  };
  const Case cases[] = {
      {"", "it is empty"},
      {"\x80\x09."s, "pickle protocol 9 is unknown"},
      {"."s, "its stack is empty"},
      {"0."s, "its stack is empty"},
      {"(."s, "its stack is empty"},
      {"N"s, "it ends too early"},
      {"t."s, "a mark is missing"},
      {")K\1K\2s."s, "it adds items to a tuple as if it were a dict"},
      {"]K\1K\2s."s, "it adds items to a list as if it were a dict"},
      {"}K\1a."s, "it adds items to a dict as if it were a list"},
      {"}(K\1u."s, "a key has no value"},
      {"(K\1d."s, "a key has no value"},
      {"h\7."s, "memo 7 is read before it is set"},
      {"X\xff\0\0\0a."s, "it ends inside a string"},
      {"\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s, "it ends inside a string"},
      {"K\1)R."s, "a name to call is an integer, not a name"},
      {"ctorch\nFloatStorage\nK\1R."s, "arguments is an integer, not a tuple"},
      {"ccollections\nOrderedDict\nK\1\x85R."s, "the content of a dict is an integer"},
      {"ccollections\nOrderedDict\n]K\1a\x85R."s, "made of something that is no pair"},
      {"K\1}b."s, "it sets attributes on an integer"},
      {"K\1K\2\x93."s, "a module's name is an integer, not a string"},
      {"I1\n."s, "opcode 0x49 is none that tensors need"},
      {"\x82\1."s, "opcode 0x82 is none that tensors need"},
      {"\x81."s, "opcode 0x81 is none that tensors need"},
      {"Pid\n."s, "opcode 0x50 is none that tensors need"},
  };
  for (const Case& c : cases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.message));
}

TEST(Pickle, BoundsMemoStackAndCopies) {
  EXPECT_THAT(Refusal("N" + std::string(5'000'000, '2')), HasSubstr("grows without bound"));
  EXPECT_THAT(Refusal(std::string(5'000'000, 'N')), HasSubstr("more than 4000000 values"));
  EXPECT_THAT(Refusal("N" + std::string(5'000'000, '\x94')), HasSubstr("grows without bound"));
  // A dict of a million items, copied again and again.
  std::string copies = "}(" + std::string(1'000'000, 'N') + "u\x85q\1";
  for (int i = 0; i < 100; ++i) copies += "ccollections\nCounter\nh\1R";
  EXPECT_THAT(Refusal(copies), HasSubstr("grows without bound"));
}

TEST(Pickle, SurvivesNestingWithoutEnd) {
  EXPECT_EQ(Read(")" + std::string(1'000'000, '\x85') + ".").root().items.size(), 1u);
}

}  // namespace
}  // namespace vernier
