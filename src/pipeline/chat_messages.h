// Conversations as files: the messages that transformers' chat templates take, as JSON.
#pragma once

#include <string>

#include "vernier/session.h"

namespace vernier {

/// Reads a list of {"role": …, "content": …}, where content is a text, or a list of {"type":
/// "text", "text": …} and {"type": "image", "image": FILE, "page": N}. Files are found beside the
/// JSON file. Throws Error{kInput} naming file and place.
ChatPrompt ReadChatMessages(const std::string& path);

}  // namespace vernier
