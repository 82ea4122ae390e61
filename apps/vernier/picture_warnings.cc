#include "picture_warnings.h"

#include <fmt/format.h>

namespace vernier {

void PictureWarnings::Tell(const std::string& picture, const std::string& text) {
  if (++pictures_[text] > 1) return;
  terminal_.ClearProgress();
  terminal_.Warn(fmt::format("{}: {}", picture, text));
}

void PictureWarnings::TellHowManyMore() {
  for (const auto& [text, pictures] : pictures_) {
    if (pictures == 1) continue;
    terminal_.Warn(
        fmt::format("{} more picture{}: {}", pictures - 1, pictures == 2 ? "" : "s", text));
  }
}

}  // namespace vernier
