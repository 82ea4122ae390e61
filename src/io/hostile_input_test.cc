// Flips and overwrites bytes of small valid files, always in the same way: a reader either loads
// the result or throws Error, whatever it is. Run under the sanitizers for the full effect.
#include <array>
#include <random>

#include "io/json.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "io/torch_file.h"
#include "support/scratch_folder.h"
#include "support/zip_builder.h"

namespace vernier {
namespace {

using std::string_literals::operator""s;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// One to four changes: a flipped bit, an extreme byte, a run of 0xff, a removed or doubled piece.
std::string Mutate(std::string text, std::mt19937& random) {
  constexpr std::array<char, 6> kExtremes = {'\0', '\1', '\x7f', '\x80', '\xfe', '\xff'};
  const auto below = [&](size_t limit) { return random() % std::max<size_t>(limit, 1); };
  for (size_t changes = 1 + below(4); changes > 0 && !text.empty(); --changes) {
    const size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        text[at] = kExtremes[below(kExtremes.size())];
        break;
      case 2:
        text.replace(at, std::min<size_t>(8, text.size() - at), std::string(8, '\xff'));
        break;
      case 3:
        text.erase(at, 1 + below(16));
        break;
      default:
        text.insert(at, text.substr(below(text.size()), 1 + below(16)));
    }
  }
  return text;
}

// Gives `mutants` versions of `valid` to `read`; returns how many of them were refused.
int CountRefused(const std::string& valid, int mutants,
                 const std::function<void(const std::string&)>& read) {
  std::mt19937 random(20201);
  int refused = 0;
  for (int i = 0; i < mutants; ++i) {
    const std::string mutant = Mutate(valid, random);
    try {
      read(mutant);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
      ++refused;
    }
  }
  return refused;
}

void CopyAll(const std::vector<StoredTensor>& tensors) {
  for (const StoredTensor& tensor : tensors) tensor.Copy();
}

TEST(HostileInput, NeverBreaksTheSafetensorsReader) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  std::string valid = LittleEndian(header.size(), 8);
  valid += header;
  valid += "elements...";
  const auto read = [](const std::string& text) {
    CopyAll(ParseSafetensors(Bytes(text), "m.safetensors").tensors);
  };
  EXPECT_NO_THROW(read(valid));
  EXPECT_GT(CountRefused(valid, 5000, read), 2500);
}

TEST(HostileInput, NeverBreaksTheTorchReaders) {
  for (const char* name : {"container_zip.pth", "container_legacy.pth", "all_types.pt"}) {
    const std::string valid = ReadAll(VERNIER_TEST_DATA "/io/"s + name);
    const auto read = [](const std::string& text) {
      CopyAll(ParseTorchFile(Bytes(text), "m.pt").tensors);
    };
    EXPECT_NO_THROW(read(valid));
    EXPECT_GT(CountRefused(valid, 4000, read), 500) << name;
  }
}

TEST(HostileInput, NeverBreaksTheNpyReader) {
  const std::string valid = ReadAll(VERNIER_TEST_DATA "/io/numpy_fortran_f4.npy");
  const auto read = [](const std::string& text) { ParseNpy(Bytes(text), "a.npy"); };
  EXPECT_NO_THROW(read(valid));
  EXPECT_GT(CountRefused(valid, 5000, read), 1000);
}

TEST(HostileInput, NeverBreaksTheJsonReader) {
  const std::string valid =
      R"({"hidden_size": 768, "eps": 1e-12, "labels": {"0": "cat\u00e9", "1": "dog"}, "x": [[], null]})";
  const auto read = [](const std::string& text) {
    Json::Parse(Json::Parse(text, "config.json").Pretty(), "written");
  };
  EXPECT_NO_THROW(read(valid));
  EXPECT_GT(CountRefused(valid, 5000, read), 2500);
}

}  // namespace
}  // namespace vernier
