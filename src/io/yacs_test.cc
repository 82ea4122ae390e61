#include "io/yacs.h"

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::HasSubstr;

TEST(YacsFile, StandsOnItsBaseKeyByKey) {
  const ScratchFolder folder;
  folder.Write("Base.yaml", "MODEL:\n  FCOS: {NORM: GN, TOP_LEVELS: 2}\n  MASK_ON: True\n");
  folder.Write("Base-550.yaml", "_BASE_: Base.yaml\nMODEL: {FCOS: {TOP_LEVELS: 1}}\n");
  const std::string leaf =
      folder.Write("sub/R_50.yaml", "_BASE_: ../Base-550.yaml\nMODEL: {RESNETS: {DEPTH: 50}}\n");
  const Json config = ReadYacs(leaf);
  EXPECT_EQ(config.Compact(),
            R"({"MODEL": {"FCOS": {"NORM": "GN", "TOP_LEVELS": 1}, "MASK_ON": true, )"
            R"("RESNETS": {"DEPTH": 50}}})");
  EXPECT_EQ(config.GetObject("MODEL").Where("MASK_ON"), leaf + ": MODEL.MASK_ON");
  EXPECT_EQ(YacsChain(leaf).size(), 3u);
  EXPECT_EQ(YacsChain(leaf).front(), leaf);
}

TEST(YacsFile, ReadsTuplesAsPythonWritesThem) {
  const ScratchFolder folder;
  const std::string file = folder.Write(
      "a.yaml", "SIZE: (640, 672)\nSCALES: \"(0.25,)\"\nNAMES: ('p3', 'p4')\nTEXT: (no\n");
  EXPECT_EQ(ReadYacs(file).Compact(),
            R"({"SIZE": [640, 672], "SCALES": [0.25], "NAMES": ["p3", "p4"], "TEXT": "(no"})");
}

TEST(YacsFile, NamesTheFileThatIsWrong) {
  const ScratchFolder folder;
  const auto refusal = [&](const std::string& name, const std::string& text) {
    const std::string file = folder.Write(name, text);
    return MessageOf([&] { ReadYacs(file); });
  };
  EXPECT_THAT(
      refusal("leaf.yaml", "_BASE_: missing.yaml"),
      testing::AllOf(HasSubstr("leaf.yaml stands on another file"), HasSubstr("missing.yaml")));
  EXPECT_THAT(refusal("loop.yaml", "_BASE_: loop.yaml"),
              HasSubstr("more than 16 files stand on each other by _BASE_"));
  EXPECT_THAT(refusal("web.yaml", "_BASE_: https://example.org/a.yaml"),
              HasSubstr("web.yaml: _BASE_ is \"https://example.org/a.yaml\", expected a file"));
  EXPECT_THAT(refusal("list.yaml", "[1, 2]"), HasSubstr("list.yaml: no configuration"));
  EXPECT_THAT(refusal("big.yaml", std::string(5 << 20, '#')), HasSubstr("are too many"));
  EXPECT_THAT(MessageOf([&] { ReadYacs(folder.path("none.yaml")); }), HasSubstr("none.yaml"));
}

}  // namespace
}  // namespace vernier
