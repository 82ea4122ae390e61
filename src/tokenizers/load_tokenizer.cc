#include <algorithm>
#include <filesystem>

#include "tokenizers/pipeline_tokenizer.h"
#include "tokenizers/sentencepiece_file.h"
#include "tokenizers/tokenizer_json.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// What older releases of transformers did to decoded English text, in their order.
constexpr std::pair<const char*, const char*> kCleanUp[] = {
    {" .", "."},     {" ?", "?"},   {" !", "!"},   {" ,", ","},     {" ' ", "'"},
    {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};

TokenizerParts ReadParts(const std::filesystem::path& folder, const Json& config) {
  const std::filesystem::path json = folder / "tokenizer.json";
  if (std::filesystem::exists(json)) return ReadTokenizerJson(json.string());
  for (const char* name : {"spiece.model", "tokenizer.model"}) {
    if (std::filesystem::exists(folder / name)) {
      return ReadSentencePieceFile((folder / name).string(), config);
    }
  }
  throw Error(ErrorKind::kInput,
              folder.string() +
                  ": no tokenizer was found; looked for tokenizer.json, spiece.model "
                  "and tokenizer.model",
              "copy it into the folder from where the checkpoint was published");
}

}  // namespace

std::unique_ptr<Tokenizer> LoadTokenizer(const std::string& folder) {
  const std::filesystem::path settings = std::filesystem::path(folder) / "tokenizer_config.json";
  const Json config =
      std::filesystem::exists(settings) ? Json::ParseFile(settings.string()) : Json::Object();
  TokenizerParts parts = ReadParts(folder, config);
  if (config.GetBool("clean_up_tokenization_spaces", false)) {
    parts.decoder.push_back(FuseStep{});
    for (const auto& [from, to] : kCleanUp) {
      parts.decoder.push_back(ReplaceInPiecesStep{from, to});
    }
  }
  return MakeTokenizer(std::move(parts));
}

}  // namespace vernier
