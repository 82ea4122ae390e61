// Pages of a PDF as pictures, rendered by poppler through its C interface (poppler-glib) onto
// cairo. The library is loaded when the first PDF is opened: nothing else needs it, and the program
// neither links nor ships it. A hostile file may crash it, so pages.h uses it in a process apart.
// One thread at a time may use a document.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/image.h"

namespace vernier {

struct PdfOptions {
  std::string password = {};
  std::string library = "libpoppler-glib.so.8";
};

class PdfDocument {
 public:
  /// Whether a file begins as a PDF does.
  static bool IsOne(std::span<const uint8_t> bytes);

  /// So that processes forked from this one find the library loaded. Throws Error{kDevice} where it
  /// is not installed.
  static void LoadLibrary(const std::string& library);

  /// Throws Error{kDevice} where the library is not installed, Error{kInput} for a file that is
  /// damaged or whose password is missing or wrong.
  static PdfDocument Open(const std::string& path, const PdfOptions& options);

  PdfDocument(PdfDocument&&) noexcept;
  PdfDocument& operator=(PdfDocument&&) noexcept;
  ~PdfDocument();

  int pages() const;

  /// Page `page` (from 0) on white, as RGB, at `dpi` pixels per inch. Throws Error{kInput} for a
  /// page of more than `max_pixels`.
  Image Render(int page, double dpi, int64_t max_pixels) const;

 private:
  class Impl;
  explicit PdfDocument(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vernier
