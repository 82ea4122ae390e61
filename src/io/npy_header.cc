#include "io/npy_header.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
// Real headers have about 100 bytes; NumPy itself stops at 10,000 unless told otherwise.
constexpr size_t kMaxHeaderBytes = 1 << 16;

struct NumpyType {
  std::string_view code;  // without the byte order
  DType dtype;
};

constexpr NumpyType kTypes[] = {
    {"f8", DType::kF64}, {"f4", DType::kF32}, {"f2", DType::kF16}, {"i8", DType::kI64},
    {"i4", DType::kI32}, {"i2", DType::kI16}, {"i1", DType::kI8},  {"u8", DType::kU64},
    {"u4", DType::kU32}, {"u2", DType::kU16}, {"u1", DType::kU8},  {"b1", DType::kBool},
};

[[noreturn]] void Refuse(const std::string& path, const std::string& why) {
  throw Error(ErrorKind::kInput, fmt::format("{}: not a readable .npy file: {}", path, why),
              "write it with numpy.save and plain numeric types");
}

// Reads the small part of Python's syntax that the dictionary uses.
class DictionaryReader {
 public:
  DictionaryReader(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  NpyLayout Read() {
    Expect('{');
    while (!Accept('}')) {
      const std::string_view key = String();
      Expect(':');
      ReadField(key);
      if (!Accept(',')) {
        Expect('}');
        break;
      }
    }
    SkipSpace();
    if (!rest_.empty()) Fail("text after the dictionary of its header");
    if (fields_ != kAllFields) Fail("its header lacks descr, fortran_order or shape");
    return layout_;
  }

 private:
  static constexpr unsigned kDescr = 1, kFortranOrder = 2, kShape = 4, kAllFields = 7;

  void ReadField(std::string_view key) {
    unsigned field = 0;
    if (key == "descr") {
      field = kDescr;
      ReadType();
    } else if (key == "fortran_order") {
      field = kFortranOrder;
      layout_.fortran_order = Bool();
    } else if (key == "shape") {
      field = kShape;
      ReadShape();
    } else {
      Fail(fmt::format("its header has the unknown key '{}'", key.substr(0, 40)));
    }
    if ((fields_ & field) != 0) Fail(fmt::format("its header has the key '{}' twice", key));
    fields_ |= field;
  }

  void ReadType() {
    SkipSpace();
    if (rest_.starts_with('[')) Fail("it holds records; a tensor has one element type");
    const std::string_view code = String();
    for (const NumpyType& type : kTypes) {
      if (code.size() != 3 || code.substr(1) != type.code) continue;
      const bool one_byte = ByteSize(type.dtype) == 1;
      if (std::string_view("<>=|").find(code[0]) == std::string_view::npos) break;
      if (code[0] == '|' && !one_byte) break;
      layout_.dtype = type.dtype;
      layout_.big_endian = code[0] == '>';
      return;
    }
    if (code.ends_with('O')) Fail("it holds Python objects, which are never loaded");
    Fail(fmt::format("element type '{}' is not supported", code.substr(0, 40)));
  }

  void ReadShape() {
    std::vector<int64_t> dims;
    Expect('(');
    while (!Accept(')')) {
      dims.push_back(Integer());
      if (dims.size() > Shape::kMaxRank) {
        Fail(fmt::format("its shape has more than {} dimensions", Shape::kMaxRank));
      }
      if (!Accept(',')) {
        Expect(')');
        break;
      }
    }
    int64_t bytes = 8;  // of the largest element: no later product can overflow
    for (int64_t dim : dims) {
      if (dim != 0 && __builtin_mul_overflow(bytes, dim, &bytes)) Fail("its shape is too large");
    }
    layout_.shape = Shape(std::span<const int64_t>(dims));
  }

  int64_t Integer() {
    SkipSpace();
    int64_t value = 0;
    const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (status != std::errc() || value < 0) Fail("its shape has something that is no size");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  bool Bool() {
    SkipSpace();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    Fail("fortran_order is neither True nor False");
  }

  std::string_view String() {
    SkipSpace();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : rest_.npos;
    if (end == rest_.npos) Fail("its header is no dictionary");
    const std::string_view value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }

  bool Accept(char c) {
    SkipSpace();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(char c) {
    if (!Accept(c)) Fail("its header is no dictionary");
  }

  void SkipSpace() {
    const size_t begin = rest_.find_first_not_of(" \n");
    rest_.remove_prefix(begin == rest_.npos ? rest_.size() : begin);
  }

  [[noreturn]] void Fail(const std::string& why) const { Refuse(path_, why); }

  std::string_view rest_;
  const std::string& path_;
  NpyLayout layout_;
  unsigned fields_ = 0;
};

}  // namespace

NpyLayout ParseNpyHeader(std::span<const uint8_t> file, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.empty()) Refuse(path, "it is empty");
  if (!text.starts_with(kMagic)) Refuse(path, "it does not begin with \\x93NUMPY");
  if (text.size() < kMagic.size() + 2) Refuse(path, "it ends inside its header");
  const unsigned version = file[kMagic.size()];
  if (version < 1 || version > 3) Refuse(path, fmt::format("version {} is unknown", version));
  // The length has two bytes in version 1 and four in versions 2 and 3.
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t begin = kMagic.size() + 2 + length_bytes;
  if (file.size() < begin) Refuse(path, "it ends inside its header");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= static_cast<size_t>(file[kMagic.size() + 2 + i]) << (8 * i);
  }
  if (length > kMaxHeaderBytes) {
    Refuse(path,
           fmt::format("its header claims {} bytes, the limit is {}", length, kMaxHeaderBytes));
  }
  if (length > file.size() - begin) Refuse(path, "it ends inside its header");
  NpyLayout layout = DictionaryReader(text.substr(begin, length), path).Read();
  layout.data_offset = begin + length;
  return layout;
}

}  // namespace vernier
