#include <filesystem>

#include "tokenizers/pipeline_tokenizer.h"
#include "tokenizers/tokenizer_json.h"
#include "vernier/error.h"

namespace vernier {

std::unique_ptr<Tokenizer> LoadTokenizer(const std::string& folder) {
  const auto path = [&](const char* name) {
    return (std::filesystem::path(folder) / name).string();
  };
  if (std::filesystem::exists(path("tokenizer.json"))) {
    return MakeTokenizer(ReadTokenizerJson(path("tokenizer.json")));
  }
  throw Error(ErrorKind::kInput,
              folder +
                  ": no tokenizer was found; looked for tokenizer.json, spiece.model and "
                  "tokenizer.model",
              "copy it into the folder from where the checkpoint was published");
}

}  // namespace vernier
