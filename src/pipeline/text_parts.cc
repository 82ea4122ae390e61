#include "pipeline/text_parts.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "pipeline/generation_config.h"
#include "vernier/error.h"

namespace vernier {

GenerationOptions LoadGenerationOptions(const ModelFolder& folder, GenerationOptions otherwise,
                                        std::vector<std::string>& warnings) {
  const std::string path = folder.path + "/generation_config.json";
  if (!std::filesystem::exists(path)) return otherwise;
  const Json file = Json::ParseFile(path);
  const std::vector<std::string> unknown = UnknownGenerationWishes(file);
  if (!unknown.empty()) {
    warnings.push_back(path +
                       " asks for what is not supported and is left out: " + Shortened(unknown));
  }
  return ParseGenerationConfig(file, std::move(otherwise));
}

std::shared_ptr<const Tokenizer> LoadTokenizerFor(const ModelFolder& folder, int64_t vocab_size) {
  const auto has = [&](const char* name) { return std::filesystem::exists(folder.path + name); };
  if (!has("/tokenizer.json") && !has("/spiece.model") && !has("/tokenizer.model")) return nullptr;
  std::shared_ptr<const Tokenizer> tokenizer = LoadTokenizer(folder.path);
  if (tokenizer->vocab_size() <= vocab_size) return tokenizer;
  throw Error(ErrorKind::kInput,
              fmt::format("{}: the tokenizer has {} ids, and the model knows {}", folder.path,
                          tokenizer->vocab_size(), vocab_size),
              "the tokenizer's file or config.json (text_config.vocab_size) is another model's");
}

}  // namespace vernier
