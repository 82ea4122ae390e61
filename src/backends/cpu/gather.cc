// Gather on the CPU. A table of the checkpoint is read where the file is mapped, whatever its type:
// of a token embedding only the rows that occur are ever touched, and no copy is made.
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "backends/cpu/nodes.h"
#include "backends/ref/gather.h"
#include "core/float_types.h"
#include "core/parallel.h"

namespace vernier {
namespace {

// Rows per piece of work: a few microseconds of copying at usual widths.
constexpr int64_t kGrain = 16;

void CopyWidened(const TensorView& table, int64_t from, int64_t count, float* to) {
  switch (table.dtype) {
    case DType::kBF16: {
      const auto* values = static_cast<const uint16_t*>(table.data) + from;
      for (int64_t i = 0; i < count; ++i) to[i] = FromBf16(values[i]);
      return;
    }
    case DType::kF16: {
      const auto* values = static_cast<const uint16_t*>(table.data) + from;
      for (int64_t i = 0; i < count; ++i) to[i] = FromF16(values[i]);
      return;
    }
    default:
      std::memcpy(to, static_cast<const float*>(table.data) + from,
                  static_cast<size_t>(count) * sizeof(float));
  }
}

// A table of the checkpoint, asked for anew in every run: a product that packs the same weight (a
// tied head) may have given the bytes back meanwhile.
struct StoredTable {
  const WeightStore* weights;
  std::string name;
};

class GatherKernel final : public Kernel {
 public:
  explicit GatherKernel(std::optional<StoredTable> stored) : stored_(std::move(stored)) {}

  void Run(const RunArgs& args) const override {
    const TensorArg &table = args.inputs[0], &ids = args.inputs[1], &y = args.outputs[0];
    const int64_t rows = table.shape[0], count = ids.shape.elements();
    for (int64_t i = 0; i < count; ++i) CheckedRowId(ids, i, rows);
    const TensorView stored = stored_ ? stored_->weights->Raw(stored_->name) : TensorView{};
    ParallelFor(args.threads, count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        CopyRows(table, stored, CheckedRowId(ids, i, rows), y, i);
      }
    });
  }

  KernelInfo info() const override { return {"vernier", "", "gather"}; }

 private:
  void CopyRows(const TensorArg& table, const TensorView& stored, int64_t id, const TensorArg& y,
                int64_t place) const {
    const int64_t run = table.rows() / table.shape[0], columns = y.columns();
    for (int64_t r = 0; r < run; ++r) {
      float* to = y.row<float>(place * run + r);
      if (stored_) {
        CopyWidened(stored, (id * run + r) * columns, columns, to);
      } else {
        std::memcpy(to, table.row<float>(id * run + r),
                    static_cast<size_t>(columns) * sizeof(float));
      }
    }
  }

  std::optional<StoredTable> stored_;
};

class GatherNode final : public PreparedNode {
 public:
  explicit GatherNode(std::optional<StoredTable> stored) : stored_(std::move(stored)) {}

  std::unique_ptr<Kernel> Bind(const BindArgs&) const override {
    return std::make_unique<GatherKernel>(stored_);
  }

  std::vector<int> owned_inputs() const override {
    return stored_ ? std::vector<int>{0} : std::vector<int>{};
  }

 private:
  std::optional<StoredTable> stored_;  // none: the table is computed, or of a type read as f32
};

}  // namespace

std::unique_ptr<PreparedNode> PrepareGather(const PrepareArgs& args) {
  const ValueInfo& table = args.graph.value(args.node.inputs[0]);
  if (table.kind != ValueKind::kWeight) return std::make_unique<GatherNode>(std::nullopt);
  const DType dtype = args.weights.Raw(table.name).dtype;
  if (dtype != DType::kF32 && dtype != DType::kBF16 && dtype != DType::kF16) {
    return std::make_unique<GatherNode>(std::nullopt);
  }
  return std::make_unique<GatherNode>(StoredTable{&args.weights, table.name});
}

}  // namespace vernier
