#include "ops/gather.h"

#include <fmt/format.h>

#include "ops/op_support.h"

namespace vernier {
namespace {

std::vector<ValueType> InferGather(const Attributes&, const std::vector<ValueType>& in) {
  RequireRank(in[0], 2, Shape::kMaxRank, "the table");
  const DType ids = in[1].dtype;
  if (ids != DType::kI32 && ids != DType::kI64 && ids != DType::kF32) {
    ShapeError(fmt::format("the ids must be i32, i64 or f32, got {}", Name(ids)));
  }
  ValueType out{in[0].dtype, in[1].shape};
  out.shape.insert(out.shape.end(), in[0].shape.begin() + 1, in[0].shape.end());
  if (out.rank() > Shape::kMaxRank) {
    ShapeError(fmt::format("rows of {} by ids {} have too many dimensions", ToString(in[0].shape),
                           ToString(in[1].shape)));
  }
  return {out};
}

std::vector<ValueType> InferPlacePictures(const Attributes&, const std::vector<ValueType>& in) {
  RequireRank(in[0], 2, Shape::kMaxRank, "the embedded tokens");
  RequireRank(in[1], in[0].rank() - 1, in[0].rank() - 1, "the ids");
  for (int axis = 0; axis < in[1].rank(); ++axis) {
    RequireEqual(in[1].dim(axis), in[0].dim(axis), "the number of ids");
  }
  RequireRank(in[2], 2, 2, "the pictures' rows");
  RequireEqual(in[2].dim(1), in[0].dim(-1), "the width of the pictures' rows");
  if (in[1].dtype != DType::kI32) {
    ShapeError(fmt::format("the ids must be i32, got {}", Name(in[1].dtype)));
  }
  return {in[0]};
}

}  // namespace

const OpDef kPlacePictures{.name = "PlacePictures",
                           .min_inputs = 3,
                           .max_inputs = 3,
                           .infer = InferPlacePictures,
                           .describe = [](const Attributes& a) -> std::string {
                             return fmt::format("placeholder={}",
                                                a.get<PlacePictures>().placeholder);
                           }};

const OpDef kGather{.name = "Gather",
                    .min_inputs = 2,
                    .max_inputs = 2,
                    .infer = InferGather,
                    .onnx_name = "Gather",
                    .onnx_version = 1};

}  // namespace vernier
