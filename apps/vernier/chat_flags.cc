#include "chat_flags.h"

#include <fmt/format.h>

#include <utility>

#include "models/paddleocr_vl/prompt.h"
#include "pipeline/chat_messages.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kSpotting = "spotting";

// What is asked of a picture, before the picture is put in.
struct Question {
  std::string shown;
  std::string text;
  std::string raw;
  bool for_spotting = false;
};

std::vector<Question> QuestionsOf(const ChatFlags& flags, const std::vector<std::string>& prompts) {
  std::vector<Question> questions;
  for (const std::string& task : flags.tasks) {
    const std::string text = TaskPrompt(task);
    questions.push_back(
        {.shown = text, .text = text, .raw = {}, .for_spotting = task == kSpotting});
  }
  for (const std::string& text : prompts)
    questions.push_back({.shown = text, .text = text, .raw = {}});
  for (const std::string& raw : flags.raw_prompts) {
    questions.push_back({.shown = raw, .text = {}, .raw = raw});
  }
  return questions;
}

ChatJob JobOf(const ChatFlags& flags, const Question& question, std::string name,
              std::vector<PictureFile> pictures) {
  ChatJob job{.name = std::move(name), .question = question.shown, .prompt = {}};
  job.prompt.turns.push_back({.pictures = std::move(pictures), .text = question.text});
  job.prompt.raw = question.raw;
  job.prompt.add_slots = flags.auto_image;
  job.prompt.plain_text = flags.plain_specials;
  job.prompt.for_spotting = question.for_spotting;
  return job;
}

ChatJob AllTogether(const ChatFlags& flags, const Question& question,
                    std::span<const std::vector<NamedPage>> files) {
  std::vector<PictureFile> pictures;
  for (const auto& pages : files) {
    for (const NamedPage& page : pages) pictures.push_back(page.page);
  }
  std::string name = fmt::format("{} pictures", pictures.size());
  if (pictures.size() == 1) name = files[0][0].name;
  return JobOf(flags, question, std::move(name), std::move(pictures));
}

void AddOneEach(const ChatFlags& flags, const std::vector<Question>& questions,
                std::span<const std::vector<NamedPage>> files, std::vector<ChatJob>& jobs) {
  for (size_t file = 0; file < files.size(); ++file) {
    const bool own = questions.size() == files.size();
    for (const NamedPage& page : files[file]) {
      for (size_t i = 0; i < questions.size(); ++i) {
        if (own && i != file) continue;
        jobs.push_back(JobOf(flags, questions[i], page.name, {page.page}));
      }
    }
  }
}

}  // namespace

std::vector<Flag> ChatFlagTable(ChatFlags& flags) {
  constexpr std::string_view kSection = "Conversation (PaddleOCR-VL)";
  return {{.name = "--task",
           .metavar = "NAME",
           .section = kSection,
           .help = "What to read in the pictures, by the name of what the model was trained on; "
                   "--prompt asks anything else; repeats.",
           .target = &flags.tasks,
           .default_text = "ocr",
           .choices = {"ocr", "table", "formula", "chart", "spotting", "seal"}},
          {.name = "--together",
           .metavar = "",
           .section = kSection,
           .help = "Show all pictures in one prompt and get one answer.",
           .target = &flags.together},
          {.name = "--messages",
           .metavar = "F.json",
           .section = kSection,
           .help = "A conversation as transformers' chat templates take it; repeats.",
           .target = &flags.messages,
           .completion = Completion::kFile},
          {.name = "--prompt-raw",
           .metavar = "TEXT",
           .section = kSection,
           .help = "The prompt as the model reads it, without its chat template; repeats.",
           .target = &flags.raw_prompts},
          {.name = "--auto-image",
           .metavar = "",
           .section = kSection,
           .help = "With --prompt-raw: put in the pictures' slots that the text lacks.",
           .target = &flags.auto_image},
          {.name = "--plain-specials",
           .metavar = "",
           .section = kSection,
           .help = "Read text that spells a special token, such as </s>, as plain text.",
           .target = &flags.plain_specials}};
}

void RefuseChatFlags(const ChatFlags& flags, const std::string& family) {
  const std::pair<const char*, bool> given[] = {
      {"--task", !flags.tasks.empty()},        {"--together", flags.together},
      {"--messages", !flags.messages.empty()}, {"--prompt-raw", !flags.raw_prompts.empty()},
      {"--auto-image", flags.auto_image},      {"--plain-specials", flags.plain_specials}};
  for (const auto& [name, is_given] : given) {
    if (!is_given) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("{} is for models that read conversations; this one is a {} model",
                            name, family),
                fmt::format("leave {} away", name));
  }
}

std::vector<ChatJob> ChatJobsOf(const ChatFlags& flags, const std::vector<std::string>& prompts,
                                std::span<const std::vector<NamedPage>> files) {
  std::vector<ChatJob> jobs;
  for (const std::string& file : flags.messages) {
    jobs.push_back({.name = file, .question = {}, .prompt = ReadChatMessages(file)});
    jobs.back().prompt.plain_text = flags.plain_specials;
  }
  std::vector<Question> questions = QuestionsOf(flags, prompts);
  if (files.empty() && questions.empty()) return jobs;
  if (questions.empty())
    questions.push_back({.shown = TaskPrompt("ocr"), .text = TaskPrompt("ocr")});
  if (files.empty()) {
    for (const Question& question : questions) {
      jobs.push_back(JobOf(flags, question, question.shown, {}));
    }
    return jobs;
  }
  if (flags.together) {
    for (const Question& question : questions) {
      jobs.push_back(AllTogether(flags, question, files));
    }
    return jobs;
  }
  if (questions.size() > 1 && files.size() > 1 && questions.size() != files.size()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{} questions (--task, --prompt, --prompt-raw) were given for {} "
                            "pictures",
                            questions.size(), files.size()),
                "give one for all pictures, or one for each");
  }
  AddOneEach(flags, questions, files, jobs);
  return jobs;
}

}  // namespace vernier
