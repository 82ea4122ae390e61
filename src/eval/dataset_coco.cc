#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/coco_mask.h"
#include "eval/dataset_readers.h"
#include "eval/objects.h"
#include "metrics/coco_polygon.h"
#include "vernier/error.h"

namespace vernier {
namespace {

namespace fs = std::filesystem;

// A side beyond it is no picture, and masks take memory of both sides' product.
constexpr int64_t kLongestSide = 65535;

struct PictureEntry {
  std::string file;
  int64_t height = 0;
  int64_t width = 0;
  std::vector<std::string> objects = {};
};

[[noreturn]] void Refuse(const Json& row, std::string_view key, const std::string& expected) {
  throw Error(ErrorKind::kInput, fmt::format("{}: expected {}", row.Where(key), expected),
              "annotations are read as COCO's instances: images, annotations, categories");
}

int64_t Side(const Json& image, const char* key) {
  const int64_t side = image.GetInt(key);
  if (side < 1 || side > kLongestSide) Refuse(image, key, "a side in pixels");
  return side;
}

RunLengths RunsOf(const Json& mask, const PictureEntry& picture) {
  const std::vector<int64_t> size = mask.GetInts("size");
  if (size != std::vector<int64_t>{picture.height, picture.width}) {
    Refuse(mask, "size", fmt::format("[{}, {}], the picture's", picture.height, picture.width));
  }
  if (!mask.Get("counts").is_array()) {
    return ParseCompressedText(mask.GetString("counts"), picture.height, picture.width);
  }
  RunLengths runs{picture.height, picture.width, mask.GetInts("counts")};
  int64_t left = picture.height * picture.width;
  for (const int64_t count : runs.counts) {
    if (count < 0 || count > left) Refuse(mask, "counts", "runs that fit the picture");
    left -= count;
  }
  if (left != 0) Refuse(mask, "counts", "runs that fill the picture");
  return runs;
}

RunLengths MaskOf(const Json& row, const PictureEntry& picture) {
  const Json& mask = row.Get("segmentation");
  if (mask.is_object()) return RunsOf(mask, picture);
  std::vector<std::vector<double>> polygons;
  for (const Json& polygon : row.GetArray("segmentation").items()) {
    std::vector<double>& points = polygons.emplace_back();
    for (const Json& value : polygon.items()) points.push_back(value.AsNumber());
    const bool bounded = std::ranges::all_of(
        points, [](double value) { return std::abs(value) <= 4.0 * kLongestSide; });
    if (points.size() < 6 || points.size() % 2 != 0 || !bounded) {
      Refuse(row, "segmentation", "polygons of at least three points near the picture");
    }
  }
  return MaskOfPolygons(polygons, picture.height, picture.width);
}

std::map<int64_t, std::string> ClassNamesOf(const Json& file, Dataset& set) {
  std::map<int64_t, std::string> names;
  for (const Json& row : file.GetArray("categories").items()) {
    if (!names.emplace(row.GetInt("id"), row.GetString("name")).second) {
      Refuse(row, "id", "an id of its own");
    }
  }
  for (const auto& [id, name] : names) set.classes.push_back({id, name});
  return names;
}

// Beside the file, in a folder below, or in one next to the file's own.
std::string PictureFolder(const std::string& path, const std::string& first) {
  const fs::path own = fs::absolute(path).parent_path();
  std::error_code error;
  std::set<fs::path> folders;
  for (const fs::path& parent : {own, own.parent_path()}) {
    for (const auto& entry : fs::directory_iterator(parent, error)) {
      if (entry.is_directory(error)) folders.insert(entry.path());
    }
  }
  std::vector<fs::path> places = {own};
  places.insert(places.end(), folders.begin(), folders.end());
  for (const fs::path& place : places) {
    if (fs::exists(place / first, error)) return place.string();
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: its picture {} is neither beside it, nor in a folder below or next "
                          "to it",
                          PathAsText(path), PathAsText(first)),
              "put the folder of pictures beside the annotations");
}

}  // namespace

bool LooksLikeCoco(const Json& file) {
  return file.is_object() && file.Has("images") && file.Has("annotations");
}

Dataset ReadCocoInstances(const std::string& path, const Json& file) {
  Dataset set{.path = path, .layout = "COCO instances", .kind = SetKind::kObjects};
  const std::map<int64_t, std::string> names = ClassNamesOf(file, set);
  std::vector<int64_t> order;
  std::map<int64_t, PictureEntry> pictures;
  for (const Json& row : file.GetArray("images").items()) {
    const int64_t id = row.GetInt("id");
    const PictureEntry entry{row.GetString("file_name"), Side(row, "height"), Side(row, "width")};
    if (!pictures.emplace(id, entry).second) Refuse(row, "id", "an id of its own");
    order.push_back(id);
  }
  if (order.empty()) return set;
  for (const Json& row : file.GetArray("annotations").items()) {
    const auto picture = pictures.find(row.GetInt("image_id"));
    if (picture == pictures.end()) Refuse(row, "image_id", "the id of one of the images");
    const auto name = names.find(row.GetInt("category_id"));
    if (name == names.end()) Refuse(row, "category_id", "the id of one of the categories");
    const std::vector<double> box = row.GetNumbers("bbox");
    if (box.size() != 4) Refuse(row, "bbox", "[left, top, width, height]");
    picture->second.objects.push_back(ObjectText({.category = name->first,
                                                  .box = {box[0], box[1], box[2], box[3]},
                                                  .area = row.GetNumber("area"),
                                                  .crowd = row.GetInt("iscrowd", 0) != 0,
                                                  .mask = MaskOf(row, picture->second)},
                                                 name->second));
  }
  const std::string folder = PictureFolder(path, pictures.at(order[0]).file);
  for (const int64_t id : order) {
    PictureEntry& picture = pictures.at(id);
    set.samples.push_back({.id = fmt::format("{}", id),
                           .image = (fs::path(folder) / picture.file).string(),
                           .expected = std::move(picture.objects),
                           .place = fmt::format("{}: image {}", PathAsText(path), id)});
  }
  return set;
}

}  // namespace vernier
