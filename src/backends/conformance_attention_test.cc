// Conformance of attention, plain and over caches, and of what gives its tokens their places.
#include "nn/layers.h"
#include "ops/attention.h"
#include "ops/gather.h"
#include "ops/picture_grids.h"
#include "ops/resize_grid.h"
#include "ops/rope.h"
#include "ops/shape_ops.h"
#include "runtime/state.h"
#include "support/conformance.h"

namespace vernier {
namespace {

using testing::Allowed;
using testing::Builder;
using testing::Case;
using testing::Device;
using testing::Devices;
using testing::GraphRun;
using testing::LargestDifference;
using testing::RunGraph;
using testing::Wave;

void AddDistanceBias(std::vector<Case>& cases) {
  for (int64_t buckets : {2, 10, 32}) {
    cases.push_back(
        {fmt::format("Distance bias of {} buckets", buckets), [=](Builder& b) {
           b.Output(b.Add(kDistanceBias, DistanceBias{128, 192}, {b.Input("table", {buckets, 3})}));
         }});
  }
}

void AddPositions(std::vector<Case>& cases) {
  for (bool interleaved : {false, true}) {
    for (int64_t dim : {4, 16, 20, 36}) {
      const RopeTable2d table{.rows = 2, .columns = 3, .head_dim = dim, .leading = 1, .offset = 1};
      cases.push_back({fmt::format("Rope of {} {}", dim, interleaved), [=](Builder& b) {
                         const auto tables = b.graph().AddMany(kRopeTable2d, Attributes::Of(table),
                                                               {}, Path("tables"));
                         const Value x = b.Input("x", {2, 7, 3 * dim});
                         b.Output(nn::Rotate(x, tables[0], tables[1], {3, interleaved}, Path("y")));
                       }});
      // Queries and keys that nothing else reads: attention takes the rotation over.
      cases.push_back(
          {fmt::format("Rotary attention of {} {}", dim, interleaved),
           [=](Builder& b) {
             const auto tables =
                 b.graph().AddMany(kRopeTable2d, Attributes::Of(table), {}, Path("tables"));
             const auto rotated = [&](const char* name) {
               const Value x = b.Input(name, {2, 7, 3 * dim});
               return nn::Rotate(x, tables[0], tables[1], {3, interleaved},
                                 Path(name) / "#rotated");
             };
             const Attention attention{.heads = 3, .kv_heads = 3, .scale = 0.25};
             b.Output(nn::Attention(rotated("q"), rotated("k"), b.Input("v", {2, 7, 3 * dim}),
                                    attention, Path("y")));
           },
           dim + 7});
    }
  }
  for (GridResampling resampling :
       {GridResampling::kBicubic, GridResampling::kBicubicAntialias, GridResampling::kBilinear}) {
    for (const auto& [rows, columns] : {std::pair{4, 5}, {7, 3}, {1, 1}}) {
      cases.push_back({fmt::format("ResizeGrid to {} x {}", rows, columns), [=](Builder& b) {
                         const Value x = b.Input("x", {4, 5, 6});
                         b.Output(b.Add(kResizeGrid, ResizeGrid{resampling, rows, columns}, {x}));
                       }});
    }
  }
}

// Two pictures of 2 x 4 and 4 x 2 patches, whose tokens two sequences share out.
void AddPictureGrids(std::vector<Case>& cases) {
  static constexpr int32_t kGrids[] = {1, 2, 4, 1, 4, 2};
  static constexpr int32_t kIds[] = {5, 9, 9, 2, 9, 9};
  static constexpr int32_t kPositions[] = {0, 1, 1, 2, 0, 1, 0, 1, 2, 2, 0, 1, 0, 3, 1, 2, 7, 1};
  const NamedViews given = {{"grids", TensorView{kGrids, DType::kI32, Shape{2, 3}}},
                            {"ids", TensorView{kIds, DType::kI32, Shape{2, 3}}},
                            {"positions", TensorView{kPositions, DType::kI32, Shape{3, 2, 3}}}};
  const auto grids = [](Builder& b) { return b.graph().Input("grids", DType::kI32, {2, 3}); };
  for (int64_t width : {1, 16, 33}) {
    cases.push_back({fmt::format("Positions and merging of grids, {} wide", width),
                     [=](Builder& b) {
                       const Value table = b.Weight("table", Shape{3, 3, width}), of = grids(b);
                       const Value x = b.Add(kGridPositions, GridPositions{16}, {table, of});
                       b.Output(x);
                       b.Output(b.Add(kMergeGrid, MergeGrid{2}, {b.Input("x", {16, width}), of}));
                     },
                     4,
                     {},
                     given});
    cases.push_back({fmt::format("Pictures among tokens, {} wide", width),
                     [=](Builder& b) {
                       const Value ids = b.graph().Input("ids", DType::kI32, {2, 3});
                       b.Output(
                           b.Add(kPlacePictures, PlacePictures{9, ""},
                                 {b.Input("x", {2, 3, width}), ids, b.Input("y", {4, width})}));
                     },
                     1,
                     {},
                     given});
  }
  for (int64_t dim : {4, 20, 72}) {
    const auto rotated = [](Builder& b, const char* name, const Dims& shape,
                            const std::vector<Value>& tables) {
      return nn::Rotate(b.Input(name, shape), tables[0], tables[1],
                        {.heads = 2, .interleaved = false}, Path(name) / "#rotated");
    };
    cases.push_back(
        {fmt::format("Attention within pictures, heads {} wide", dim),
         [=](Builder& b) {
           const Value of = grids(b);
           const Value segments = b.Add(kGridSegments, GridSegments{16}, {of});
           const auto tables = b.graph().AddMany(
               kGridRotary, Attributes::Of(GridRotary{16, dim, 100.0}), {of}, Path("tables"));
           const Dims shape = {16, 2 * dim};
           b.Output(nn::PackedAttention(
               rotated(b, "q", shape, tables), rotated(b, "k", shape, tables), b.Input("v", shape),
               segments, {.heads = 2, .kv_heads = 2, .scale = 0.25}, Path("y")));
         },
         dim + 16,
         {},
         given});
    const MultimodalRopeTable table{dim, 100.0, {dim / 4, dim / 4, 0}};
    cases.push_back(
        {fmt::format("Rope by each sequence's positions, heads {} wide", dim),
         [=](Builder& b) {
           const Value at = b.graph().Input("positions", DType::kI32, {3, 2, 3});
           const auto tables =
               b.graph().AddMany(kMultimodalRopeTable, Attributes::Of(table), {at}, Path("tables"));
           b.Output(rotated(b, "x", {2, 3, 2 * dim}, tables));
           const Value q = rotated(b, "q", {2, 3, 2 * dim}, tables);
           const Value k = rotated(b, "k", {2, 3, 2 * dim}, tables);
           const Attention attention{.heads = 2, .kv_heads = 2, .scale = 0.25};
           b.Output(nn::Attention(q, k, b.Input("v", {2, 3, 2 * dim}), attention, Path("y")));
         },
         dim + 3,
         {},
         given});
  }
}

struct AttentionSizes {
  int64_t queries, keys, dim;
};

void AddAttention(std::vector<Case>& cases) {
  for (const auto& [queries, keys, dim] :
       {AttentionSizes{1, 1, 1}, {5, 5, 16}, {7, 33, 17}, {17, 16, 64}, {65, 67, 33}}) {
    for (AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
      if (mask == AttentionMask::kCausal && queries > keys) continue;
      for (int kv_heads : {1, 4}) {
        const Attention attention{4, kv_heads, 1.0 / std::sqrt(static_cast<double>(dim)), mask};
        const auto build = [=, q = queries, k = keys, d = dim](Builder& b, bool biased) {
          const Value query = b.Input("q", {2, q, 4 * d}), key = b.Input("k", {2, k, kv_heads * d});
          std::vector<Value> inputs = {query, key, b.Input("v", {2, k, kv_heads * d})};
          if (biased) inputs.push_back(b.Input("bias", {4, q, k}));
          b.Output(b.Add(kAttention, attention, inputs));
        };
        const std::string name =
            fmt::format("Attention {} x {} of {}, {} kv heads", queries, keys, dim, kv_heads);
        cases.push_back({name, [=](Builder& b) { build(b, false); }, keys + dim});
        cases.push_back({name + ", biased", [=](Builder& b) { build(b, true); }, keys + dim});
      }
    }
  }
  static constexpr int32_t kOffsets[] = {0, 3, 3, 9};
  cases.push_back({"Attention in segments",
                   [](Builder& b) {
                     const Value q = b.Input("q", {9, 32}), k = b.Input("k", {9, 32});
                     b.Output(b.Add(kAttention, Attention{.heads = 2, .kv_heads = 2, .scale = 0.25},
                                    {q, k, b.Input("v", {9, 32}), {}, b.Offsets("offsets", 4)}));
                   },
                   32,
                   {},
                   {{"offsets", TensorView{kOffsets, DType::kI32, Shape{4}}}}});
}

// Entries whose visible keys stand first and entries with gaps, in one batch or apart.
void AddMaskedAttention(std::vector<Case>& cases) {
  static constexpr float kPadded[] = {1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0};
  static constexpr float kGaps[] = {1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0};
  for (const auto& [name, visible] : {std::pair{"padded", kPadded}, {"with gaps", kGaps}}) {
    for (int64_t dim : {5, 16}) {
      cases.push_back(
          {fmt::format("Attention over visible keys of {}, {}", dim, name),
           [=](Builder& b) {
             const Value q = b.Input("q", {2, 7, 3 * dim}), k = b.Input("k", {2, 7, 3 * dim});
             const Value mask = b.graph().Input("visible", DType::kF32, {2, 7});
             b.Output(nn::MaskedAttention(q, k, b.Input("v", {2, 7, 3 * dim}), mask,
                                          {.heads = 3, .kv_heads = 3, .scale = 1.0}, Path("y")));
           },
           dim + 7,
           {},
           {{"visible", TensorView{visible, DType::kF32, Shape{2, 7}}}}});
    }
  }
}

}  // namespace

std::vector<Case> testing::AttentionCases() {
  std::vector<Case> cases;
  AddDistanceBias(cases);
  AddPositions(cases);
  AddPictureGrids(cases);
  AddAttention(cases);
  AddMaskedAttention(cases);
  return cases;
}

namespace {

TEST(Conformance, OfAttentionAndPositionsHolds) {
  testing::CompareOnEveryDevice(testing::AttentionCases());
}

// Appending two pieces and attending over them is causal attention over both at once.
TEST(Conformance, OfTheKeyValueCacheHolds) {
  constexpr int64_t kRows = 2, kWidth = 16, kTokens = 70;  // more than one block of the cache
  Graph graph("cached");
  const Value cache =
      graph.State("cache", {DType::kF32, {kRows, 2 * KvView::kBlockTokens, kWidth}});
  const Value q = graph.Input("q", DType::kF32, {kRows, kTokens, 2 * kWidth});
  const Value k = graph.Input("k", DType::kF32, {kRows, kTokens, kWidth});
  const Value v = graph.Input("v", DType::kF32, {kRows, kTokens, kWidth});
  const Value longer =
      graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, k, v}, Path("append"));
  const CachedAttention cached{.heads = 4, .kv_heads = 2, .scale = 0.5};
  graph.MarkOutput(graph.Add(kCachedAttention, Attributes::Of(cached), {q, longer}, Path("cached")),
                   "cached");
  const Attention plain{4, 2, 0.5, AttentionMask::kCausal};
  graph.MarkOutput(graph.Add(kAttention, Attributes::Of(plain), {q, k, v}, Path("plain")), "plain");
  for (const Device& device : Devices()) {
    SCOPED_TRACE(device.name);
    KvState state(kRows, kTokens, {2, kWidth / 2});
    const GraphRun how{.options = {.backend = device.backend.get()},
                       .run = {.states = {{"cache", &state.view()}}}};
    const NamedTensors found = RunGraph(graph, how);
    EXPECT_EQ(state.length(0), kTokens);
    // As in Allowed: sums over the head's 8 channels and up to 70 keys.
    EXPECT_LE(LargestDifference(found.at("cached"), found.at("plain")),
              4 * (8 + kTokens + 16) * std::ldexp(1.0, -24));
  }
}

