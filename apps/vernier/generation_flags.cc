#include "generation_flags.h"

#include <cmath>

namespace vernier {

std::vector<Flag> GenerationFlagTable(GenerationFlags& flags) {
  constexpr std::string_view kSection = "Generation";
  constexpr std::string_view kCheckpoint = "the checkpoint's";
  return {{.name = "--max-new-tokens",
           .metavar = "N",
           .section = kSection,
           .help = "Tokens that an answer has at most.",
           .target = &flags.max_new_tokens,
           .unit = "tokens",
           .default_text = kCheckpoint,
           .least = 1},
          {.name = "--max-length",
           .metavar = "N",
           .section = kSection,
           .help = "Tokens at most with start token and prompt; --max-new-tokens goes before it.",
           .target = &flags.max_length,
           .unit = "tokens",
           .default_text = kCheckpoint,
           .least = 1},
          {.name = "--min-new-tokens",
           .metavar = "N",
           .section = kSection,
           .help = "Tokens that an answer has at least.",
           .target = &flags.min_new_tokens,
           .unit = "tokens",
           .default_text = kCheckpoint,
           .least = 0},
          {.name = "--min-length",
           .metavar = "N",
           .section = kSection,
           .help = "Tokens at least with start token and prompt.",
           .target = &flags.min_length,
           .unit = "tokens",
           .default_text = kCheckpoint,
           .least = 0},
          {.name = "--num-beams",
           .metavar = "N",
           .section = kSection,
           .help = "Beams of beam search; 1 is greedy.",
           .target = &flags.num_beams,
           .unit = "beams",
           .default_text = kCheckpoint,
           .least = 1},
          {.name = "--early-stopping",
           .metavar = "WHEN",
           .section = kSection,
           .help = "Beam search: stop at as many answers as beams, by an estimate, or only when "
                   "nothing better can come.",
           .target = &flags.early_stopping,
           .default_text = kCheckpoint,
           .choices = {"true", "false", "never"}},
          {.name = "--length-penalty",
           .metavar = "X",
           .section = kSection,
           .help = "Beam search: above 0 prefers long answers.",
           .target = &flags.length_penalty,
           .default_text = kCheckpoint},
          {.name = "--do-sample",
           .metavar = "",
           .section = kSection,
           .help = "Draw tokens by their probabilities.",
           .target = &flags.do_sample},
          {.name = "--temperature",
           .metavar = "X",
           .section = kSection,
           .help = "Sampling: below 1 sharpens the probabilities; 0 takes the best token.",
           .target = &flags.temperature,
           .default_text = kCheckpoint},
          {.name = "--top-k-tokens",
           .metavar = "N",
           .section = kSection,
           .help = "Sampling: among the N most probable tokens; 0 is all.",
           .target = &flags.top_k,
           .default_text = kCheckpoint,
           .least = 0},
          {.name = "--top-p",
           .metavar = "X",
           .section = kSection,
           .help = "Sampling: among the most probable tokens that together reach X.",
           .target = &flags.top_p,
           .default_text = kCheckpoint},
          {.name = "--sampling-seed",
           .metavar = "N",
           .section = kSection,
           .help = "Seed of sampling.",
           .target = &flags.sampling_seed,
           .least = 0},
          {.name = "--repetition-penalty",
           .metavar = "X",
           .section = kSection,
           .help = "Above 1 makes tokens less likely that were there before.",
           .target = &flags.repetition_penalty,
           .default_text = kCheckpoint},
          {.name = "--no-repeat-ngram-size",
           .metavar = "N",
           .section = kSection,
           .help = "No run of N tokens occurs twice; 0 allows it.",
           .target = &flags.no_repeat_ngram_size,
           .unit = "tokens",
           .default_text = kCheckpoint,
           .least = 0},
          {.name = "--stop",
           .metavar = "TEXT",
           .section = kSection,
           .help = "End an answer behind this text; repeats.",
           .target = &flags.stop_strings}};
}

GenerationOptions Changed(GenerationOptions options, const GenerationFlags& flags) {
  if (flags.max_length > 0) {
    options.max_length = flags.max_length;
    options.max_new_tokens.reset();  // the checkpoint's would go before what was asked for
  }
  if (flags.max_new_tokens > 0) options.max_new_tokens = flags.max_new_tokens;
  if (flags.min_length >= 0) options.min_length = flags.min_length;
  if (flags.min_new_tokens >= 0) options.min_new_tokens = flags.min_new_tokens;
  if (flags.num_beams > 0) options.num_beams = flags.num_beams;
  if (flags.early_stopping == "true") options.early_stopping = EarlyStopping::kTrue;
  if (flags.early_stopping == "false") options.early_stopping = EarlyStopping::kFalse;
  if (flags.early_stopping == "never") options.early_stopping = EarlyStopping::kNever;
  if (!std::isnan(flags.length_penalty)) options.length_penalty = flags.length_penalty;
  if (flags.do_sample) options.do_sample = true;
  if (flags.temperature == 0) {
    options.do_sample = false;
  } else if (!std::isnan(flags.temperature)) {
    options.temperature = flags.temperature;
  }
  if (flags.top_k >= 0) options.top_k = flags.top_k;
  if (!std::isnan(flags.top_p)) options.top_p = flags.top_p;
  options.seed = static_cast<uint64_t>(flags.sampling_seed);
  if (!std::isnan(flags.repetition_penalty)) options.repetition_penalty = flags.repetition_penalty;
  if (flags.no_repeat_ngram_size >= 0) options.no_repeat_ngram_size = flags.no_repeat_ngram_size;
  if (!flags.stop_strings.empty()) options.stop_strings = flags.stop_strings;
  return options;
}

Json ToJson(const GenerationFlags& flags) {
  Json json = Json::Object();
  const auto add = [&](const char* name, bool given, Json value) {
    if (given) json[name] = std::move(value);
  };
  add("max_new_tokens", flags.max_new_tokens > 0, flags.max_new_tokens);
  add("max_length", flags.max_length > 0, flags.max_length);
  add("min_length", flags.min_length >= 0, flags.min_length);
  add("min_new_tokens", flags.min_new_tokens >= 0, flags.min_new_tokens);
  add("num_beams", flags.num_beams > 0, flags.num_beams);
  add("early_stopping", !flags.early_stopping.empty(), flags.early_stopping);
  add("length_penalty", !std::isnan(flags.length_penalty), flags.length_penalty);
  add("do_sample", flags.do_sample, true);
  add("temperature", !std::isnan(flags.temperature), flags.temperature);
  add("top_k", flags.top_k >= 0, flags.top_k);
  add("top_p", !std::isnan(flags.top_p), flags.top_p);
  add("seed", flags.sampling_seed != 0, flags.sampling_seed);
  add("repetition_penalty", !std::isnan(flags.repetition_penalty), flags.repetition_penalty);
  add("no_repeat_ngram_size", flags.no_repeat_ngram_size >= 0, flags.no_repeat_ngram_size);
  add("stop_strings", !flags.stop_strings.empty(), Json::ArrayOf(flags.stop_strings));
  return json;
}

}  // namespace vernier
