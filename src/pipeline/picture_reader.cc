#include "pipeline/picture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "pipeline/results.h"
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

Shape BatchOfOne(const Shape& one) {
  std::vector<int64_t> dims = {1};
  for (int axis = 0; axis < one.rank(); ++axis) dims.push_back(one[axis]);
  return Shape(std::span<const int64_t>(dims));
}

// Maps [1, channels, height, width] of several sizes as one batch: each at the upper left, the rest
// zero.
Tensor PaddedStack(std::span<const Tensor> parts) {
  Shape shape = parts[0].shape();
  shape.Set(0, std::ssize(parts));
  for (const Tensor& part : parts) {
    for (const int axis : {2, 3}) shape.Set(axis, std::max(shape[axis], part.shape()[axis]));
  }
  Tensor batch = Tensor::Zeros(DType::kF32, shape);
  float* to = batch.as<float>().data();
  for (const Tensor& part : parts) {
    const float* from = part.as<float>().data();
    for (int64_t c = 0; c < shape[1]; ++c, to += shape[2] * shape[3]) {
      for (int64_t y = 0; y < part.shape()[2]; ++y, from += part.shape()[3]) {
        std::copy_n(from, part.shape()[3], to + y * shape[3]);
      }
    }
  }
  return batch;
}

[[noreturn]] void RefuseSizes(const std::string& file, const Shape& shape, const Shape& first) {
  const auto of_one = [](const Shape& s) { return Shape(s.dims().subspan(1)).ToString(); };
  throw Error(ErrorKind::kInput,
              fmt::format("{}: gives {}, the first picture of the batch {}", file, of_one(shape),
                          of_one(first)),
              "pictures of one batch need one size: use --batch 1 or --size");
}

}  // namespace

PictureInfo PictureInfoOf(const PictureFile& file, PictureReport report) {
  return {.file = file.file,
          .page = file.page,
          .mode = std::move(report.mode),
          .height = report.size.height,
          .width = report.size.width,
          .exif_orientation = report.exif_orientation,
          .network_height = report.network_size.height,
          .network_width = report.network_size.width,
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
  if (!process && !process_under_header) {
    throw Error(ErrorKind::kUsage, "this model reads pictures among text, not alone",
                "give a conversation, or feed its inputs");
  }
  if (!process_under_header && !(headers.questions.empty() && headers.images.empty())) {
    throw Error(ErrorKind::kUsage, "this model reads nothing above its pictures",
                "leave question and header away");
  }
  RequireCount(headers.questions, files.size(), "questions");
  RequireCount(headers.images, files.size(), "header pictures");
  std::vector<Pictures> parts;
  for (size_t i = 0; i < files.size(); ++i) {
    try {
      const Image image = DecodePage(files[i].file, files[i].page, pages);
      std::optional<Image> header_image;
      if (const auto file = ForPicture(headers.images, i))
        header_image = DecodeImage(*file, pages.decode);
      Tensor one(DType::kF32, BatchOfOne(output_shape(image)));
      Pictures part;
      part.info.push_back(PictureInfoOf(
          files[i],
          Process(image, header_image, ForPicture(headers.questions, i), one.as<float>())));
      part.inputs.emplace(input, std::move(one));
      if (complete) complete(part.inputs);
      parts.push_back(std::move(part));
    } catch (const Error& error) {
      throw NamingFile(error, files[i].file);
    }
  }
  return Join(std::move(parts));
}

Pictures PictureReader::Join(std::vector<Pictures> parts) const {
  if (parts.size() == 1) return std::move(parts[0]);
  Pictures joined;
  std::map<std::string, std::vector<Tensor>, std::less<>> by_name;
  for (Pictures& part : parts) {
    for (auto& [name, tensor] : part.inputs) {
      std::vector<Tensor>& same = by_name[name];
      if (!pads && !same.empty() && !(tensor.shape() == same[0].shape())) {
        RefuseSizes(part.info[0].file, tensor.shape(), same[0].shape());
      }
      same.push_back(std::move(tensor));
    }
    std::ranges::move(part.info, std::back_inserter(joined.info));
  }
  for (const auto& [name, tensors] : by_name) {
    joined.inputs.emplace(name, pads ? PaddedStack(tensors) : Stacked(tensors));
  }
  return joined;
}

}  // namespace vernier
