#include "io/safetensors.h"

#include <fmt/format.h>

#include <cstring>
#include <numeric>

#include "io/json.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A file with this header and `data_bytes` bytes of data.
std::string FileText(const std::string& header, size_t data_bytes) {
  std::string text(8, '\0');
  for (size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(header.size() >> (8 * i));
  text += header;
  for (size_t i = 0; i < data_bytes; ++i) text += static_cast<char>(i);
  return text;
}

std::string Entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return fmt::format(R"("{}": {{"dtype": "{}", "shape": {}, "data_offsets": {}}})", name, dtype,
                     shape, offsets);
}

SafetensorsHeader Parse(const std::string& text) {
  return ParseSafetensors({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "m.st");
}

std::string Refusal(const std::string& text) {
  return MessageOf([&] { Parse(text); });
}

TEST(Safetensors, ReadsNamesTypesShapesAndData) {
  const std::string text = FileText("{" + Entry("b", "U8", "[3]", "[4, 7]") + ", " +
                                        Entry("a", "F16", "[2, 1]", "[0, 4]") +
                                        R"(, "__metadata__": {"format": "pt"}}   )",
                                    7);
  const SafetensorsHeader header = Parse(text);
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype, DType::kF16);
  EXPECT_EQ(header.tensors[0].shape, (Shape{2, 1}));
  EXPECT_THAT(header.tensors[1].bytes, ElementsAre(4, 5, 6));
  EXPECT_THAT(header.metadata, ElementsAre(Pair("format", "pt")));
}

TEST(Safetensors, ReadsEveryTypeOfTheFormat) {
  struct Case {
    const char* name;
    DType dtype;
  };
  const Case cases[] = {
      {"F64", DType::kF64},   {"F32", DType::kF32},        {"F16", DType::kF16},
      {"BF16", DType::kBF16}, {"F8_E4M3", DType::kF8E4M3}, {"F8_E5M2", DType::kF8E5M2},
      {"I64", DType::kI64},   {"I32", DType::kI32},        {"I16", DType::kI16},
      {"I8", DType::kI8},     {"U64", DType::kU64},        {"U32", DType::kU32},
      {"U16", DType::kU16},   {"U8", DType::kU8},          {"BOOL", DType::kBool}};
  for (const Case& c : cases) {
    const size_t bytes = ByteSize(c.dtype);
    const std::string text =
        FileText("{" + Entry("t", c.name, "[1]", fmt::format("[0, {}]", bytes)) + "}", bytes);
    EXPECT_EQ(Parse(text).tensors[0].dtype, c.dtype) << c.name;
  }
}

TEST(Safetensors, AcceptsScalarsEmptyTensorsAndAnEmptyFile) {
  EXPECT_TRUE(Parse(FileText("{}", 0)).tensors.empty());
  const std::string text = FileText("{" + Entry("scalar", "F32", "[]", "[0, 4]") + "," +
                                        Entry("none", "F32", "[2, 0]", "[4, 4]") + "," +
                                        Entry("first", "I8", "[0]", "[0, 0]") + "}",
                                    4);
  EXPECT_EQ(Parse(text).tensors.size(), 3u);
}

