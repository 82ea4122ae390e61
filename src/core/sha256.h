// SHA-256 (FIPS 180-4) by OpenSSL's libcrypto, for hashes of checkpoints, inputs and outputs that
// results quote. One thread at a time may use an object.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vernier {

class Sha256 {
 public:
  Sha256();
  ~Sha256();

  void Update(std::span<const std::byte> bytes);
  void Update(std::string_view text);
  /// 64 lower-case hexadecimal digits of all that came so far; nothing may be added afterwards.
  std::string Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string Sha256Of(std::string_view text);

/// Of a file's content. Throws Error{kInput} when the file cannot be read.
std::string Sha256OfFile(const std::string& path);

}  // namespace vernier
