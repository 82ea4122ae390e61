#include "io/torch_file.h"

#include <algorithm>

#include "io/mapped_file.h"
#include "support/scratch_folder.h"
#include "support/zip_builder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using std::string_literals::operator""s;

TorchFile Read(const std::string& text) {
  return ParseTorchFile({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "m.pt");
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] { Read(text); });
}

Tensor Get(const TorchFile& file, const std::string& name) {
  const auto found = std::ranges::find(file.tensors, name, &StoredTensor::name);
  EXPECT_NE(found, file.tensors.end()) << name;
  return found->Copy();
}

std::string BinUnicode(const std::string& text) {
  return "X" + LittleEndian(text.size(), 4) + text;
}

struct PickledTensor {
  std::string storage = "torch\nFloatStorage";
  std::string key = "0";
  int elements = 4;
  std::string offset = "K\0"s;
  std::string shape = "K\2K\2\x86";
  std::string stride = "K\2K\1\x86";
  std::string view = "";
};

// The opcodes of {name: tensor}.
std::string PickleOf(const PickledTensor& t, const std::string& name = "w") {
  return "\x80\2}" + BinUnicode(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" +
         BinUnicode("storage") + "c" + t.storage + "\n" + BinUnicode(t.key) + BinUnicode("cpu") +
         "J" + LittleEndian(static_cast<uint32_t>(t.elements), 4) + t.view + "tQ" + t.offset +
         t.shape + t.stride + "\x89}tRs.";
}

std::string Archive(const std::string& pickle, const std::string& order = "little",
                    const std::string& data = std::string("\0\0\x80\x3f\0\0\0\x40", 8) +
                                              std::string("\0\0\x40\x40\0\0\x80\x40", 8)) {
  return MakeZip({{.name = "m/data.pkl", .data = pickle},
                  {.name = "m/byteorder", .data = order},
                  {.name = "m/data/0", .data = data}});
}

// The layout before PyTorch 1.6, with one storage.
std::string Stream(const std::string& pickle, uint64_t elements, const std::string& data) {
  return "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}" +
         BinUnicode("little_endian") + "\x88s." + pickle + "\x80\2]" + BinUnicode("0") + "a." +
         LittleEndian(elements, 8) + data;
}

TEST(TorchFile, ReadsThePublishedContainersAlike) {
  for (const char* name : {"container_zip.pth", "container_legacy.pth"}) {
    const MappedFile mapped = MappedFile::Open(VERNIER_TEST_DATA "/io/"s + name);
    const TorchFile file = ParseTorchFile(mapped.bytes(), name);
    ASSERT_EQ(file.tensors.size(), 8u) << name;
    const Tensor weight = Get(file, "a.weight");
    const Tensor turned = Get(file, "a.turned");
    const Tensor part = Get(file, "a.part");
    ASSERT_EQ(turned.shape(), (Shape{6, 4}));
    EXPECT_FLOAT_EQ(weight.as<float>()[0], 1.3832768f);
    EXPECT_EQ(turned.as<float>()[4], weight.as<float>()[1]);
    EXPECT_THAT(part.as<float>(),
                ElementsAre(FloatEq(-0.74597013f), FloatEq(0.35284674f), FloatEq(-1.0794988f),
                            FloatEq(0.99714595f), FloatEq(-0.0276408f), FloatEq(-0.55188304f)));
    EXPECT_FLOAT_EQ(ToFloat32(Get(file, "b.half").view()).as<float>()[0], 1.3828125f);
    EXPECT_FLOAT_EQ(ToFloat32(Get(file, "b.brain").view()).as<float>()[5], 2.34375f);
    EXPECT_THAT(Get(file, "b.count").as<int64_t>(), ElementsAre(41));
    EXPECT_FLOAT_EQ(Get(file, "b.param").as<float>()[1], 1.1500286f);
    EXPECT_EQ(Get(file, "b.empty").shape(), (Shape{0, 3}));
  }
}

TEST(TorchFile, NamesItsLayout) {
  const MappedFile zip = MappedFile::Open(VERNIER_TEST_DATA "/io/container_zip.pth");
  const MappedFile stream = MappedFile::Open(VERNIER_TEST_DATA "/io/container_legacy.pth");
  EXPECT_EQ(ParseTorchFile(zip.bytes(), "m").format, "PyTorch zip archive");
  EXPECT_EQ(ParseTorchFile(stream.bytes(), "m").format, "PyTorch stream (before 1.6)");
}

TEST(TorchFile, ReadsAllTypesBesideOptimizerStateAndNumbers) {
  const MappedFile mapped = MappedFile::Open(VERNIER_TEST_DATA "/io/all_types.pt");
  const TorchFile file = ParseTorchFile(mapped.bytes(), "all_types.pt");
  EXPECT_EQ(file.tensors.size(), 13u);
  EXPECT_THAT(ToFloat32(Get(file, "f8").view()).as<float>(), ElementsAre(1, -2, 0.5));
  EXPECT_THAT(ToFloat32(Get(file, "f8b").view()).as<float>(), ElementsAre(1, -2));
  EXPECT_THAT(Get(file, "u16").as<uint16_t>(), ElementsAre(1, 65535));
  EXPECT_THAT(Get(file, "u32").as<uint32_t>(), ElementsAre(7));
  EXPECT_THAT(Get(file, "u64").as<uint64_t>(), ElementsAre(uint64_t{1} << 63));
  EXPECT_THAT(Get(file, "flag").as<uint8_t>(), ElementsAre(1, 0));
  EXPECT_THAT(Get(file, "i16").as<int16_t>(), ElementsAre(-3));
  EXPECT_THAT(Get(file, "i8").as<int8_t>(), ElementsAre(-4));
  EXPECT_THAT(Get(file, "u8").as<uint8_t>(), ElementsAre(250));
  EXPECT_THAT(Get(file, "i32").as<int32_t>(), ElementsAre(-5));
  EXPECT_THAT(Get(file, "f64").as<double>(), ElementsAre(0.1));
  EXPECT_THAT(Get(file, "expanded").as<float>(), ElementsAre(0, 1, 0, 1, 0, 1));
  EXPECT_THAT(Get(file, "tail").as<float>(), ElementsAre(4, 5));
}

TEST(TorchFile, ReadsBigEndianStorages) {
  const std::string data("\x3f\x80\0\0\x40\0\0\0\x40\x40\0\0\x40\x80\0\0", 16);
  const std::string text = Archive(PickleOf({}), "big", data);
  EXPECT_THAT(Get(Read(text), "w").as<float>(), ElementsAre(1, 2, 3, 4));
}

TEST(TorchFile, ReadsAViewIntoAStorageOfTheStreamLayout) {
  const PickledTensor view{.storage = "torch\nByteStorage",
                           .elements = 4,
                           .shape = "K\2\x85",
                           .stride = "K\1\x85",
                           .view = BinUnicode("7") + "K\1K\2\x87"};
  const std::string text = Stream(PickleOf(view), 4, "\1\2\3\4");
  EXPECT_THAT(Get(Read(text), "w").as<uint8_t>(), ElementsAre(2, 3));
}

TEST(TorchFile, PrefersAWrappedStateDictToATensorBesideIt) {
  // {'best': tensor, 'model': {'w': tensor}}
  const std::string best = PickleOf({}, "best");
  const std::string inner = PickleOf({}, "w");
  const std::string pickle = best.substr(0, best.size() - 1) + BinUnicode("model") +
                             inner.substr(2, inner.size() - 3) + "s.";
  const std::string text = Archive(pickle);
  const TorchFile file = Read(text);
  ASSERT_EQ(file.tensors.size(), 1u);
  EXPECT_EQ(file.tensors[0].name, "w");
}

TEST(TorchFile, RefusesEachKindOfDamageByName) {
  struct Case {
    std::string text;
    const char* message;
  };
  const auto with = [](const PickledTensor& t) { return Archive(PickleOf(t)); };
  const Case cases[] = {
      {"hello", "m.pt: it is neither a zip archive nor a pickle"},
      {"\x80\2}."s, "m.pt: it is a bare pickle, not a file of torch.save"},
      {"cos\nsystem\n."s, "m.pt: refused: loading it would use os.system"},
      {Archive("\x80\2cos\nsystem\nX\1\0\0\0x\x85R."s), "would use os.system"},
      {MakeZip({{.name = "a.txt", .data = "x"}}), "a zip archive without data.pkl"},
      {MakeZip({{.name = "a/data.pkl", .data = "}."}, {.name = "b/data.pkl", .data = "}."}}),
       "two members named data.pkl"},
      {MakeZip({{.name = "m/data.pkl", .data = "}."}, {.name = "m/code/x.py", .data = "x"}}),
       "it is a TorchScript program"},
      {Archive("]."), "m.pt: expected a dict of tensors, found a list"},
      {Archive(PickleOf({}).substr(0, PickleOf({}).size() - 2).erase(2, 1).erase(2, 6) + "."),
       "found a single tensor"},
      {Archive("}" + BinUnicode("epoch") + "K\1s."), "it holds no tensors; at its top are epoch"},
      {Archive(PickleOf({}), "middle"), "its byte order is unknown"},
      {with({.key = "5"}), "m.pt: w: its storage 5 is missing"},
      {with({.elements = 5}), "its storage 0 has 16 bytes, 5 elements of 4 bytes are declared"},
      {with({.elements = -1}), "its storage's size is no count"},
      {with({.storage = "torch.storage\nUntypedStorage"}), "its element type is missing"},
      {with({.storage = "torch\nfloat32"}), "its storage type torch float32 is unknown"},
      {with({.storage = "torch\nQInt8Storage"}), "would use torch.QInt8Storage"},
      {with({.offset = "K\1"}), "run past its storage of 4 elements"},
      {with({.offset = "J\xff\xff\xff\xff"}), "its offset is no count"},
      {with({.offset = "N"}), "its offset is None, not an integer"},
      {with({.shape = "K\2\x85"}), "its shape and stride differ in rank"},
      {with({.shape = "K\3K\2\x86"}), "run past its storage of 4 elements"},
      {with({.shape = "N"}), "its shape is None, not a tuple"},
      {with({.shape = "K\2N\x86"}), "its shape is no count"},
      {with({.stride = "K\2J\xff\xff\xff\xff\x86"}), "its stride is no count"},
      {with({.shape = "\x8a\x08\0\0\0\0\0\0\0\x40K\2\x86"s}), "is too large"},
      {with({.shape = "J\0\0\0\x40K\1\x86"s, .stride = "K\0K\1\x86"s}),
       "it repeats 4 elements to 1073741824"},
      {with({.shape = "K\2K\2\x86", .stride = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\1\x86"}),
       "run past its storage"},
      {Stream(PickleOf({}), 5, std::string(16, 'x')),
       "storage 0 claims 5 elements of 4 bytes, 16 bytes follow"},
      {Stream(PickleOf({}), 3, std::string(12, 'x')),
       "its storage 0 has 12 bytes, 4 elements of 4 bytes are declared"},
      {Stream(PickleOf({}), 4, std::string(17, 'x')), "1 bytes follow its data"},
      {Stream("\x80\2}.", 4, std::string(16, 'x')), "names one that no tensor uses"},
  };
  for (const Case& c : cases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.message));
}

TEST(TorchFile, RefusesEveryTruncationOfBothLayouts) {
  for (const char* name : {"container_zip.pth", "container_legacy.pth"}) {
    const std::string text = ReadAll(VERNIER_TEST_DATA "/io/"s + name);
    for (size_t size = 0; size < text.size(); ++size) {
      EXPECT_THAT(Refusal(text.substr(0, size)), HasSubstr("m.pt: ")) << name << " " << size;
    }
  }
}

}  // namespace
}  // namespace vernier
