// Gather's tables as checkpoints store them, and ids that no table has.
#include "backends/cpu/backend.h"
#include "backends/ref/backend.h"
#include "core/float_types.h"
#include "nn/layers.h"
#include "support/run_graph.h"
#include "vernier/error.h"

namespace vernier::testing {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRows = 5, kWidth = 7;

Graph TableGraph(DType ids) {
  Graph graph("table");
  graph.MarkOutput(nn::Embedding(graph.Input("ids", ids, {3}), Path("table"), kRows, kWidth), "y");
  return graph;
}

std::shared_ptr<WeightStore> StoreOf(const Tensor& table) {
  return std::make_shared<WeightStore>(WeightStore::Source{
      .view = [&table](const std::string&) { return table.view(); }, .release = {}});
}

Tensor Gathered(const Tensor& table, const TensorView& ids, const Backend* backend) {
  const Graph graph = TableGraph(ids.dtype);
  const auto program = Program::Compile(graph, StoreOf(table), {.backend = backend});
  return std::move(Context().Run(*program->Bind({}), {{"ids", ids}}, {}).at("y"));
}

TEST(Gather, ReadsTablesInTheTypesOfCheckpoints) {
  constexpr int64_t kIds[] = {4, 0, 4};
  const Tensor wide = Wave({kRows, kWidth}, 1);
  for (DType dtype : {DType::kF32, DType::kBF16, DType::kF16, DType::kF64}) {
    SCOPED_TRACE(Name(dtype));
    Tensor table(dtype, {kRows, kWidth});
    for (int64_t i = 0; i < kRows * kWidth; ++i) {
      const auto at = static_cast<size_t>(i);
      const float value = wide.as<float>()[at];
      if (dtype == DType::kF32) table.as<float>()[at] = value;
      if (dtype == DType::kF64) table.as<double>()[at] = value;
      if (dtype == DType::kBF16) static_cast<uint16_t*>(table.data())[i] = ToBf16(value);
      if (dtype == DType::kF16) static_cast<uint16_t*>(table.data())[i] = ToF16(value);
    }
    const auto backend = MakeCpuBackend({});
    const Tensor rows = Gathered(table, {kIds, DType::kI64, Shape{3}}, backend.get());
    const Tensor expected = ToFloat32(table.view());
    for (int64_t i = 0; i < 3 * kWidth; ++i) {
      EXPECT_EQ(rows.as<float>()[static_cast<size_t>(i)],
                expected.as<float>()[static_cast<size_t>(kIds[i / kWidth] * kWidth + i % kWidth)]);
    }
  }
}

void ExpectRefused(const TensorView& ids, const std::string& message) {
  const Tensor table = Wave({kRows, kWidth}, 1);
  const auto cpu = MakeCpuBackend({});
  for (const Backend* backend : {static_cast<const Backend*>(cpu.get()), &RefBackend()}) {
    try {
      Gathered(table, ids, backend);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInput);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
}

TEST(Gather, RefusesIdsThatTheTableDoesNotHave) {
  constexpr int32_t kBeyond[] = {0, 5, 1}, kNegative[] = {-1, 0, 0};
  constexpr float kHalves[] = {0, 1, 1.5f}, kNan[] = {__builtin_nanf(""), 0, 0};
  ExpectRefused({kBeyond, DType::kI32, Shape{3}},
                "id 5 at position 1 is no row of a table with 5 rows");
  ExpectRefused({kNegative, DType::kI32, Shape{3}}, "id -1 at position 0");
  ExpectRefused({kHalves, DType::kF32, Shape{3}}, "id 1.5 at position 2");
  ExpectRefused({kNan, DType::kF32, Shape{3}}, "id nan at position 0");
}

}  // namespace
}  // namespace vernier::testing
