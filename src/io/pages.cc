#include "io/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "io/mapped_file.h"
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

}  // namespace

int CountPages(const std::string& path, const PageOptions& options) {
  const MappedFile file = MappedFile::Open(path);
  const int pages = PdfDocument::IsOne(file.bytes()) ? PdfDocument::Open(path, options.pdf).pages()
                                                     : CountTiffPages(file.bytes(), path);
  file.CheckIntact();
  return pages;
}

Image DecodePage(const std::string& path, int page, const PageOptions& options) {
  RefuseUrl(path);
  const MappedFile file = MappedFile::Open(path);
  Image image;
  if (PdfDocument::IsOne(file.bytes())) {
    image = PdfDocument::Open(path, options.pdf)
                .Render(page, options.pdf_dpi, options.decode.max_pixels);
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
      RefuseList(text, fmt::format("there are {} pages", pages));
    }
    if (*first > *last) RefuseList(text, fmt::format("'{}' ends before it begins", part));
    for (int page = *first; page <= *last; ++page) list.push_back(page - 1);
    begin = end + 1;
  }
  return list;
}

}  // namespace vernier
