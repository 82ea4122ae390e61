#include "core/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {

struct Sha256::Impl {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  VN_CHECK(impl_->context && EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1,
           "libcrypto has no SHA-256");
}

Sha256::~Sha256() = default;

void Sha256::Update(std::span<const std::byte> bytes) {
  VN_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1,
           "SHA-256 was finished already");
}

void Sha256::Update(std::string_view text) { Update(std::as_bytes(std::span(text))); }

std::string Sha256::Finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  VN_CHECK(EVP_DigestFinal_ex(impl_->context.get(), digest.data(), &length) == 1,
           "SHA-256 was finished already");
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::string Sha256Of(std::string_view text) {
  Sha256 hash;
  hash.Update(text);
  return hash.Finish();
}

std::string Sha256OfFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  const auto fail = [&] {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  };
  if (!file) fail();
  constexpr size_t kChunkBytes = size_t{128} << 10;
  std::vector<std::byte> chunk(kChunkBytes);
  Sha256 hash;
  while (const size_t read = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    hash.Update(std::span(chunk).first(read));
  }
  if (std::ferror(file.get())) fail();
  return hash.Finish();
}

}  // namespace vernier