TEST(Safetensors, RefusesEachKindOfDamageByName) {
  struct Case {
    const char* what;
    std::string text;
    const char* message;
  };
  const auto one = [](const char* dtype, const char* shape, const char* offsets, size_t bytes) {
    return FileText("{" + Entry("w", dtype, shape, offsets) + "}", bytes);
  };
  const auto two = [](const char* first, const char* second, size_t bytes) {
    return FileText(
        "{" + Entry("q", "U8", "[4]", first) + "," + Entry("k", "U8", "[4]", second) + "}", bytes);
  };
  const std::string bad_utf8 = "{\"\xff\xfe\": 1}";
  const Case cases[] = {
      {"header too small", "\1\1\1", "it has 3 bytes, the header's length alone needs 8"},
      {"length 0", std::string(8, '\0'), "does not begin with '{'"},
      {"length 1", FileText("{", 0), "not valid JSON"},
      {"length over the cap", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8),
       "claims 9223372036854775807 bytes, the limit is 100000000"},
      {"length beyond the file", std::string("\x10\0\0\0\0\0\0\0{}", 10),
       "claims 16 bytes, 2 follow"},
      {"not JSON", FileText("{nonsense}", 0), "m.st: not valid JSON"},
      {"leading space", FileText(" {}", 0), "does not begin with '{'"},
      {"no object", FileText("[]", 0), "does not begin with '{'"},
      {"no UTF-8", FileText(bad_utf8, 0), "ill-formed UTF-8"},
      {"NaN", FileText("{\"w\": NaN}", 0), "not valid JSON"},
      {"deep", FileText("{\"w\": " + std::string(100000, '['), 0), "nested deeper than"},
      {"duplicate name",
       FileText(
           "{" + Entry("w", "U8", "[1]", "[0, 1]") + "," + Entry("w", "U8", "[1]", "[0, 1]") + "}",
           1),
       "m.st: w: duplicate key"},
      {"duplicate field", FileText(R"({"w": {"dtype": "U8", "dtype": "I8"}})", 0),
       "m.st: w.dtype: duplicate key"},
      {"entry is no object", FileText("{\"w\": 3}", 0), "m.st: w: expected an object, found 3"},
      {"missing field", FileText(R"({"w": {"dtype": "U8", "shape": [0]}})", 0),
       "m.st: w.data_offsets is missing"},
      {"unknown field", FileText(R"({"w": {"dtype": "U8", "stride": [0]}})", 0),
       "m.st: w: unknown field \"stride\""},
      {"unknown dtype", one("F4", "[1]", "[0, 1]", 1), "m.st: w: dtype \"F4\" is not supported"},
      {"dtype is no string", FileText(R"({"w": {"dtype": 1}})", 0),
       "m.st: w.dtype: expected a string, found 1"},
      {"shape too small", one("F32", "[2]", "[0, 12]", 12),
       "m.st: w: f32 [2] needs 8 bytes, its data_offsets span 12"},
      {"negative dimension", one("U8", "[-1]", "[0, 1]", 1), "shape [-1] is negative or too large"},
      {"fractional dimension", one("U8", "[1.0]", "[0, 1]", 1),
       "m.st: w.shape: item 0: expected an integer, found 1"},
      {"product overflows", one("F32", "[4294967296, 4294967296]", "[0, 0]", 0),
       "is negative or too large"},
      {"overflow hidden by a zero", one("F32", "[4294967296, 4294967296, 0]", "[0, 0]", 0),
       "is negative or too large"},
      {"dimension beyond 64 bits", one("U8", "[18446744073709551616]", "[0, 0]", 0),
       "expected an integer"},
      {"rank 64",
       one("U8",
           ("[1" +
            [] {
              std::string ones;
              for (int i = 1; i < 64; ++i) ones += ",1";
              return ones;
            }() +
            "]")
               .c_str(),
           "[0, 1]", 1),
       "m.st: w: a shape of rank 64 is not supported"},
      {"negative offset", one("U8", "[1]", "[-1, 0]", 1), "data_offsets [-1, 0] are no span"},
      {"reversed offsets", one("U8", "[1]", "[1, 0]", 1), "data_offsets [1, 0] are no span"},
      {"fractional offsets", one("U8", "[1]", "[0.0, 1.0]", 1), "expected an integer"},
      {"three offsets", one("U8", "[1]", "[0, 1, 2]", 1), "data_offsets [0, 1, 2] are no span"},
      {"offset 2^63", one("U8", "[1]", "[0, 9223372036854775808]", 1), "expected an integer"},
      {"data past the end", one("U8", "[8]", "[0, 8]", 4),
       "its tensors need 76 bytes, the file has 72"},
      {"overlap", two("[0, 4]", "[2, 6]", 6), "tensors q and k overlap"},
      {"alias", two("[0, 4]", "[0, 4]", 4), "tensors q and k overlap"},
      {"hole at the start", two("[1, 5]", "[5, 9]", 9), "1 bytes before tensor q belong to no"},
      {"hole between", two("[0, 4]", "[6, 10]", 10), "2 bytes before tensor k belong to no tensor"},
      {"data after the last", two("[0, 4]", "[4, 8]", 9), "the last 1 bytes belong to no tensor"},
      {"metadata no object", FileText(R"({"__metadata__": []})", 0),
       "m.st: __metadata__: expected an object, found an array of 0"},
      {"metadata no string", FileText(R"({"__metadata__": {"step": 3}})", 0),
       "m.st: __metadata__.step: expected a string, found 3"},
  };
  for (const Case& c : cases) EXPECT_THAT(Refusal(c.text), HasSubstr(c.message)) << c.what;
}

TEST(Safetensors, RefusesTenTensorsOnOneRange) {
  std::string header = "{";
  for (int i = 0; i < 10; ++i) {
    header += (i == 0 ? "" : ",") + Entry(fmt::format("w{}", i), "U8", "[100]", "[0, 100]");
  }
  EXPECT_THAT(Refusal(FileText(header + "}", 100)), HasSubstr("overlap"));
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string text = FileText("{" + Entry("w", "F32", "[2]", "[0, 8]") + "}", 8);
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_THAT(Refusal(text.substr(0, size)), HasSubstr("m.st: ")) << size;
  }
}

TEST(Safetensors, WritesWhatItReads) {
  const ScratchFolder folder;
  const std::string path = folder.path("out.safetensors");
  const std::vector<TensorToWrite> tensors = {{"bytes", DType::kU8, Shape{3}},
                                              {"weight", DType::kF32, Shape{2, 2}},
                                              {"half", DType::kBF16, Shape{0, 4}}};
  int asked = 0;
  WriteSafetensors(path, tensors, [&](const TensorToWrite& tensor) {
    ++asked;
    Tensor t(tensor.dtype, tensor.shape);
    auto* bytes = static_cast<uint8_t*>(t.data());
    std::iota(bytes, bytes + t.bytes(), uint8_t{1});
    return t;
  });
  EXPECT_EQ(asked, 3);
  const MappedFile file = MappedFile::Open(path);
  const SafetensorsHeader header = ParseSafetensors(file.bytes(), path);
  ASSERT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors[0].name, "weight");
  EXPECT_TRUE(header.tensors[0].IsDirect());
  EXPECT_EQ(header.tensors[1].name, "half");
  EXPECT_THAT(header.tensors[2].bytes, ElementsAre(1, 2, 3));
  EXPECT_THAT(header.metadata, ElementsAre(Pair("format", "pt")));
}

TEST(StoredTensor, CopiesMisalignedStridedAndSwappedElements) {
  const uint8_t memory[] = {99, 0, 1, 0, 2, 0, 3, 0, 4};
  const StoredTensor tensor{.name = "t",
                            .dtype = DType::kI16,
                            .shape = Shape{2, 2},
                            .bytes = std::span(memory).subspan(1),
                            .strides = {1, 2},
                            .big_endian = true};
  EXPECT_FALSE(tensor.IsDirect());
  EXPECT_THAT(tensor.Copy().as<int16_t>(), ElementsAre(1, 3, 2, 4));
}

}  // namespace
}  // namespace vernier
