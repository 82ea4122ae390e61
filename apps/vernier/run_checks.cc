#include "run_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "generation_flags.h"
#include "vernier/error.h"

namespace vernier {
namespace {

[[noreturn]] void Refuse(std::string what, std::string hint) {
  throw Error(ErrorKind::kUsage, std::move(what), std::move(hint));
}

void CheckCount(const char* flag, size_t given, size_t pictures) {
  if (given <= 1 || given == pictures) return;
  Refuse(fmt::format("{} was given {} times for {} pictures", flag, given, pictures),
         "give it once for all pictures, or once for each");
}

}  // namespace

int64_t BatchSizeOf(const RunVerbOptions& options, size_t pictures) {
  return !options.dump.empty() && options.batch == 1
             ? std::max<int64_t>(1, static_cast<int64_t>(pictures))
             : options.batch;
}

void CheckRunFlags(const RunVerbOptions& options, size_t pictures, bool fed) {
  if (pictures > 0 && fed) {
    Refuse("--image and --input exclude each other", "feed pixel_values, or give pictures");
  }
  const bool asks = !options.chat.messages.empty() || !options.chat.raw_prompts.empty() ||
                    !options.prompts.empty();
  if (pictures == 0 && !fed && !asks && options.print_graph.empty()) {
    Refuse("there is nothing to run on", "give --image FILE… or --input NAME=FILE.npy");
  }
  CheckCount("--header-image", options.header_images.size(), pictures);
  if (options.similarity && options.embedding == "none") {
    Refuse("--similarity compares embeddings, and --embedding is none", "use cls or mean");
  }
  if (options.score_threshold < 0 || options.score_threshold > 1) {
    Refuse("--score-threshold: scores lie between 0 and 1", "");
  }
  if (!options.dump.empty() && pictures > static_cast<size_t>(BatchSizeOf(options, pictures))) {
    Refuse("--dump holds one batch, and there are more pictures than --batch",
           "raise --batch to the number of pictures, or dump one picture");
  }
}

void CheckFlagsFit(const RunVerbOptions& options, size_t pictures, const Session& session) {
  const ModelInfo& info = session.info();
  const bool writes = session.generation_options() != nullptr, finds = info.classes > 0;
  const auto refuse = [&](const char* flag, const char* models) {
    Refuse(
        fmt::format("{} is for models that {}; this one is a {} model", flag, models, info.family),
        fmt::format("leave {} away", flag));
  };
  if (!writes && !options.prompts.empty()) refuse("--prompt", "read text");
  if (!writes && options.log_probs) refuse("--log-probs", "write text");
  if (const Json given = ToJson(options.generation); !writes && given.size() > 0) {
    Refuse(fmt::format("{} of generation was set, and a {} model writes no text",
                       given.members()[0].key, info.family),
           "leave the flags of generation away");
  }
  if (info.chats && !options.session.size.empty()) refuse("--size", "bring pictures to one size");
  if (!finds && options.score_threshold > 0) refuse("--score-threshold", "find objects");
  if (!finds && options.max_detections > 0) refuse("--max-detections", "find objects");
  if ((writes || finds) && options.similarity) refuse("--similarity", "give embeddings");
  if (info.chats) return;
  CheckCount("--prompt", options.prompts.size(), pictures);
  RefuseChatFlags(options.chat, info.family);
}

}  // namespace vernier
