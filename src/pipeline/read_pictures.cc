#include "pipeline/read_pictures.h"

#include <fmt/format.h>

#include <vector>

#include "models/paddleocr_vl/prompt.h"
#include "vernier/error.h"

namespace vernier {

Pictures ReadPictures(const LoadedModel& model, std::span<const PictureFile> files,
                      const PictureHeaders& headers) {
  if (!model.chats) return model.pictures.Read(files, headers);
  const std::vector<std::string>& questions = headers.questions;
  if (!headers.images.empty() || (questions.size() > 1 && questions.size() != files.size())) {
    throw Error(ErrorKind::kUsage,
                headers.images.empty() ? fmt::format("{} questions were given for {} pictures",
                                                     questions.size(), files.size())
                                       : std::string("this model reads nothing above its pictures"),
                "give one question for all pictures, or one for each");
  }
  std::vector<ChatPrompt> prompts;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string text =
        questions.empty() ? TaskPrompt("ocr") : questions[questions.size() == 1 ? 0 : i];
    prompts.push_back({.turns = {{.pictures = {files[i]}, .text = text}}});
  }
  return model.chats->Read(prompts);
}

Pictures ReadPictures(const LoadedModel& model, std::span<const std::string> files,
                      const PictureHeaders& headers) {
  std::vector<PictureFile> first_pages;
  for (const std::string& file : files) first_pages.push_back({.file = file});
  return ReadPictures(model, first_pages, headers);
}

}  // namespace vernier
