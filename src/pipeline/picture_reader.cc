#include "pipeline/picture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

// The text or file for picture `index`: its own, or the one for all.
std::optional<std::string> ForPicture(const std::vector<std::string>& given, size_t index) {
  if (given.empty()) return std::nullopt;
  return given.size() == 1 ? given.front() : given[index];
}

void RequireCount(const std::vector<std::string>& given, size_t pictures, const char* what) {
  if (given.size() <= 1 || given.size() == pictures) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("{} {} were given for {} picture{}", given.size(), what, pictures,
                          pictures == 1 ? "" : "s"),
              "give one for all pictures, or one for each");
}

Shape BatchOf(int64_t pictures, const Shape& one) {
  std::vector<int64_t> dims = {pictures};
  for (int axis = 0; axis < one.rank(); ++axis) dims.push_back(one[axis]);
  return Shape(std::span<const int64_t>(dims));
}

}  // namespace

PictureInfo PictureInfoOf(const PictureFile& file, PictureReport report) {
  return {.file = file.file,
          .page = file.page,
          .mode = std::move(report.mode),
          .height = report.size.height,
          .width = report.size.width,
          .exif_orientation = report.exif_orientation,
          .steps = std::move(report.steps),
          .warnings = std::move(report.warnings)};
}

Error NamingFile(const Error& error, const std::string& file) {
  return error.message().find(file) == std::string::npos ? error.WithContext(file) : error;
}

PictureReport PictureReader::Process(const Image& image, const std::optional<Image>& header_image,
                                     const std::optional<std::string>& question,
                                     std::span<float> out) const {
  if (!process_under_header) return process(image, out);
  return process_under_header(
      image, {.question = question, .image = header_image ? &*header_image : nullptr}, out);
}

Pictures PictureReader::Read(std::span<const std::string> files,
                             const PictureHeaders& headers) const {
  std::vector<PictureFile> first_pages;
  for (const std::string& file : files) first_pages.push_back({.file = file});
  return Read(first_pages, headers);
}

Pictures PictureReader::Read(std::span<const PictureFile> files,
                             const PictureHeaders& headers) const {
  if (!process_under_header && !(headers.questions.empty() && headers.images.empty())) {
    throw Error(ErrorKind::kUsage, "this model reads nothing above its pictures",
                "leave question and header away");
  }
  RequireCount(headers.questions, files.size(), "questions");
  RequireCount(headers.images, files.size(), "header pictures");
  Pictures pictures;
  Tensor batch;
  Shape one;
  for (size_t i = 0; i < files.size(); ++i) {
    try {
      const Image image = DecodePage(files[i].file, files[i].page, pages);
      std::optional<Image> header_image;
      if (const auto file = ForPicture(headers.images, i))
        header_image = DecodeImage(*file, pages.decode);
      const Shape shape = output_shape(image);
      if (i == 0) {
        one = shape;
        batch = Tensor(DType::kF32, BatchOf(static_cast<int64_t>(files.size()), one));
      } else if (!(shape == one)) {
        throw Error(ErrorKind::kInput,
                    fmt::format("gives {}, the first picture of the batch {}", shape.ToString(),
                                one.ToString()),
                    "pictures of one batch need one size: use --batch 1 or --size");
      }
      const auto area = static_cast<size_t>(one.elements());
      const std::span<float> out = batch.as<float>().subspan(i * area, area);
      pictures.info.push_back(PictureInfoOf(
          files[i], Process(image, header_image, ForPicture(headers.questions, i), out)));
    } catch (const Error& error) {
      throw NamingFile(error, files[i].file);
    }
  }
  pictures.inputs.emplace(input, std::move(batch));
  if (complete) complete(pictures.inputs);
  return pictures;
}

}  // namespace vernier
