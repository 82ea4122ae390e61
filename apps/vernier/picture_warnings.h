// Warnings about pictures: each text is told with the first picture that it holds for, and at the
// end for how many more. Among a thousand scans of one kind the second says nothing new.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "terminal.h"

namespace vernier {

class PictureWarnings {
 public:
  /// `terminal` must outlive this.
  explicit PictureWarnings(Terminal& terminal) : terminal_(terminal) {}

  void Tell(const std::string& picture, const std::string& text);
  /// After the last picture.
  void TellHowManyMore();

 private:
  Terminal& terminal_;
  std::map<std::string, int64_t> pictures_;  // by text
};

}  // namespace vernier
