#include "models/paddleocr_vl/prompt.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "io/json.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kBegin = "<|begin_of_sentence|>";
constexpr std::string_view kEnd = "</s>";
constexpr std::string_view kImageStart = "<|IMAGE_START|>", kImageEnd = "<|IMAGE_END|>";
constexpr std::string_view kUser = "User: ";
constexpr std::string_view kAssistant = "Assistant:";

struct Task {
  std::string_view name;
  std::string_view prompt;
};
constexpr Task kTasks[] = {{"ocr", "OCR:"},
                           {"table", "Table Recognition:"},
                           {"formula", "Formula Recognition:"},
                           {"chart", "Chart Recognition:"},
                           {"spotting", "Spotting:"},
                           {"seal", "Seal Recognition:"}};

// Joins neighbouring texts, so that a tokenizer sees them whole.
class PromptWriter {
 public:
  void Text(std::string_view text) {
    if (text.empty()) return;
    if (pieces_.empty() || pieces_.back().special) pieces_.push_back({});
    pieces_.back().text += text;
  }
  void Special(std::string_view token) {
    pieces_.push_back({.text = std::string(token), .special = true});
  }
  std::vector<PromptPiece> Take() { return std::move(pieces_); }

 private:
  std::vector<PromptPiece> pieces_;
};

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

// One text, or several with names.
std::string TemplateOf(const Json& settings) {
  const Json* found = settings.Find("chat_template");
  if (found == nullptr || !found->is_array()) return settings.GetString("chat_template", "");
  for (const Json& item : found->items()) {
    if (item.GetString("name", "") == "default") return item.GetString("template");
  }
  return "";
}

}  // namespace

AnswerCue AnswerCueOf(const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path own = fs::path(folder) / "chat_template.jinja";
  const fs::path settings = fs::path(folder) / "tokenizer_config.json";
  std::string text;
  std::error_code ignored;
  if (fs::exists(own, ignored)) {
    const MappedFile file = MappedFile::Open(own.string());
    text.assign(file.bytes().begin(), file.bytes().end());
  } else if (fs::exists(settings, ignored)) {
    text = TemplateOf(Json::ParseFile(settings.string()));
  }
  if (text.empty()) return AnswerCue::kNewline;
  // The template spells the line break as an escape.
  const bool newline = text.find("\"Assistant:\\n\"") != std::string::npos ||
                       text.find("'Assistant:\\n'") != std::string::npos;
  return newline ? AnswerCue::kNewline : AnswerCue::kBlank;
}

std::vector<PromptPiece> WritePrompt(std::span<const PromptTurn> turns, AnswerCue cue,
                                     bool answer_follows) {
  PromptWriter writer;
  const auto assistant = [&] {
    writer.Text(kAssistant);
    writer.Text(cue == AnswerCue::kNewline ? "\n" : " ");
  };
  writer.Special(kBegin);
  for (const PromptTurn& turn : turns) {
    if (turn.role == "user") {
      writer.Text(kUser);
      for (int64_t i = 0; i < turn.pictures; ++i) {
        writer.Special(kImageStart);
        writer.Special(kImagePlaceholder);
        writer.Special(kImageEnd);
      }
      writer.Text(turn.text);
      writer.Text("\n");
      continue;
    }
    if (turn.pictures > 0) {
      throw Error(ErrorKind::kUsage,
                  fmt::format("a turn of the {} has {} pictures", turn.role, turn.pictures),
                  "only the user shows pictures");
    }
    if (turn.role == "assistant") {
      assistant();
      writer.Text(turn.text);
      writer.Special(kEnd);
    } else if (turn.role == "system") {
      writer.Text(turn.text);
      writer.Text("\n");
    } else {
      throw Error(ErrorKind::kUsage, fmt::format("there is no role '{}'", turn.role.substr(0, 40)),
                  "roles are system, user and assistant");
    }
  }
  if (answer_follows) assistant();
  return writer.Take();
}

std::string JoinPieces(std::span<const PromptPiece> pieces) {
  std::string text;
  for (const PromptPiece& piece : pieces) text += piece.text;
  return text;
}

std::string TaskPrompt(std::string_view name) {
  const auto* const task = std::ranges::find(kTasks, name, &Task::name);
  if (task != std::end(kTasks)) return std::string(task->prompt);
  throw Error(ErrorKind::kUsage, fmt::format("there is no task '{}'", name.substr(0, 40)),
              fmt::format("tasks are {}; any other question goes into --prompt",
                          fmt::join(TaskNames(), ", ")));
}

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Task& task : kTasks) names.emplace_back(task.name);
  return names;
}

std::string WithImageSlots(std::string text, int64_t pictures) {
  const auto present = static_cast<int64_t>(CountOf(text, kImagePlaceholder));
  std::string slots;
  for (int64_t i = present; i < pictures; ++i) slots += kImageSlot;
  const size_t user = text.find(kUser);
  const size_t begin = text.starts_with(kBegin) ? kBegin.size() : 0;
  return text.insert(user == std::string::npos ? begin : user + kUser.size(), slots);
}

std::vector<int32_t> FillImageSlots(std::span<const int32_t> ids, int32_t image_token,
                                    std::span<const int64_t> tokens_of) {
  const auto slots = static_cast<size_t>(std::ranges::count(ids, image_token));
  if (slots != tokens_of.size()) {
    // The reference's words, for both directions.
    const std::string found =
        tokens_of.empty()
            ? fmt::format("Found {} {} tokens in the text but no images were passed", slots,
                          kImagePlaceholder)
            : fmt::format(
                  "The total number of {} tokens in the prompts should be the same as the "
                  "number of images passed. Found total {} {} tokens and {} images",
                  kImagePlaceholder, slots, kImagePlaceholder, tokens_of.size());
    throw Error(
        ErrorKind::kUsage, found,
        fmt::format("write {} once for each picture, or let --auto-image put it in", kImageSlot));
  }
  std::vector<int32_t> filled;
  size_t picture = 0;
  for (const int32_t id : ids) {
    const int64_t copies = id == image_token ? tokens_of[picture++] : 1;
    filled.insert(filled.end(), static_cast<size_t>(copies), id);
  }
  return filled;
}

}  // namespace vernier
