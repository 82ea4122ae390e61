#include "io/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "io/mapped_file.h"
#include "io/run_apart.h"
#include "vernier/error.h"

namespace vernier {
namespace {

[[noreturn]] void RefuseList(std::string_view text, const std::string& why) {
  throw Error(ErrorKind::kUsage, fmt::format("--pages '{}': {}", text.substr(0, 60), why),
              "write pages as 1-3,7 or 5-, counted from 1");
}

std::optional<int> PageNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return {};
  return number;
}

// What comes out of another process before the pixels.
struct PageHeader {
  int64_t width = 0, height = 0;
  int frames = 0;
};

// A file that overwrites memory of the process that reads it must not reach this one's.
[[noreturn]] void RefuseSize(size_t found, size_t expected, const std::string& what) {
  throw Error(
      ErrorKind::kInput,
      fmt::format("{}: what reading it gave has {} bytes, expected {}", what, found, expected),
      "see whether another program opens the file, or get it again");
}

std::string Blamed(const std::string& path, int page) {
  return fmt::format("{}: PDF: page {}", path, page + 1);
}

int CountPdfPages(const std::string& path, const PdfOptions& options) {
  PdfDocument::LoadLibrary(options.library);
  const std::vector<uint8_t> bytes = RunApart(path + ": PDF", {}, [&] {
    const int pages = PdfDocument::Open(path, options).pages();
    std::vector<uint8_t> packed(sizeof pages);
    std::memcpy(packed.data(), &pages, sizeof pages);
    return packed;
  });
  int pages = 0;
  if (bytes.size() != sizeof pages) RefuseSize(bytes.size(), sizeof pages, path + ": PDF");
  std::memcpy(&pages, bytes.data(), sizeof pages);
  return pages;
}

Image RenderPdfPage(const std::string& path, int page, const PageOptions& options) {
  PdfDocument::LoadLibrary(options.pdf.library);
  const std::vector<uint8_t> bytes = RunApart(Blamed(path, page), {}, [&] {
    const Image image = PdfDocument::Open(path, options.pdf)
                            .Render(page, options.pdf_dpi, options.decode.max_pixels);
    const PageHeader header{image.width, image.height, image.frames};
    std::vector<uint8_t> packed(sizeof header + image.pixels.size());
    std::memcpy(packed.data(), &header, sizeof header);
    std::memcpy(packed.data() + sizeof header, image.pixels.data(), image.pixels.size());
    return packed;
  });
  PageHeader header;
  if (bytes.size() < sizeof header) {
    RefuseSize(bytes.size(), sizeof header, Blamed(path, page));
  }
  std::memcpy(&header, bytes.data(), sizeof header);
  Image image = NewImage(ImageMode::kRGB, header.width, header.height);
  const size_t expected = sizeof header + image.pixels.size();
  if (bytes.size() != expected) RefuseSize(bytes.size(), expected, Blamed(path, page));
  image.frames = header.frames;
  image.format = ImageFormat::kPdf;
  std::memcpy(image.pixels.data(), bytes.data() + sizeof header, image.pixels.size());
  return image;
}

}  // namespace

int CountPages(const std::string& path, const PageOptions& options) {
  const MappedFile file = MappedFile::Open(path);
  const int pages = PdfDocument::IsOne(file.bytes()) ? CountPdfPages(path, options.pdf)
                                                     : CountTiffPages(file.bytes(), path);
  file.CheckIntact();
  return pages;
}

Image DecodePage(const std::string& path, int page, const PageOptions& options) {
  RefuseUrl(path);
  const MappedFile file = MappedFile::Open(path);
  Image image;
  if (PdfDocument::IsOne(file.bytes())) {
    image = RenderPdfPage(path, page, options);
  } else {
    ImageDecodeOptions decode = options.decode;
    decode.page = page;
    image = DecodeImage(file.bytes(), path, decode);
  }
  file.CheckIntact();
  return image;
}

std::vector<int> ParsePageList(std::string_view text, int pages) {
  std::vector<int> list;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    const size_t dash = part.find('-');
    const std::optional<int> first = PageNumber(part.substr(0, dash));
    std::optional<int> last = first;
    if (dash != std::string_view::npos) {
      last = dash + 1 == part.size() ? pages : PageNumber(part.substr(dash + 1));
    }
    if (!first || !last) RefuseList(text, fmt::format("'{}' is no page", part));
    if (*first > pages || *last > pages) {
      RefuseList(text, pages == 1 ? "there is one page" : fmt::format("there are {} pages", pages));
    }
    if (*first > *last) RefuseList(text, fmt::format("'{}' ends before it begins", part));
    for (int page = *first; page <= *last; ++page) list.push_back(page - 1);
    begin = end + 1;
  }
  return list;
}

}  // namespace vernier
