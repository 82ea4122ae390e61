// A labelled set as it lies on disk: folders by class, CSV files, JSON lines, ChartQA's layout.
// Pictures are named here and not opened. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

enum class SetKind {
  kClasses,    // a picture and its class
  kPairs,      // two pictures that belong together
  kObjects,    // a picture and the objects in it, with boxes and masks
  kQuestions,  // a picture, maybe a question, and the answers that count as right
};

/// A class of objects as the set counts and calls it.
struct ObjectClass {
  int64_t id = 0;
  std::string name;
};

struct Sample {
  std::string id;                     // unique in the set; UTF-8
  std::string image;                  // path
  std::string partner;                // pairs: path of the picture that belongs to it
  std::string prompt;                 // questions
  std::vector<std::string> expected;  // a class, right answers, or objects as ObjectText has them
  std::string place;                  // where the set says so, for messages: "labels.csv:7"
};

struct Dataset {
  std::string path;
  std::string layout;  // "folders by class", "CSV", "JSON lines", "ChartQA", "COCO instances"
  SetKind kind = SetKind::kClasses;
  std::vector<Sample> samples;            // in the set's order
  std::vector<ObjectClass> classes = {};  // of objects, in the order of their ids
};

/// Reads the set at `path`, a folder or a file; of more than `max_samples` (0: all) the first ones.
/// Throws Error{kInput} naming the line that cannot be read, the id that occurs twice, and what
/// was looked for where nothing is a set.
Dataset LoadDataset(const std::string& path, int64_t max_samples = 0);

}  // namespace vernier
