#include "pipeline/causal_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>
#include <string>

#include "models/config_checks.h"
#include "vernier/error.h"

namespace vernier {
namespace {

[[noreturn]] void RefuseInput(const char* name, const std::string& why,
                              const std::string& hint = "") {
  throw Error(ErrorKind::kInput, fmt::format("input {}: {}", name, why), hint);
}

const Tensor& Required(const NamedTensors& inputs, const char* name) {
  const auto found = inputs.find(name);
  if (found != inputs.end()) return found->second;
  throw Error(ErrorKind::kInput, fmt::format("input {} is missing", name),
              fmt::format("feed it with --input {}=FILE.npy, or give --image FILE…", name));
}

// Whole numbers of either width. What i32 cannot hold becomes -1, which nothing accepts.
std::vector<int32_t> Integers(const char* name, const Tensor& tensor) {
  std::vector<int32_t> numbers;
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.as<int32_t>();
    numbers.assign(values.begin(), values.end());
  } else if (tensor.dtype() == DType::kI64) {
    for (const int64_t value : tensor.as<int64_t>()) {
      const bool fits = value >= 0 && value <= std::numeric_limits<int32_t>::max();
      numbers.push_back(fits ? static_cast<int32_t>(value) : -1);
    }
  } else {
    RefuseInput(name, fmt::format("expected i32 or i64, found {}", Name(tensor.dtype())));
  }
  return numbers;
}

// How many tokens of each row stand behind its padding.
std::vector<int64_t> RealTokens(const NamedTensors& inputs, const Shape& ids) {
  const int64_t rows = ids[0], tokens = ids[1];
  std::vector<int64_t> real(static_cast<size_t>(rows), tokens);
  const auto found = inputs.find(kInputMask);
  if (found == inputs.end()) return real;
  const Tensor& given = found->second;
  if (!(given.shape() == ids)) {
    RefuseInput(kInputMask, fmt::format("expected {} as of {}, found {}", ids.ToString(), kInputIds,
                                        given.shape().ToString()));
  }
  std::vector<int32_t> mask;
  if (given.dtype() == DType::kF32) {
    std::ranges::transform(given.as<float>(), std::back_inserter(mask),
                           [](float value) { return value != 0.0f ? 1 : 0; });
  } else {
    mask = Integers(kInputMask, given);
  }
  for (int64_t row = 0; row < rows; ++row) {
    const auto own =
        std::span(mask).subspan(static_cast<size_t>(row * tokens), static_cast<size_t>(tokens));
    const auto first = std::ranges::find_if(own, [](int32_t value) { return value != 0; });
    if (std::find(first, own.end(), 0) != own.end()) {
      RefuseInput(kInputMask, fmt::format("row {} has padding behind a token", row),
                  "padding stands on the left");
    }
    if (first == own.end()) RefuseInput(kInputMask, fmt::format("row {} is all padding", row));
    real[static_cast<size_t>(row)] = own.end() - first;
  }
  return real;
}

std::vector<OcrGrid> ReadGrids(const NamedTensors& inputs, const PicturePlaces& places) {
  std::vector<OcrGrid> grids;
  if (!inputs.contains(kImageGrids)) return grids;
  const Tensor checked = CheckedGrids(inputs, places);
  const auto numbers = checked.as<int32_t>();
  for (size_t i = 0; i < numbers.size(); i += 3) {
    grids.push_back({numbers[i + 1], numbers[i + 2], places.merge});
  }
  return grids;
}

// What was written goes on as text, whatever its ids.
void AppendForced(const NamedTensors& inputs, int32_t placeholder, CausalRows& read) {
  const auto found = inputs.find(kForcedIds);
  if (found == inputs.end()) return;
  const Shape& shape = found->second.shape();
  if (shape.rank() != 2 || shape[0] != std::ssize(read.rows) || shape.elements() == 0) {
    RefuseInput(kForcedIds,
                fmt::format("expected [{}, tokens], found {}", read.rows.size(), shape.ToString()),
                "one row of ids for each prompt, to follow it");
  }
  const std::vector<int32_t> forced = Integers(kForcedIds, found->second);
  read.tokens += shape[1];
  read.placeholder_written = std::ranges::count(forced, placeholder) > 0;
  for (size_t row = 0; row < read.rows.size(); ++row) {
    CausalRow& own = read.rows[row];
    for (int64_t i = 0; i < shape[1]; ++i) {
      const auto position = static_cast<int32_t>(std::ssize(own.ids) + own.positions.delta);
      own.ids.push_back(forced[row * static_cast<size_t>(shape[1]) + static_cast<size_t>(i)]);
      for (auto& axis : own.positions.axes) axis.push_back(position);
    }
  }
}

}  // namespace

