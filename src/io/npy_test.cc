#include "io/npy.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>

#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A file of version 1 with this dictionary and data.
std::string NpyText(const std::string& dictionary, const std::string& data, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', static_cast<char>(dictionary.size()),
           static_cast<char>(dictionary.size() >> 8)};
  if (version > 1) text += {'\0', '\0'};
  return text + dictionary + data;
}

std::string Header(const std::string& descr, const std::string& shape,
                   const std::string& order = "False") {
  return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n", descr, order,
                     shape);
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] {
    ParseNpy({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "a.npy");
  });
}

Tensor Counting(DType dtype, const Shape& shape) {
  Tensor tensor(dtype, shape);
  auto* bytes = static_cast<uint8_t*>(tensor.data());
  std::iota(bytes, bytes + tensor.bytes(), uint8_t{1});
  return tensor;
}

TEST(Npy, ReadsBackWhatItWroteInEveryType) {
  const ScratchFolder folder;
  for (DType dtype :
       {DType::kF64, DType::kF32, DType::kF16, DType::kI64, DType::kI32, DType::kI16, DType::kI8,
        DType::kU64, DType::kU32, DType::kU16, DType::kU8, DType::kBool}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 0, 4}, Shape{1, 2, 3, 1, 2}}) {
      const Tensor written = Counting(dtype, shape);
      WriteNpy(folder.path("a.npy"), written.view());
      const Tensor read = ReadNpy(folder.path("a.npy"));
      ASSERT_EQ(read.dtype(), dtype);
      ASSERT_EQ(read.shape(), shape);
      EXPECT_EQ(std::memcmp(read.data(), written.data(), written.bytes()), 0);
    }
  }
}

TEST(Npy, WritesTheHeaderThatNumpyWrites) {
  const std::string header = NpyHeader(DType::kF32, Shape{3});
  EXPECT_EQ(header.size(), 128u);
  EXPECT_THAT(header.substr(10), StartsWith("{'descr': '<f4', 'fortran_order': False, "
                                            "'shape': (3,), }"));
  EXPECT_THAT(header, EndsWith(" \n"));
  EXPECT_THAT(NpyHeader(DType::kBool, Shape{}), HasSubstr("'|b1', 'fortran_order': False, "
                                                          "'shape': (), }"));
}

TEST(Npy, ReadsNumpysOwnFile) {
  const Tensor t = ReadNpy(VERNIER_TEST_DATA "/io/numpy_fortran_f4.npy");
  ASSERT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_THAT(t.as<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Npy, TurnsFortranOrderToRows) {
  const ScratchFolder folder;
  const std::string path =
      folder.Write("a.npy", NpyText(Header("|u1", "(2, 3)", "True"), "\1\4\2\5\3\6"));
  EXPECT_THAT(ReadNpy(path).as<uint8_t>(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Npy, SwapsBigEndianElements) {
  const ScratchFolder folder;
  const std::string path =
      folder.Write("a.npy", NpyText(Header(">i2", "(2,)"), std::string("\0\1\1\0", 4)));
  EXPECT_THAT(ReadNpy(path).as<int16_t>(), ElementsAre(1, 256));
}

TEST(Npy, ReadsVersionsTwoAndThree) {
  const ScratchFolder folder;
  for (char version : {2, 3}) {
    const std::string path = folder.Write("a.npy", NpyText(Header("|u1", "(1,)"), "\7", version));
    EXPECT_THAT(ReadNpy(path).as<uint8_t>(), ElementsAre(7));
  }
}

TEST(Npy, RefusesEachKindOfDamageByName) {
  struct Case {
    std::string text;
    const char* message;
  };
  const std::string fields = "'descr': '|u1', 'fortran_order': False, 'shape': (1,)";
  const Case cases[] = {
      {"", "it is empty"},
      {"PK\3\4", "does not begin with \\x93NUMPY"},
      {"\x93NUMPY", "ends inside its header"},
      {NpyText("", "", 4), "version 4 is unknown"},
      {NpyText("", "", 0), "version 0 is unknown"},
      {"\x93NUMPY\1", "ends inside its header"},
      {std::string("\x93NUMPY\2\0\xff\xff\xff\xff{", 13), "claims 4294967295 bytes"},
      {std::string("\x93NUMPY\1\0\xff\0{", 11), "ends inside its header"},
      {NpyText("[]", ""), "its header is no dictionary"},
      {NpyText("{", ""), "its header is no dictionary"},
      {NpyText("{" + fields + "} x", ""), "text after the dictionary"},
      {NpyText("{'descr': '|u1'}", ""), "lacks descr, fortran_order or shape"},
      {NpyText("{" + fields + ", 'a': 1}", ""), "unknown key 'a'"},
      {NpyText("{" + fields + ", 'shape': ()}", ""), "the key 'shape' twice"},
      {NpyText("{'fortran_order': 0}", ""), "neither True nor False"},
      {NpyText("{'descr': [('a', '<f4')]}", ""), "it holds records"},
      {NpyText(Header("|O", "(1,)"), "x"), "Python objects, which are never loaded"},
      {NpyText(Header("<c8", "(1,)"), "x"), "element type '<c8' is not supported"},
      {NpyText(Header("|f4", "(1,)"), "xxxx"), "element type '|f4' is not supported"},
      {NpyText(Header("<U4", "(1,)"), "x"), "element type '<U4' is not supported"},
      {NpyText(Header("|u1", "(-1,)"), ""), "something that is no size"},
      {NpyText(Header("|u1", "(99999999999999999999,)"), ""), "something that is no size"},
      {NpyText(Header("|u1", "(4294967296, 4294967296)"), ""), "its shape is too large"},
      {NpyText(Header("|u1", "(1,1,1,1,1,1,1,1,1)"), ""), "more than 8 dimensions"},
      {NpyText(Header("<f4", "(2, 3)"), "1234"),
       "f32 [2, 3] needs 24 bytes of data, the file has 4"},
      {NpyText(Header("|u1", "(1,)"), "12"), "u8 [1] needs 1 bytes of data, the file has 2"},
  };
  for (const Case& c : cases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.message)) << c.text;
}

TEST(Npy, RefusesEveryTruncation) {
  const std::string text = NpyText(Header("<f4", "(2, 3)"), std::string(24, 'x'));
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(Refusal(text.substr(0, size)), HasSubstr("a.npy: ")) << size;
  }
}

TEST(Npy, HoldsThatCallersConvertTypesThatNumpyLacks) {
  EXPECT_EQ(KindOf([] { NpyHeader(DType::kBF16, Shape{1}); }), ErrorKind::kInternal);
  EXPECT_THAT(MessageOf([] { NpyHeader(DType::kBF16, Shape{1}); }), HasSubstr("bf16"));
}

}  // namespace
}  // namespace vernier
