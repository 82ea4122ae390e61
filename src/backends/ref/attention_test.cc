#include "backends/ref/attention.h"

#include <random>
#include <vector>

#include "core/cpu_features.h"
#include "kernels/cpu/exact_product.h"
#include "ops/attention.h"

namespace vernier {
namespace {

constexpr int64_t kHeads = 4, kKvHeads = 2, kDim = 25;

Tensor Random(const Shape& shape, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> value;
  Tensor tensor(DType::kF32, shape);
  for (float& v : tensor.as<float>()) v = value(engine);
  return tensor;
}

struct Operands {
  Tensor q, k, v, bias;
};

Tensor Attend(const Operands& operands, const Shape& bias_shape,
              const std::atomic<bool>* cancel = nullptr) {
  Tensor y = Tensor::Zeros(DType::kF32, operands.q.shape());
  const auto attributes =
      Attributes::Of(Attention{.heads = kHeads, .kv_heads = kKvHeads, .scale = 0.3});
  TensorView bias = operands.bias.view();
  bias.shape = bias_shape;
  const std::vector<TensorArg> inputs = {TensorArg::Of(operands.q.view()),
                                         TensorArg::Of(operands.k.view()),
                                         TensorArg::Of(operands.v.view()), TensorArg::Of(bias)};
  const std::vector<TensorArg> outputs = {TensorArg::Of(y.view())};
  const Extents extents;
  RefAttention({.attributes = attributes,
                .inputs = inputs,
                .outputs = outputs,
                .extents = extents,
                .threads = 2,
                .cancel = cancel});
  return y;
}

// A single query goes through the loop that defines attention; many share tiles.
TEST(RefAttention, GivesManyQueriesTheBitsThatEachGetsAlone) {
  for (int64_t keys : {1, 7, 24, 61}) {
    for (int64_t queries : {8, 9, 30}) {
      ASSERT_GE(queries, SelectExactProduct(Cpu().best()).rows);
      Operands all{.q = Random({1, queries, kHeads * kDim}, 1),
                   .k = Random({1, keys, kKvHeads * kDim}, 2),
                   .v = Random({1, keys, kKvHeads * kDim}, 3),
                   .bias = Random({1, queries, keys}, 4)};
      const Tensor together = Attend(all, {1, queries, keys});
      for (int64_t row = 0; row < queries; ++row) {
        const auto part = [&](const Tensor& of, int64_t width) {
          Tensor one(DType::kF32, {1, 1, width});
          std::copy_n(of.as<float>().data() + row * width, width, one.as<float>().data());
          return one;
        };
        Operands one{.q = part(all.q, kHeads * kDim),
                     .k = Tensor::CopyOf(all.k.view()),
                     .v = Tensor::CopyOf(all.v.view()),
                     .bias = part(all.bias, keys)};
        const Tensor alone = Attend(one, {1, 1, keys});
        for (int64_t c = 0; c < kHeads * kDim; ++c) {
          const auto index = static_cast<size_t>(c);
          ASSERT_EQ(alone.as<float>()[index],
                    together.as<float>()[static_cast<size_t>(row * kHeads * kDim + c)])
              << keys << " keys, row " << row << ", column " << c;
        }
      }
    }
  }
}

// The first distances of buckets 16 to 31 of T5's usual table, and the last bucket beyond them.
TEST(RefAttention, LeavesOutTheRowsThatAreLeftWhenCancelled) {
  const std::atomic<bool> cancel = true;
  for (int64_t queries : {1, 30}) {  // the loop that defines it, and tiles
    const Operands operands = {.q = Random({1, queries, kHeads * kDim}, 1),
                               .k = Random({1, 30, kKvHeads * kDim}, 2),
                               .v = Random({1, 30, kKvHeads * kDim}, 3),
                               .bias = Random({1, queries, 30}, 4)};
    const Tensor y = Attend(operands, operands.bias.shape(), &cancel);
    for (float value : y.as<float>()) EXPECT_EQ(value, 0.0f);
  }
}

TEST(RefDistanceBias, PutsDistancesInTheBucketsOfThePublishedModel) {
  constexpr int64_t kFirst[] = {16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113};
  Tensor table(DType::kF32, {32, 1}), y(DType::kF32, {1, 200});
  for (int bucket = 0; bucket < 32; ++bucket) {
    table.as<float>()[static_cast<size_t>(bucket)] = static_cast<float>(bucket);
  }
  const std::vector<TensorArg> inputs = {TensorArg::Of(table.view())};
  const std::vector<TensorArg> outputs = {TensorArg::Of(y.view())};
  const Extents extents;
  const auto attributes = Attributes::Of(DistanceBias{.max_distance = 128, .capacity = 200});
  RefDistanceBias({.attributes = attributes,
                   .inputs = inputs,
                   .outputs = outputs,
                   .extents = extents,
                   .threads = 1});
  int64_t bucket = 0;
  for (int64_t distance = 0; distance < 200; ++distance) {
    const bool near = distance < 16;
    if (near || (bucket < 31 && distance == kFirst[bucket - 15])) bucket += distance > 0;
    EXPECT_EQ(y.as<float>()[static_cast<size_t>(distance)], static_cast<float>(bucket)) << distance;
  }
  EXPECT_EQ(bucket, 31);
}

}  // namespace
}  // namespace vernier
