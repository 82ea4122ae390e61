#include "io/tensor_archive.h"

#include <numeric>

#include "core/sha256.h"
#include "support/scratch_folder.h"

namespace vernier {
namespace {

Tensor Counting(const Shape& shape) {
  Tensor tensor(DType::kF32, shape);
  std::iota(tensor.as<float>().begin(), tensor.as<float>().end(), 1.0f);
  return tensor;
}

class TensorArchiveFile : public testing::Test {
 protected:
  TensorArchiveFile() {
    TensorArchiveWriter writer(path_);
    Json facts = Json::Object();
    facts["tap"] = "exact";
    writer.Add("b", Counting({2, 3}).view(), facts);
    writer.Add("a", Counting({5}).view());
    writer.Add("empty", Tensor(DType::kI64, {0, 4}).view());
    Json whole = Json::Object();
    whole["model"] = "tiny";
    writer.Finish(std::move(whole));
    bytes_ = ReadAll(path_);
  }

  std::string MessageFor(std::string bytes) {
    folder_.Write("t.vb", bytes);
    return MessageOf([&] {
      const TensorArchive archive = TensorArchive::Open(path_);
      for (const auto& entry : archive.entries()) archive.Read(entry);
    });
  }

  // The same file with another index, whose hash is right.
  std::string WithIndex(const std::string& from, const std::string& to) const {
    const size_t begin = bytes_.find("{\"facts\"");
    std::string index = bytes_.substr(begin, bytes_.size() - begin - 88);
    const size_t at = index.find(from);
    EXPECT_NE(at, std::string::npos) << index;
    index.replace(at, from.size(), to);
    char length[17];
    std::snprintf(length, sizeof length, "%016zx", index.size());
    return bytes_.substr(0, begin) + index + length + Sha256Of(index) + "VNARCH01";
  }

  const ScratchFolder folder_;
  const std::string path_ = folder_.path("t.vb");
  const std::string refused_ = path_ + ": not a usable tensor archive: ";
  std::string bytes_;
};

TEST_F(TensorArchiveFile, GivesBackWhatWasWritten) {
  const TensorArchive archive = TensorArchive::Open(path_);
  EXPECT_EQ(archive.facts().GetString("model"), "tiny");
  ASSERT_EQ(archive.entries().size(), 3u);
  EXPECT_EQ(archive.entries()[0].name, "b");
  EXPECT_EQ(archive.entries()[0].facts.GetString("tap"), "exact");
  const Tensor a = archive.Read(*archive.Find("a"));
  EXPECT_EQ(a.shape(), (Shape{5}));
  EXPECT_EQ(a.as<float>()[4], 5.0f);
  EXPECT_EQ(archive.Read(*archive.Find("empty")).shape(), (Shape{0, 4}));
  EXPECT_EQ(archive.Find("c"), nullptr);
}

TEST_F(TensorArchiveFile, IsRefusedWhereverItIsCutOff) {
  for (size_t length = 0; length < bytes_.size(); length += 3) {
    EXPECT_THAT(MessageFor(bytes_.substr(0, length)), testing::HasSubstr(path_)) << length;
  }
}

TEST_F(TensorArchiveFile, IsRefusedWhereverAByteWasChanged) {
  for (size_t at = 0; at < bytes_.size(); at += 3) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    const std::string message = MessageFor(changed);
    // Nothing depends on the zeros between tensors.
    const bool padding = bytes_[at] == '\0' && message == "no error";
    EXPECT_TRUE(padding || message.find(path_) != std::string::npos) << at << ": " << message;
  }
}

TEST_F(TensorArchiveFile, SaysWhatIsWrongWithItsIndex) {
  EXPECT_EQ(MessageFor(WithIndex("\"shape\": [2, 3]", "\"shape\": [2, 999999]")),
            refused_ + "b is larger than the file");
  EXPECT_EQ(MessageFor(WithIndex("\"shape\": [2, 3]", "\"shape\": [-2, 3]")),
            refused_ + "b is larger than the file");
  EXPECT_EQ(MessageFor(WithIndex("\"shape\": [2, 3]", "\"shape\": [9223372036854775807, 9]")),
            refused_ + "b is larger than the file");
  EXPECT_EQ(MessageFor(WithIndex("\"offset\": 64,", "\"offset\": 6400000,")),
            refused_ + "b lies outside of the file");
  EXPECT_EQ(MessageFor(WithIndex("\"name\": \"a\"", "\"name\": \"b\"")),
            refused_ + "b is there twice");
  EXPECT_EQ(MessageFor(WithIndex("\"f32\"", "\"f31\"")), refused_ + "unknown type 'f31'");
  EXPECT_EQ(MessageFor(std::string(4096, 'x')), refused_ + "it does not begin as one");
}

TEST_F(TensorArchiveFile, DoesNotAppearUnlessItWasFinished) {
  const std::string other = folder_.path("other.vb");
  { TensorArchiveWriter(other).Add("a", Counting({2}).view()); }
  EXPECT_FALSE(std::filesystem::exists(other));
}

}  // namespace
}  // namespace vernier
