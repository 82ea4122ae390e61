// JPEG through libjpeg-turbo with its default (accurate integer) arithmetic, as Pillow uses it.
//
// libjpeg reports errors by longjmp. Guarded() is the only place with a setjmp; what it calls are
// lambdas of plain C calls, so no destructor is ever jumped over.
#include <cstdio>  // before jpeglib.h, which uses FILE without declaring it

#include <fmt/format.h>
#include <jpeglib.h>
#include <setjmp.h>

#include <jerror.h>

#include "io/image_codecs.h"

namespace vernier {
namespace {

// Real encoders write about ten scans; thousands of them are a way to burn time.
constexpr int kMaxScans = 500;

struct JpegErrors {
  jpeg_error_mgr base;  // first, so that a jpeg_error_mgr* is a JpegErrors*
  jmp_buf escape;
  bool truncated = false;
  char message[JMSG_LENGTH_MAX] = "";
  char first_warning[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void Escape(j_common_ptr codec) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  codec->err->format_message(codec, errors->message);
  longjmp(errors->escape, 1);
}

void KeepFirstWarning(j_common_ptr codec, int level) {
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  if (level < 0 && codec->err->num_warnings++ == 0)
    codec->err->format_message(codec, errors->first_warning);
}

[[noreturn]] void EndOfData(j_decompress_ptr codec) {
  reinterpret_cast<JpegErrors*>(codec->err)->truncated = true;
  codec->err->msg_code = JERR_INPUT_EOF;
  Escape(reinterpret_cast<j_common_ptr>(codec));
}

// libjpeg's own memory source invents an end marker when the data stops; Pillow calls such files
// truncated, and so does this source.
struct MemorySource : jpeg_source_mgr {
  explicit MemorySource(std::span<const uint8_t> bytes) : jpeg_source_mgr{} {
    next_input_byte = bytes.data();
    bytes_in_buffer = bytes.size();
    init_source = [](j_decompress_ptr) {};
    fill_input_buffer = [](j_decompress_ptr codec) -> boolean { EndOfData(codec); };
    skip_input_data = [](j_decompress_ptr codec, long count) {
      if (count <= 0) return;
      if (static_cast<size_t>(count) > codec->src->bytes_in_buffer) EndOfData(codec);
      codec->src->next_input_byte += count;
      codec->src->bytes_in_buffer -= static_cast<size_t>(count);
    };
    resync_to_restart = jpeg_resync_to_restart;
    term_source = [](j_decompress_ptr) {};
  }
};

void RefuseManyScans(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans) return;
  auto* errors = reinterpret_cast<JpegErrors*>(codec->err);
  snprintf(errors->message, sizeof errors->message, "more than %d scans", kMaxScans);
  longjmp(errors->escape, 1);
}

class JpegDecoder {
 public:
  explicit JpegDecoder(const EncodedImage& file) : file_(file), source_(file.bytes) {
    codec_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = Escape;
    errors_.base.emit_message = KeepFirstWarning;
    progress_.progress_monitor = RefuseManyScans;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&codec_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Image Decode() {
    ReadHeader();
    Image image =
        NewDecodedImage(file_, ImageFormat::kJpeg, Mode(), codec_.image_width, codec_.image_height);
    CheckPlausible();
    image.exif_orientation = Orientation();
    ReadPixels(image);
    if (image.mode == ImageMode::kCMYK) InvertInk(image);
    if (errors_.base.num_warnings > 0)
      image.warnings.push_back(fmt::format("{}: damaged JPEG data in {} places, the first: {}",
                                           file_.name, errors_.base.num_warnings,
                                           errors_.first_warning));
    return image;
  }

 private:
  template <typename Calls>
  void Guarded(const Calls& calls) {
    if (setjmp(errors_.escape) == 0) {
      calls();
      return;
    }
    if (errors_.truncated)
      RefuseImage(file_, ImageFormat::kJpeg,
                  fmt::format("truncated: the picture goes on after the file's {} bytes",
                              file_.bytes.size()),
                  "the download or copy was probably cut short; get the file again");
    RefuseImage(file_, ImageFormat::kJpeg, errors_.message);
  }

  void ReadHeader() {
    Guarded([this] {
      jpeg_create_decompress(&codec_);
      codec_.src = &source_;
      codec_.progress = &progress_;
      jpeg_save_markers(&codec_, JPEG_APP0 + 1, 0xFFFF);
      jpeg_read_header(&codec_, TRUE);
    });
  }

  // A Huffman-coded block takes at least one bit; a header that says more blocks than the file has
  // bits would cost memory and time for nothing. (Arithmetic coding has no such bound.)
  void CheckPlausible() const {
    const int64_t blocks = (int64_t{codec_.image_width} + DCTSIZE - 1) / DCTSIZE *
                           ((int64_t{codec_.image_height} + DCTSIZE - 1) / DCTSIZE);
    if (codec_.arith_code || blocks <= static_cast<int64_t>(file_.bytes.size()) * 8) return;
    RefuseImage(file_, ImageFormat::kJpeg,
                fmt::format("truncated: the header says {}x{} pixels, which {} bytes cannot hold",
                            codec_.image_width, codec_.image_height, file_.bytes.size()));
  }

  ImageMode Mode() const {
    switch (codec_.num_components) {
      case 1:
        return ImageMode::kL;
      case 3:
        return ImageMode::kRGB;
      case 4:
        return ImageMode::kCMYK;
    }
    RefuseImage(
        file_, ImageFormat::kJpeg,
        fmt::format("{} colour components; 1, 3 or 4 were expected", codec_.num_components));
  }

  void ReadPixels(Image& image) {
    switch (image.mode) {
      case ImageMode::kL:
        codec_.out_color_space = JCS_GRAYSCALE;
        break;
      case ImageMode::kRGB:
        codec_.out_color_space = JCS_RGB;
        break;
      default:
        codec_.out_color_space = JCS_CMYK;
    }
    Guarded([this, &image] {
      jpeg_start_decompress(&codec_);
      while (codec_.output_scanline < codec_.output_height) {
        JSAMPROW row = image.row(codec_.output_scanline);
        jpeg_read_scanlines(&codec_, &row, 1);
      }
      jpeg_finish_decompress(&codec_);
    });
  }

  // Adobe stores ink upside down; Pillow assumes that of every CMYK file.
  static void InvertInk(Image& image) {
    for (uint8_t& ink : std::span(image.pixels.data(), image.pixels.size())) ink = 255 - ink;
  }

  int Orientation() const {
    static constexpr std::string_view kExif("Exif\0\0", 6);
    static constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
    std::string exif;  // may be split over several markers
    std::string_view xmp;
    for (auto* marker = codec_.marker_list; marker != nullptr; marker = marker->next) {
      const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
      if (data.starts_with(kExif)) exif += data.substr(kExif.size());
      if (data.starts_with(kXmp)) xmp = data.substr(kXmp.size());
    }
    return ReadOrientation({reinterpret_cast<const uint8_t*>(exif.data()), exif.size()}, xmp);
  }

  const EncodedImage& file_;
  JpegErrors errors_{};
  MemorySource source_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct codec_{};
};

}  // namespace

Image DecodeJpeg(const EncodedImage& file) { return JpegDecoder(file).Decode(); }

}  // namespace vernier
