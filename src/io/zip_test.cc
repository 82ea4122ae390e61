#include "io/zip.h"

#include "support/scratch_folder.h"
#include "support/zip_builder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<ZipMember> Read(const std::string& text) {
  return ReadZip({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "m.pt");
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] { Read(text); });
}

TEST(Zip, ListsItsMembersWithTheirData) {
  for (const bool zip64 : {false, true}) {
    const std::string text =
        MakeZip({{.name = "top/a", .data = "xyz"}, {.name = "top/empty"}}, {.zip64 = zip64});
    const auto members = Read(text);
    ASSERT_EQ(members.size(), 2u);
    EXPECT_EQ(members[0].name, "top/a");
    EXPECT_THAT(members[0].data, ElementsAre('x', 'y', 'z'));
    EXPECT_TRUE(members[1].data.empty());
  }
}

TEST(Zip, ReadsAMemberWhoseSizesFollowItsData) {
  const std::string text = MakeZip({{.name = "a", .data = "x", .flags = 8, .local_bytes = 0}});
  EXPECT_THAT(Read(text)[0].data, ElementsAre('x'));
}

TEST(Zip, RefusesEachKindOfLieByName) {
  struct Case {
    std::string text;
    const char* message;
  };
  const auto named = [](const std::string& name) { return MakeZip({{.name = name, .data = "x"}}); };
  const ZipEntry a{.name = "a", .data = "x"};
  const Case cases[] = {
      {named("../../etc/passwd"), "member ../../etc/passwd: its name leaves the archive's folder"},
      {named("/etc/passwd"), "its name leaves the archive's folder"},
      {named("top\\..\\x"), "its name leaves the archive's folder"},
      {named("top/../x"), "its name leaves the archive's folder"},
      {named(std::string("a\0b", 3)), "its name leaves the archive's folder"},
      {named(""), "its name leaves the archive's folder"},
      {MakeZip({a, a}), "two members are named a"},
      {MakeZip({{.name = "a", .data = "x", .flags = 1}}), "member a: it is encrypted"},
      {MakeZip({{.name = "a", .data = "bomb", .method = 8, .claimed_bytes = 4'000'000'000}}),
       "member a is compressed (4 bytes that claim to be 4000000000)"},
      {MakeZip({{.name = "a", .data = "x", .claimed_bytes = 9}}),
       "member a: its two sizes differ without compression"},
      {MakeZip({{.name = "a", .data = "x", .local_name = "b"}}),
       "member a: its header disagrees with the directory"},
      {MakeZip({{.name = "a", .data = "x", .local_bytes = 2}}),
       "member a: its header disagrees with the directory"},
      {MakeZip({{.name = "a", .data = "x", .offset = 1}}), "member a: its header is missing"},
      {MakeZip({{.name = "a", .data = "x", .offset = 0xfffffff0}}),
       "its directory points beyond its end"},
      {MakeZip({a}, {.entries = 2}), "claims 2 members, its directory has 47 bytes"},
      {MakeZip({a, {.name = "b"}}, {.entries = 1}), "its directory is damaged"},
      {MakeZip({a}, {.directory_offset = 0}), "its directory is damaged"},
      {MakeZip({a}, {.directory_offset = 4000}), "its directory points beyond its end"},
      {MakeZip({a}, {.zip64 = true, .zip64_entries = 9}),
       "its ZIP64 record disagrees with its end record"},
      {MakeZip({a}) + "x", "its directory is missing"},
      {"PK\3\4", "it ends before its directory"},
  };
  for (const Case& c : cases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.message));
}

TEST(Zip, RefusesMembersThatShareBytes) {
  // The second entry's header lies inside the data of the first.
  const std::string inner = MakeZip({{.name = "b", .data = "payload"}});
  const uint32_t inside = 30 + 1;
  std::string text = MakeZip({{.name = "a", .data = inner.substr(0, 30 + 1 + 7)},
                              {.name = "b", .data = "payload", .offset = inside}});
  EXPECT_THAT(Refusal(text), HasSubstr("members a and b overlap"));
}

TEST(Zip, RefusesEveryTruncation) {
  const std::string text = MakeZip({{.name = "top/a", .data = "xyz"}, {.name = "top/b"}});
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(Refusal(text.substr(0, size)), HasSubstr("m.pt: ")) << size;
  }
}

}  // namespace
}  // namespace vernier
