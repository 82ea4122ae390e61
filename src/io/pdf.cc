#include "io/pdf.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kPackage = "libpoppler-glib8";
constexpr double kPointsPerInch = 72;
constexpr int64_t kLargestSide = 32767;  // of a cairo surface
constexpr int kPopplerEncrypted = 1;     // POPPLER_ERROR_ENCRYPTED
constexpr int kCairoRgb24 = 1;           // CAIRO_FORMAT_RGB24: blue, green, red, unused
constexpr int kCairoSuccess = 0;

// GError's layout is part of GLib's interface.
struct GlibError {
  uint32_t domain;
  int code;
  char* message;
};

// The functions in use, under the names of their libraries; the loader finds cairo's and GLib's
// among what poppler-glib depends on.
class PopplerLibrary {
 public:
  // Stays loaded: GLib's types cannot be unloaded. Opening it again costs next to nothing.
  explicit PopplerLibrary(const std::string& file)
      : file_(file), handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      throw Error(ErrorKind::kDevice,
                  fmt::format("reading PDF needs poppler, and {} cannot be loaded", file),
                  fmt::format("install the package {} (Debian, Ubuntu: apt-get install {})",
                              kPackage, kPackage));
    }
    LoadAll();
  }

  char* (*g_filename_to_uri)(const char* path, const char* host, GlibError** error);
  void (*g_free)(void* memory);
  void (*g_object_unref)(void* object);
  void (*g_error_free)(GlibError* error);
  void* (*poppler_document_new_from_file)(const char* uri, const char* password, GlibError** error);
  int (*poppler_document_get_n_pages)(void* document);
  void* (*poppler_document_get_page)(void* document, int index);
  void (*poppler_page_get_size)(void* page, double* width, double* height);
  void (*poppler_page_render)(void* page, void* cairo);
  void* (*cairo_image_surface_create)(int format, int width, int height);
  int (*cairo_surface_status)(void* surface);
  void (*cairo_surface_flush)(void* surface);
  unsigned char* (*cairo_image_surface_get_data)(void* surface);
  int (*cairo_image_surface_get_stride)(void* surface);
  void (*cairo_surface_destroy)(void* surface);
  void* (*cairo_create)(void* surface);
  void (*cairo_set_source_rgb)(void* cairo, double red, double green, double blue);
  void (*cairo_paint)(void* cairo);
  void (*cairo_scale)(void* cairo, double x, double y);
  void (*cairo_destroy)(void* cairo);

 private:
  void LoadAll() {
#define VN_LOAD(function) Load(#function, function)
    VN_LOAD(g_filename_to_uri);
    VN_LOAD(g_free);
    VN_LOAD(g_object_unref);
    VN_LOAD(g_error_free);
    VN_LOAD(poppler_document_new_from_file);
    VN_LOAD(poppler_document_get_n_pages);
    VN_LOAD(poppler_document_get_page);
    VN_LOAD(poppler_page_get_size);
    VN_LOAD(poppler_page_render);
    VN_LOAD(cairo_image_surface_create);
    VN_LOAD(cairo_surface_status);
    VN_LOAD(cairo_surface_flush);
    VN_LOAD(cairo_image_surface_get_data);
    VN_LOAD(cairo_image_surface_get_stride);
    VN_LOAD(cairo_surface_destroy);
    VN_LOAD(cairo_create);
    VN_LOAD(cairo_set_source_rgb);
    VN_LOAD(cairo_paint);
    VN_LOAD(cairo_scale);
    VN_LOAD(cairo_destroy);
#undef VN_LOAD
  }

  template <typename Function>
  void Load(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(dlsym(handle_, name));
    if (function != nullptr) return;
    throw Error(ErrorKind::kDevice, fmt::format("{} has no function {}", file_, name),
                fmt::format("vernier needs {} 0.82 or newer", kPackage));
  }

  std::string file_;
  void* handle_;
};

// A pointer that the library frees.
using Held = std::unique_ptr<void, void (*)(void*)>;

}  // namespace

class PdfDocument::Impl {
 public:
  Impl(const std::string& path, const PdfOptions& options)
      : poppler_(options.library), name_(path), document_(nullptr, poppler_.g_object_unref) {
    const char* password = options.password.empty() ? nullptr : options.password.c_str();
    // From a file and not from memory: poppler 22.12 reads freed memory there when a password is
    // wrong.
    const std::string absolute = std::filesystem::absolute(path).string();
    GlibError* error = nullptr;
    const std::unique_ptr<char, void (*)(void*)> uri(
        poppler_.g_filename_to_uri(absolute.c_str(), nullptr, &error), poppler_.g_free);
    if (uri != nullptr) {
      document_.reset(poppler_.poppler_document_new_from_file(uri.get(), password, &error));
    }
    if (document_ == nullptr) Refuse(error, password != nullptr);
    pages_ = poppler_.poppler_document_get_n_pages(document_.get());
    if (pages_ < 1)
      throw Error(ErrorKind::kInput, fmt::format("{}: PDF: there are no pages", path));
  }

  int pages() const { return pages_; }

