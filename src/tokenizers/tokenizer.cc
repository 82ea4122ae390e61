#include "tokenizers/tokenizer.h"

namespace vernier {

std::string Tokenizer::Decode(std::span<const int32_t> ids, const DecodeOptions& options) const {
  const std::unique_ptr<StreamDecoder> stream = Stream(options);
  std::string text;
  for (const int32_t id : ids) text += stream->Push(id);
  return text += stream->Finish();
}

}  // namespace vernier
