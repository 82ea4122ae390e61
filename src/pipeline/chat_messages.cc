#include "pipeline/chat_messages.h"

#include <fmt/format.h>

#include <filesystem>

#include "io/json.h"
#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kMostPages = 1 << 20;

void AddPart(const Json& part, const std::filesystem::path& beside, ChatTurn& turn) {
  const std::string type = part.GetString("type");
  if (type == "text") {
    turn.text += part.GetString("text");
  } else if (type == "image") {
    // An absolute path stands for itself.
    turn.pictures.push_back(
        {.file = (beside / part.GetString("image")).string(),
         .page = static_cast<int>(BoundedInt(part, "page", 1, 1, kMostPages) - 1)});
  } else {
    throw Error(ErrorKind::kInput, fmt::format("{} is '{}'; text or image was expected",
                                               part.Where("type"), type.substr(0, 40)));
  }
}

}  // namespace

ChatPrompt ReadChatMessages(const std::string& path) {
  const Json messages = Json::ParseFile(path);
  if (!messages.is_array() || messages.size() == 0) {
    throw Error(ErrorKind::kInput, fmt::format("{}: a list of messages was expected", path),
                "write [{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"image\": "
                "\"a.png\"}, {\"type\": \"text\", \"text\": \"OCR:\"}]}]");
  }
  const std::filesystem::path beside = std::filesystem::path(path).parent_path();
  ChatPrompt prompt;
  for (const Json& message : messages.items()) {
    ChatTurn turn{.role = message.GetString("role")};
    const Json& content = message.Get("content");
    if (content.is_array()) {
      for (const Json& part : content.items()) AddPart(part, beside, turn);
    } else {
      turn.text = content.AsString();
    }
    prompt.turns.push_back(std::move(turn));
  }
  return prompt;
}

}  // namespace vernier