  Image Render(int index, double dpi, int64_t max_pixels) const {
    const Held page = PageAt(index);
    const auto [width, height] = SizeOf(page.get(), index, dpi, max_pixels);
    const Held surface(poppler_.cairo_image_surface_create(kCairoRgb24, static_cast<int>(width),
                                                           static_cast<int>(height)),
                       poppler_.cairo_surface_destroy);
    if (poppler_.cairo_surface_status(surface.get()) != kCairoSuccess) {
      throw Error(
          ErrorKind::kResource,
          fmt::format("{}: page {}: no memory for {}x{} pixels", name_, index + 1, height, width),
          "render it with a lower --dpi");
    }
    Paint(page.get(), surface.get(), dpi / kPointsPerInch);
    return Picture(surface.get(), width, height);
  }

 private:
  struct Size {
    int64_t width, height;
  };

  [[noreturn]] void Refuse(GlibError* error, bool password_given) const {
    const int code = error == nullptr ? 0 : error->code;
    const std::string message =
        error == nullptr || error->message == nullptr ? "cannot be read" : error->message;
    if (error != nullptr) poppler_.g_error_free(error);
    if (code == kPopplerEncrypted) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: PDF: {}", name_,
                              password_given ? "the password is wrong" : "it is encrypted"),
                  "give its password with --pdf-password");
    }
    throw Error(ErrorKind::kInput, fmt::format("{}: PDF: it is damaged: {}", name_, message),
                "see whether another program opens the file, or get it again");
  }

  Held PageAt(int index) const {
    Held page(nullptr, poppler_.g_object_unref);
    if (index >= 0 && index < pages_) {
      page.reset(poppler_.poppler_document_get_page(document_.get(), index));
    }
    if (page == nullptr) {
      throw Error(ErrorKind::kInput, fmt::format("{}: PDF: page {} cannot be read; there are {}",
                                                 name_, index + 1, pages_));
    }
    return page;
  }

  Size SizeOf(void* page, int index, double dpi, int64_t max_pixels) const {
    double width = 0, height = 0;
    poppler_.poppler_page_get_size(page, &width, &height);
    width = std::ceil(width * dpi / kPointsPerInch);
    height = std::ceil(height * dpi / kPointsPerInch);
    const auto most = static_cast<double>(kLargestSide);
    if (!(width >= 1 && height >= 1 && width <= most && height <= most &&
          width * height <= static_cast<double>(max_pixels))) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: PDF: page {} at {} dpi would have {:.0f}x{:.0f} pixels; between "
                              "1 and {} per side are possible, {} together",
                              name_, index + 1, dpi, height, width, kLargestSide, max_pixels),
                  "render it with another --dpi, or allow more with --max-image-pixels");
    }
    return {static_cast<int64_t>(width), static_cast<int64_t>(height)};
  }

  void Paint(void* page, void* surface, double scale) const {
    const Held cairo(poppler_.cairo_create(surface), poppler_.cairo_destroy);
    poppler_.cairo_set_source_rgb(cairo.get(), 1, 1, 1);
    poppler_.cairo_paint(cairo.get());
    poppler_.cairo_scale(cairo.get(), scale, scale);
    poppler_.poppler_page_render(page, cairo.get());
  }

  Image Picture(void* surface, int64_t width, int64_t height) const {
    poppler_.cairo_surface_flush(surface);
    const unsigned char* row = poppler_.cairo_image_surface_get_data(surface);
    const int stride = poppler_.cairo_image_surface_get_stride(surface);
    Image image = NewImage(ImageMode::kRGB, width, height);
    image.frames = pages_;
    image.format = ImageFormat::kPdf;
    for (int64_t y = 0; y < height; ++y, row += stride) {
      uint8_t* to = image.row(y);
      for (int64_t x = 0; x < width; ++x, to += 3) {
        uint32_t pixel = 0;  // in the machine's byte order: 0x00RRGGBB
        std::memcpy(&pixel, row + 4 * x, sizeof pixel);
        to[0] = static_cast<uint8_t>(pixel >> 16);
        to[1] = static_cast<uint8_t>(pixel >> 8);
        to[2] = static_cast<uint8_t>(pixel);
      }
    }
    return image;
  }

  PopplerLibrary poppler_;
  std::string name_;
  Held document_;
  int pages_ = 0;
};

PdfDocument::PdfDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PdfDocument::PdfDocument(PdfDocument&&) noexcept = default;
PdfDocument& PdfDocument::operator=(PdfDocument&&) noexcept = default;
PdfDocument::~PdfDocument() = default;

bool PdfDocument::IsOne(std::span<const uint8_t> bytes) {
  constexpr std::string_view kBeginning = "%PDF-";
  return bytes.size() >= kBeginning.size() &&
         std::memcmp(bytes.data(), kBeginning.data(), kBeginning.size()) == 0;
}

void PdfDocument::LoadLibrary(const std::string& library) { const PopplerLibrary loaded(library); }

PdfDocument PdfDocument::Open(const std::string& path, const PdfOptions& options) {
  return PdfDocument(std::make_unique<Impl>(path, options));
}

int PdfDocument::pages() const { return impl_->pages(); }

Image PdfDocument::Render(int page, double dpi, int64_t max_pixels) const {
  return impl_->Render(page, dpi, max_pixels);
}

}  // namespace vernier