bool CausalRows::together() const {
  if (rows.size() == 1) return std::ssize(rows[0].ids) == tokens;
  return !placeholder_written && std::ranges::all_of(rows, [&](const CausalRow& row) {
    return std::ssize(row.ids) == tokens;
  });
}

Tensor CheckedGrids(const NamedTensors& inputs, const PicturePlaces& places) {
  const Tensor& given = Required(inputs, kImageGrids);
  if (given.shape().rank() != 2 || given.shape()[0] < 1 || given.shape()[1] != 3) {
    RefuseInput(kImageGrids,
                fmt::format("expected [pictures, 3], found {}", given.shape().ToString()));
  }
  const std::vector<int32_t> numbers = Integers(kImageGrids, given);
  int64_t patches = 0;
  for (size_t i = 0; i < numbers.size(); i += 3) {
    const int64_t rows = numbers[i + 1], columns = numbers[i + 2];
    const bool fits = numbers[i] == 1 && rows > 0 && columns > 0 && rows % places.merge == 0 &&
                      columns % places.merge == 0 && rows <= kMaxImageSide &&
                      columns <= kMaxImageSide;
    if (!fits) {
      RefuseInput(
          kImageGrids,
          fmt::format("row {} is {} {} {}", i / 3, numbers[i], numbers[i + 1], numbers[i + 2]),
          fmt::format("a picture has one frame, and rows and columns in multiples of {}",
                      places.merge));
    }
    patches += rows * columns;
  }
  const Tensor& pixels = Required(inputs, kPixelValues);
  if (pixels.shape().rank() != 4 || pixels.shape()[0] != patches) {
    RefuseInput(kPixelValues, fmt::format("{} says {} patches, found {}", kImageGrids, patches,
                                          pixels.shape().ToString()));
  }
  Tensor grids(DType::kI32, given.shape());
  std::ranges::copy(numbers, grids.as<int32_t>().begin());
  return grids;
}

CausalRows ReadCausalRows(const NamedTensors& inputs, const PicturePlaces& places) {
  const Tensor& given = Required(inputs, kInputIds);
  if (given.shape().rank() != 2 || given.shape().elements() == 0) {
    RefuseInput(kInputIds,
                fmt::format("expected [rows, tokens], found {}", given.shape().ToString()));
  }
  const std::vector<int32_t> ids = Integers(kInputIds, given);
  const std::vector<int64_t> real = RealTokens(inputs, given.shape());
  const std::vector<OcrGrid> grids = ReadGrids(inputs, places);
  CausalRows read{.rows = {}, .tokens = given.shape()[1]};
  int64_t features = 0, wanted = 0;
  for (const OcrGrid& grid : grids) features += grid.tokens();
  for (size_t row = 0; row < real.size(); ++row) {
    const int64_t end = static_cast<int64_t>(row + 1) * read.tokens;
    CausalRow own;
    own.ids.assign(ids.begin() + (end - real[row]), ids.begin() + end);
    own.first_feature = wanted;
    own.features = std::ranges::count(own.ids, places.image_token_id);
    wanted += own.features;
    read.rows.push_back(std::move(own));
  }
  // Over the batch, as the reference counts.
  RequireImageTokens(wanted, features);
  auto picture = grids.begin();
  for (CausalRow& row : read.rows) {
    const auto first = picture;
    for (int64_t left = row.features; left > 0; ++picture) left -= picture->tokens();
    row.positions = PositionsOf(row.ids, places.image_token_id, {first, picture});
  }
  AppendForced(inputs, places.image_token_id, read);
  return read;
}

}  // namespace vernier
