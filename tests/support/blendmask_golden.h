// One case of BlendMask's goldens, for tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/npy.h"
#include "models/blendmask/config.h"
#include "models/preprocess.h"

namespace vernier {

struct BlendMaskGolden {
  explicit BlendMaskGolden(const std::string& name)
      : folder(VERNIER_TEST_DATA "/goldens/blendmask/" + name),
        notes(Json::ParseFile(folder + "/case.json")),
        config(ParseBlendMaskConfig(Json::ParseFile(folder + "/config.json"))) {}

  Tensor Array(const std::string& file) const { return ReadNpy(folder + "/" + file + ".npy"); }
  Tensor Dump(const std::string& name) const { return Array("dump/" + name); }
  bool Has(const std::string& file) const {
    return std::filesystem::exists(folder + "/" + file + ".npy");
  }
  int64_t pictures() const { return notes.GetObject("inputs").GetInt("batch"); }
  PictureSize Size(std::string_view key, int64_t picture) const {
    const Json& size =
        notes.GetObject("inputs").GetArray(key).items()[static_cast<size_t>(picture)];
    return {size.items()[0].AsInt(), size.items()[1].AsInt()};
  }
  const Json& Detections(int64_t picture) const {
    return notes.GetArray("detections").items()[static_cast<size_t>(picture)];
  }
  double Tolerance(int64_t picture, std::string_view tensor) const {
    return Detections(picture)
        .GetObject("tensors")
        .GetObject(tensor)
        .GetObject("tolerance")
        .GetNumber("max_abs");
  }

  std::string folder;
  Json notes;
  BlendMaskConfig config;
};

inline const std::vector<std::string>& BlendMaskGoldenNames() {
  static const std::vector<std::string> names = {
      "r50_gn",  "r50_550_share", "rt_r50_bn_batch2", "rt_dla34",
      "lite_gn", "lite_bn",       "lite_bn_shared",   "empty"};
  return names;
}

}  // namespace vernier
