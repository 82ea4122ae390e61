#include "backends/weight_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "vernier/error.h"

namespace vernier {
namespace {

// Makes nothing and notes what it is asked for.
class CountingStore final : public WeightStore {
 public:
  using WeightStore::WeightStore;

  std::shared_ptr<const WeightBytes> Packed(
      const std::string& key, size_t bytes,
      const std::function<void(WeightBytes&)>& /*make*/) override {
    bytes_.emplace(key, bytes);
    return std::make_shared<WeightBytes>();
  }

  const std::map<std::string, size_t>& bytes() const { return bytes_; }

 private:
  std::map<std::string, size_t> bytes_;
};

}  // namespace

WeightBytes::WeightBytes(size_t bytes, HugePagePool& pool) : bytes_(bytes) {
  if (bytes == 0) return;
  data_ = pool.Allocate(bytes);
  if (data_ == nullptr) {
    throw Error(ErrorKind::kResource,
                fmt::format("out of memory: {} bytes of weights were refused", bytes),
                "use a smaller dtype (--dtype bf16), or a machine with more memory");
  }
}

void WeightStore::Release(const std::string& name) const {
  if (source_.release) source_.release(name);
}

WeightStore::Float32View WeightStore::Float32(const std::string& name) {
  const TensorView raw = Raw(name);
  if (raw.dtype == DType::kF32) return {nullptr, static_cast<const float*>(raw.data)};
  auto copy = Float32Copy(name);
  const auto* data = static_cast<const float*>(copy->data());
  return {std::move(copy), data};
}

std::shared_ptr<const WeightBytes> WeightStore::Float32Copy(const std::string& name) {
  const TensorView raw = Raw(name);
  const size_t bytes = static_cast<size_t>(raw.shape.elements()) * sizeof(float);
  return Packed("f32:" + name, bytes, [&](WeightBytes& into) {
    const Tensor wide = ToFloat32(raw);
    if (bytes != 0) std::memcpy(into.data(), wide.data(), bytes);
    Release(name);
  });
}

std::shared_ptr<const WeightBytes> WeightStore::Packed(
    const std::string& key, size_t bytes, const std::function<void(WeightBytes&)>& make) {
  Slot* slot = nullptr;
  {
    std::lock_guard lock(mutex_);
    auto& entry = slots_[key];
    if (!entry) entry = std::make_unique<Slot>();
    slot = entry.get();
  }
  std::lock_guard making(slot->making);
  if (auto alive = slot->bytes.lock()) return alive;
  auto made = std::make_shared<WeightBytes>(bytes, pool_);
  make(*made);
  slot->bytes = made;
  return made;
}

size_t WeightStore::packed_bytes() const {
  std::lock_guard lock(mutex_);
  size_t total = 0;
  for (const auto& [key, slot] : slots_) {
    if (const auto alive = slot->bytes.lock()) total += alive->bytes();
  }
  return total;
}

size_t WeightStore::BytesToPack(const std::function<void(WeightStore&)>& use) const {
  CountingStore counting(source_);
  use(counting);
  std::lock_guard lock(mutex_);
  size_t total = 0;
  for (const auto& [key, bytes] : counting.bytes()) {
    const auto slot = slots_.find(key);
    if (slot == slots_.end() || slot->second->bytes.expired()) total += bytes;
  }
  return total;
}

}  // namespace vernier
