#include "pipeline/generation_config.h"

#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string_view>

#include "vernier/error.h"

namespace vernier {
namespace {

// Methods and penalties of transformers that this program lacks, with the value that means "off".
struct Absent {
  const char* key;
  double off;
};
constexpr Absent kAbsent[] = {{"assistant_early_exit", 0},
                              {"bad_words_ids", 0},
                              {"constraints", 0},
                              {"diversity_penalty", 0},
                              {"encoder_no_repeat_ngram_size", 0},
                              {"encoder_repetition_penalty", 1},
                              {"epsilon_cutoff", 0},
                              {"eta_cutoff", 0},
                              {"exponential_decay_length_penalty", 0},
                              {"force_words_ids", 0},
                              {"forced_bos_token_id", -1},
                              {"guidance_scale", 1},
                              {"min_p", 0},
                              {"num_beam_groups", 1},
                              {"num_return_sequences", 1},
                              {"penalty_alpha", 0},
                              {"sequence_bias", 0},
                              {"top_h", 0},
                              {"typical_p", 1},
                              {"watermarking_config", 0}};

bool Given(const Json& file, const char* key) {
  const Json* value = file.Find(key);
  return value != nullptr && !value->is_null();
}

int32_t TokenId(const Json& file, const char* key, int64_t id) {
  if (id >= 0 && id <= std::numeric_limits<int32_t>::max()) return static_cast<int32_t>(id);
  throw Error(ErrorKind::kInput,
              fmt::format("{} is {}, which is no token id", file.Where(key), id));
}

// One id or a list of them.
void ReadTokens(const Json& file, const char* key, std::vector<int32_t>& tokens) {
  if (!Given(file, key)) return;
  tokens.clear();
  if (!file.Get(key).is_array()) {
    tokens.push_back(TokenId(file, key, file.GetInt(key)));
    return;
  }
  for (int64_t id : file.GetInts(key)) tokens.push_back(TokenId(file, key, id));
}

void ReadToken(const Json& file, const char* key, std::optional<int32_t>& token) {
  if (Given(file, key)) token = TokenId(file, key, file.GetInt(key));
}

void ReadCount(const Json& file, const char* key, std::optional<int64_t>& count) {
  if (Given(file, key)) count = file.GetInt(key);
}

EarlyStopping ReadEarlyStopping(const Json& file) {
  constexpr const char* kKey = "early_stopping";
  if (!Given(file, kKey)) return EarlyStopping::kFalse;
  if (file.Get(kKey).type() != Json::Type::kString) {
    return file.GetBool(kKey) ? EarlyStopping::kTrue : EarlyStopping::kFalse;
  }
  if (file.GetString(kKey) == "never") return EarlyStopping::kNever;
  throw Error(ErrorKind::kInput, fmt::format("{} is \"{}\", expected true, false or \"never\"",
                                             file.Where(kKey), file.GetString(kKey)));
}

}  // namespace

GenerationOptions ParseGenerationConfig(const Json& file, GenerationOptions options) {
  if (file.is_null()) return options;
  ReadCount(file, "max_length", options.max_length);
  ReadCount(file, "max_new_tokens", options.max_new_tokens);
  ReadCount(file, "min_new_tokens", options.min_new_tokens);
  options.min_length = file.GetInt("min_length", options.min_length);
  if (Given(file, "stop_strings")) {
    const bool one = file.Get("stop_strings").type() == Json::Type::kString;
    options.stop_strings = one ? std::vector<std::string>{file.GetString("stop_strings")}
                               : file.GetStrings("stop_strings");
  }
  options.do_sample = file.GetBool("do_sample", options.do_sample);
  options.num_beams = file.GetInt("num_beams", options.num_beams);
  options.early_stopping = ReadEarlyStopping(file);
  options.length_penalty = file.GetNumber("length_penalty", options.length_penalty);
  options.temperature = file.GetNumber("temperature", options.temperature);
  options.top_k = file.GetInt("top_k", options.top_k);
  options.top_p = file.GetNumber("top_p", options.top_p);
  options.repetition_penalty = file.GetNumber("repetition_penalty", options.repetition_penalty);
  options.no_repeat_ngram_size = file.GetInt("no_repeat_ngram_size", options.no_repeat_ngram_size);
  ReadTokens(file, "suppress_tokens", options.suppress_tokens);
  ReadTokens(file, "begin_suppress_tokens", options.begin_suppress_tokens);
  ReadTokens(file, "forced_eos_token_id", options.forced_eos_token_id);
  ReadToken(file, "decoder_start_token_id", options.decoder_start_token_id);
  ReadTokens(file, "eos_token_id", options.eos_token_id);
  ReadToken(file, "pad_token_id", options.pad_token_id);
  return options;
}

std::vector<std::string> UnknownGenerationWishes(const Json& file) {
  std::vector<std::string> wishes;
  if (file.is_null()) return wishes;
  for (const Absent& absent : kAbsent) {
    if (!Given(file, absent.key)) continue;
    const Json& value = file.Get(absent.key);
    const bool number = value.type() == Json::Type::kInteger || value.type() == Json::Type::kNumber;
    if (number && value.AsNumber() == absent.off) continue;
    wishes.push_back(fmt::format("{} = {}", absent.key, value.Compact()));
  }
  return wishes;
}

}  // namespace vernier
