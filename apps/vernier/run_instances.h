// Where `vernier run` puts what a detector found: pictures with everything drawn in, and COCO JSON.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/json_writer.h"
#include "terminal.h"
#include "vernier/session.h"

namespace vernier {

struct InstanceOutputOptions {
  std::string out;     // --out; empty: nothing is written
  std::string report;  // --json, which the .json beside a picture must not be
  int64_t images = 0;  // of the run; 0: tensors were fed
  std::string font;    // of labels; empty: DejaVu Sans
};

class InstanceOutput {
 public:
  /// `out` is a .png for one picture, which gets a .json beside it; a .json for all pictures; or a
  /// folder, which gets both for every picture. Throws Error{kUsage} for what is none of them.
  InstanceOutput(const InstanceOutputOptions& options, const ModelInfo& info, Terminal& terminal);

  void Add(int64_t image_id, const PictureInfo* picture, const PictureInstances& found);
  /// Writes what speaks of all pictures.
  void Finish();

 private:
  enum class Form { kNone, kPicture, kJson, kFolder };

  bool coco_classes() const;
  std::string FreeName(const std::string& file);
  void Draw(const std::string& path, const PictureInfo& picture, const PictureInstances& found);

  InstanceOutputOptions options_;
  const ModelInfo& info_;
  Form form_ = Form::kNone;
  JsonWriter all_;
  std::set<std::string> names_;  // taken in the folder
};

/// A line per instance: class, score, box, area.
void PrintInstances(const std::string& image, const PictureInstances& found,
                    const std::vector<std::string>& classes, Terminal& terminal);

}  // namespace vernier
