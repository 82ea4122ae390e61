#include "pipeline/model_hash.h"

#include "core/sha256.h"

namespace vernier {

std::string ModelSha256(const ModelFolder& folder) {
  Sha256 hash;
  hash.Update(folder.config.Compact());
  for (const CheckpointFile& file : folder.checkpoint.files()) {
    hash.Update("\n" + Sha256OfFile(file.path));
  }
  return hash.Finish();
}

}  // namespace vernier