// A bias by distance is a plain bias, and rows that share a slot are rows with equal keys.
TEST(Conformance, OfCachedAttentionWithBiasAndSlotsHolds) {
  constexpr int64_t kRows = 3, kHeads = 2, kWidth = 16, kTokens = 70, kCapacity = 128;
  static constexpr int32_t kSlots[kRows] = {0, 1, 1};
  Graph graph("shared");
  const Value cache = graph.State("cache", {DType::kF32, {2, kCapacity, kWidth}});
  const Value q = graph.Input("q", DType::kF32, {kRows, kTokens, kWidth});
  const Value k = graph.Input("k", DType::kF32, {2, kTokens, kWidth});
  const Value v = graph.Input("v", DType::kF32, {2, kTokens, kWidth});
  const Value slots = graph.Input("slots", DType::kI32, {kRows});
  const Value bias = graph.Input("bias", DType::kF32, {kHeads, kCapacity});
  const Value longer =
      graph.Add(kKvAppend, Attributes::Of(KvAppend{}), {cache, k, v}, Path("append"));
  for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
    const CachedAttention cached{kHeads, kHeads, 0.5, mask};
    const bool causal = mask == AttentionMask::kCausal;
    const std::string name = causal ? "causal" : "all";
    const Value y = graph.Add(kCachedAttention, Attributes::Of(cached),
                              {q, longer, causal ? bias : Value(), slots}, Path(name));
    graph.MarkOutput(y, name);
  }
  const auto rows_of = [](const Tensor& of_slots) {
    Tensor rows(DType::kF32, {kRows, kTokens, kWidth});
    for (int64_t row = 0; row < kRows; ++row) {
      const auto from =
          of_slots.as<float>().subspan(static_cast<size_t>(kSlots[row] * kTokens * kWidth),
                                       static_cast<size_t>(kTokens * kWidth));
      std::ranges::copy(from, rows.as<float>().begin() + row * kTokens * kWidth);
    }
    return rows;
  };
  const Tensor key = Wave({2, kTokens, kWidth}, 0.3), value = Wave({2, kTokens, kWidth}, 0.4);
  const Tensor distances = Wave({kHeads, kCapacity}, 0.9);
  Tensor table(DType::kF32, {kHeads, kTokens, kTokens});
  for (int64_t i = 0; i < table.shape().elements(); ++i) {
    const int64_t head = i / (kTokens * kTokens), t = i / kTokens % kTokens, s = i % kTokens;
    table.as<float>()[static_cast<size_t>(i)] =
        s > t ? 0 : distances.as<float>()[static_cast<size_t>(head * kCapacity + t - s)];
  }
  Graph plain("plain");
  const Value plain_q = plain.Input("q", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_k = plain.Input("k", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_v = plain.Input("v", DType::kF32, {kRows, kTokens, kWidth});
  const Value plain_bias = plain.Input("bias", DType::kF32, {kHeads, kTokens, kTokens});
  plain.MarkOutput(
      plain.Add(kAttention, Attributes::Of(Attention{kHeads, kHeads, 0.5, AttentionMask::kCausal}),
                {plain_q, plain_k, plain_v, plain_bias}, Path("causal")),
      "causal");
  plain.MarkOutput(plain.Add(kAttention, Attributes::Of(Attention{kHeads, kHeads, 0.5}),
                             {plain_q, plain_k, plain_v}, Path("all")),
                   "all");
  const Tensor query = Wave({kRows, kTokens, kWidth}, 0.2);
  const Tensor all_keys = rows_of(key), all_values = rows_of(value);
  const NamedTensors expected = RunGraph(plain, {.options = {.backend = &RefBackend()},
                                                 .given = {{"q", query.view()},
                                                           {"k", all_keys.view()},
                                                           {"v", all_values.view()},
                                                           {"bias", table.view()}}});
  for (const Device& device : Devices()) {
    SCOPED_TRACE(device.name);
    KvState state(2, kCapacity, {kHeads, kWidth / kHeads});
    const NamedTensors found = RunGraph(graph, {.options = {.backend = device.backend.get()},
                                                .run = {.states = {{"cache", &state.view()}}},
                                                .given = {
                                                    {"q", query.view()},
                                                    {"k", key.view()},
                                                    {"v", value.view()},
                                                    {"slots", {kSlots, DType::kI32, {kRows}}},
                                                    {"bias", distances.view()},
                                                }});
    for (const auto& [name, tensor] : expected) {
      EXPECT_LE(LargestDifference(found.at(name), tensor),
                4 * (8 + kTokens + 16) * std::ldexp(1.0, -24))
          << name;
    }
  }
}

}  // namespace
}  // namespace vernier
