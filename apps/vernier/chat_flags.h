// Flags of models that read pictures and text in one conversation, and the conversations that they
// ask for.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "flags.h"
#include "vernier/session.h"

namespace vernier {

struct ChatFlags {
  std::vector<std::string> tasks;
  std::vector<std::string> raw_prompts;
  std::vector<std::string> messages;  // files
  bool together = false;
  bool auto_image = false;
  bool plain_specials = false;
};

std::vector<Flag> ChatFlagTable(ChatFlags& flags);

/// Throws Error{kUsage} where one of the flags is given to a model that does not chat.
void RefuseChatFlags(const ChatFlags& flags, const std::string& family);

/// One page of a picture's file, by name.
struct NamedPage {
  PictureFile page;
  std::string name;  // "scan.pdf page 3"; the file alone where it has one page
};

/// What is asked once.
struct ChatJob {
  std::string name;
  std::string question;  // for people
  ChatPrompt prompt;
};

/// Of each file's pages; `prompts` are texts beside tasks and raw prompts. One text is asked of all
/// files; as many as files, each of its own; of one file, all of them. Messages are asked as they
/// stand. Without any text, the task is OCR. Throws Error{kUsage} for counts that do not fit.
std::vector<ChatJob> ChatJobsOf(const ChatFlags& flags, const std::vector<std::string>& prompts,
                                std::span<const std::vector<NamedPage>> files);

}  // namespace vernier
