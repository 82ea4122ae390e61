// Files of pages: PDF, TIFF with several pages, and any other picture as its only page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/image.h"
#include "io/pdf.h"

namespace vernier {

struct PageOptions {
  ImageDecodeOptions decode = {};  // its page is left aside
  double pdf_dpi = 200;
  PdfOptions pdf = {};
};

/// Pages of the file; 1 for what is neither PDF nor TIFF, whatever it is. Throws Error{kInput} for
/// a file that cannot be read.
int CountPages(const std::string& path, const PageOptions& options);

/// One page, counted from 0. Throws Error{kInput} naming file, page and fault.
Image DecodePage(const std::string& path, int page, const PageOptions& options);

/// "1-3,7" and "5-" as pages of `pages`, counted from 0, in the order given. Throws Error{kUsage}
/// for what is no such list, and for a page that is not there.
std::vector<int> ParsePageList(std::string_view text, int pages);

}  // namespace vernier
