#include "io/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <string_view>

#include "core/check.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "io/npy_header.h"
#include "io/strided_copy.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlignment = 64;  // of the first element, as NumPy writes it

static_assert(std::endian::native == std::endian::little, "headers written here say '<'");

std::string TypeCode(DType dtype) {
  switch (dtype) {
    case DType::kF64:
    case DType::kF32:
    case DType::kF16:
      return fmt::format("<f{}", ByteSize(dtype));
    case DType::kI64:
    case DType::kI32:
    case DType::kI16:
      return fmt::format("<i{}", ByteSize(dtype));
    case DType::kU64:
    case DType::kU32:
    case DType::kU16:
      return fmt::format("<u{}", ByteSize(dtype));
    case DType::kI8:
      return "|i1";
    case DType::kU8:
      return "|u1";
    case DType::kBool:
      return "|b1";
    case DType::kBF16:
    case DType::kF8E4M3:
    case DType::kF8E5M2:
      break;
  }
  CheckFailed("dtype exists in NumPy", __FILE__, __LINE__, Name(dtype));
}

}  // namespace

void CheckNpySize(const NpyLayout& layout, size_t file_bytes, const std::string& path) {
  const size_t data = file_bytes - layout.data_offset;
  const size_t expected = TensorView{nullptr, layout.dtype, layout.shape}.bytes();
  if (data == expected) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: {} {} needs {} bytes of data, the file has {}", path,
                          Name(layout.dtype), layout.shape.ToString(), expected, data),
              data < expected ? "the file is truncated; write it again"
                              : "the file holds more than one array; save them apart");
}

Tensor ParseNpy(std::span<const uint8_t> file, const std::string& path) {
  const NpyLayout layout = ParseNpyHeader(file, path);
  CheckNpySize(layout, file.size(), path);
  const auto data = file.subspan(layout.data_offset);
  Tensor tensor(layout.dtype, layout.shape);
  CopyStrided({.data = data.data(),
               .dtype = layout.dtype,
               .shape = layout.shape,
               .strides = layout.fortran_order ? FortranStrides(layout.shape)
                                               : RowMajorStrides(layout.shape),
               .big_endian = layout.big_endian},
              tensor.data());
  return tensor;
}

Tensor ReadNpy(const std::string& path) {
  const MappedFile file = MappedFile::Open(path);
  Tensor tensor = ParseNpy(file.bytes(), path);
  file.CheckIntact();
  return tensor;
}

std::string NpyHeader(DType dtype, const Shape& shape) {
  // Python writes a tuple of one element with a comma: (3,).
  const char* comma = shape.rank() == 1 ? "," : "";
  const std::string dictionary =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", TypeCode(dtype),
                  fmt::join(shape.dims(), ", "), comma);
  const size_t fixed = kMagic.size() + 4;  // magic, version, length
  const size_t total = (fixed + dictionary.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  const size_t length = total - fixed;
  std::string header(kMagic);
  header += {'\1', '\0', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  header += dictionary;
  header.append(total - header.size() - 1, ' ');
  header += '\n';
  return header;
}

void WriteNpy(const std::string& path, const TensorView& tensor) {
  const std::string header = NpyHeader(tensor.dtype, tensor.shape);
  AtomicFile file(path);
  file.Write(header);
  file.Write({static_cast<const uint8_t*>(tensor.data), tensor.bytes()});
  file.Commit();
}

}  // namespace vernier
