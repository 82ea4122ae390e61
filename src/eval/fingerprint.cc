#include "eval/fingerprint.h"

#include "core/interrupt.h"
#include "core/sha256.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// Enough to tell samples apart, and short enough for a line per sample.
constexpr size_t kFingerprintDigits = 32;

// Length first, so that no two lists of texts run together into the same bytes.
void Add(Sha256& hash, const std::string& text) {
  hash.Update(std::to_string(text.size()) + ":");
  hash.Update(text);
}

std::string PictureHash(const std::string& file) {
  if (file.empty()) return "none";
  try {
    return Sha256OfFile(file);
  } catch (const Error&) {
    return "unreadable";  // its reader will say why
  }
}

}  // namespace

std::vector<std::string> Fingerprints(std::span<const Sample> samples) {
  std::vector<std::string> fingerprints;
  std::string last_file, last_hash;
  for (const Sample& sample : samples) {
    ThrowIfInterrupted();
    // Several questions about one picture stand together.
    if (sample.image != last_file) {
      last_file = sample.image;
      last_hash = PictureHash(sample.image);
    }
    Sha256 hash;
    Add(hash, last_hash);
    Add(hash, PictureHash(sample.partner));
    Add(hash, sample.prompt);
    for (const std::string& expected : sample.expected) Add(hash, expected);
    fingerprints.push_back(hash.Finish().substr(0, kFingerprintDigits));
  }
  return fingerprints;
}

std::string HashOfData(std::span<const Sample> samples, std::span<const std::string> fingerprints) {
  Sha256 hash;
  for (size_t i = 0; i < samples.size(); ++i) {
    Add(hash, samples[i].id);
    Add(hash, fingerprints[i]);
  }
  return hash.Finish();
}

}  // namespace vernier
