#include "run_instances.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "io/atomic_file.h"
#include "io/font.h"
#include "io/image_convert.h"
#include "io/pages.h"
#include "io/png_writer.h"
#include "models/blendmask/class_names.h"
#include "pipeline/instances_json.h"
#include "pipeline/overlay.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLabelFont = "DejaVuSans.ttf";

std::string FontOf(const std::string& chosen, Terminal& terminal) {
  const std::string font = chosen.empty() ? FindFontFile(kLabelFont) : chosen;
  if (font.empty()) {
    terminal.Warn(
        fmt::format("{} is not installed: overlays have no labels (--font FILE.ttf "
                    "gives another font)",
                    kLabelFont));
  }
  return font;
}

void MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (fs::is_directory(path)) return;
  throw Error(ErrorKind::kInput, fmt::format("--out {}: the folder cannot be made: {}", path,
                                             error ? error.message() : "a file is in its place"));
}

}  // namespace

InstanceOutput::InstanceOutput(const InstanceOutputOptions& options, const ModelInfo& info,
                               Terminal& terminal)
    : options_(options), info_(info) {
  const std::string& out = options.out;
  if (out.empty()) return;
  const std::string ending = fs::path(out).extension().string();
  if (ending == ".png") {
    form_ = Form::kPicture;
    if (options.images != 1) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--out {}: an overlay shows one picture, and there are {}", out,
                              options.images),
                  "give a folder, or a .json file");
    }
    const fs::path beside = fs::path(out).replace_extension(".json");
    if (!options.report.empty() && fs::absolute(beside).lexically_normal() ==
                                       fs::absolute(options.report).lexically_normal()) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("--out {} writes {} as well, as does --json", out, beside.string()),
                  "give --json another name");
    }
  } else if (ending == ".json") {
    form_ = Form::kJson;
  } else if (ending.empty() || fs::is_directory(out)) {
    form_ = Form::kFolder;
    MakeFolder(out);
  } else {
    throw Error(ErrorKind::kUsage, fmt::format("--out {}: a detector writes .png or .json", out),
                "or both for each picture, into a folder");
  }
  if (form_ == Form::kFolder && options.images == 0) {
    throw Error(ErrorKind::kUsage, "--out: there are no pictures to draw into",
                "give a .json file where --input feeds tensors");
  }
  if (form_ != Form::kJson) options_.font = FontOf(options.font, terminal);
  all_.BeginArray();
}

bool InstanceOutput::coco_classes() const { return info_.classes == kCocoClasses; }

std::string InstanceOutput::FreeName(const std::string& file) {
  const std::string stem = fs::path(file).stem().string();
  std::string name = stem;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}-{}", stem, i);
  return name;
}

void InstanceOutput::Draw(const std::string& path, const PictureInfo& picture,
                          const PictureInstances& found) {
  const Image upright = ApplyExifOrientation(DecodePage(picture.file, picture.page, {}));
  WritePng(path, DrawInstances(ConvertToRgb(upright), found,
                               {.classes = info_.labels, .font_file = options_.font}));
}

void InstanceOutput::Add(int64_t image_id, const PictureInfo* picture,
                         const PictureInstances& found) {
  if (form_ == Form::kNone) return;
  const CocoForm form{.image_id = image_id, .coco_classes = coco_classes()};
  if (form_ != Form::kFolder) WriteInstances(found, form, all_);
  if (form_ == Form::kPicture) Draw(options_.out, *picture, found);
  if (form_ != Form::kFolder) return;
  const std::string base = (fs::path(options_.out) / FreeName(picture->file)).string();
  Draw(base + ".png", *picture, found);
  JsonWriter json;
  json.BeginArray();
  WriteInstances(found, form, json);
  WriteFileAtomically(base + ".json", json.EndArray().Take());
}

void InstanceOutput::Finish() {
  if (form_ != Form::kPicture && form_ != Form::kJson) return;
  const std::string path = fs::path(options_.out).replace_extension(".json").string();
  WriteFileAtomically(path, all_.EndArray().Take());
}

void PrintInstances(const std::string& image, const PictureInstances& found,
                    const std::vector<std::string>& classes, Terminal& terminal) {
  const size_t count = found.instances.size();
  terminal.Print("{}: {} object{}\n", Printable(image), count, count == 1 ? "" : "s");
  if (count == 0) return;
  terminal.Print("  {:<20} {:>6}  {:>7} {:>7} {:>7} {:>7}  {:>9}\n", "class", "score", "left",
                 "top", "right", "bottom", "area");
  for (const Instance& instance : found.instances) {
    terminal.Print("  {:<20} {:>6.3f}  {:>7.1f} {:>7.1f} {:>7.1f} {:>7.1f}  {:>9}\n",
                   Printable(CategoryName(classes, instance.category)), instance.score,
                   instance.box[0], instance.box[1], instance.box[2], instance.box[3],
                   instance.mask.area());
  }
}

}  // namespace vernier
