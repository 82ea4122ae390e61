#include "models/config_checks.h"

#include <fmt/format.h>

#include "vernier/error.h"

namespace vernier {

void ConfigError(const Json& config, std::string_view key, const std::string& message,
                 const std::string& hint) {
  throw Error(ErrorKind::kInput, fmt::format("{} {}", config.Where(key), message), hint);
}

int64_t BoundedInt(const Json& config, std::string_view key, int64_t otherwise, int64_t low,
                   int64_t high) {
  const int64_t value = config.GetInt(key, otherwise);
  if (value < low || value > high) {
    ConfigError(config, key, fmt::format("is {}, expected {} to {}", value, low, high));
  }
  return value;
}

std::pair<int64_t, int64_t> BoundedSize(const Json& config, std::string_view key, int64_t otherwise,
                                        int64_t high) {
  const Json* value = config.Find(key);
  if (value == nullptr || !value->is_array()) {
    const int64_t side = BoundedInt(config, key, otherwise, 1, high);
    return {side, side};
  }
  const std::vector<int64_t> sides = config.GetInts(key);
  if (sides.size() != 2) ConfigError(config, key, "must be one number or [height, width]");
  for (int64_t side : sides) {
    if (side < 1 || side > high) {
      ConfigError(config, key, fmt::format("holds {}, expected 1 to {}", side, high));
    }
  }
  return {sides[0], sides[1]};
}

const Json& ConfigPart(const Json& config, std::string_view key) {
  static const Json kEmpty = Json::Object();
  const Json* part = config.Find(key);
  return part == nullptr || part->is_null() ? kEmpty : config.GetObject(key);
}

double BoundedEpsilon(const Json& config, std::string_view key, double otherwise) {
  const double eps = config.GetNumber(key, otherwise);
  if (!(eps >= 0 && eps < 1)) ConfigError(config, key, "must lie between 0 and 1");
  return eps;
}

int64_t TokenId(const Json& config, const Json& part, std::string_view key, int64_t otherwise,
                int64_t vocabulary) {
  const Json* own = part.Find(key);
  const Json& holder = own == nullptr || own->is_null() ? config : part;
  return BoundedInt(holder, key, otherwise, 0, vocabulary - 1);
}

std::vector<int64_t> TokenIds(const Json& config, const Json& part, std::string_view key,
                              int64_t otherwise, int64_t vocabulary) {
  const Json* own = part.Find(key);
  const Json& holder = own == nullptr || own->is_null() ? config : part;
  const Json* value = holder.Find(key);
  if (value == nullptr || !value->is_array()) {
    return {BoundedInt(holder, key, otherwise, 0, vocabulary - 1)};
  }
  std::vector<int64_t> ids = holder.GetInts(key);
  for (int64_t id : ids) {
    if (id < 0 || id >= vocabulary) {
      ConfigError(holder, key, fmt::format("holds {}, expected 0 to {}", id, vocabulary - 1));
    }
  }
  return ids;
}

ActivationKind ParseActivation(const Json& config, std::string_view key, const char* otherwise) {
  const std::string name = config.GetString(key, otherwise);
  if (name == "gelu") return ActivationKind::kGelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") {
    return ActivationKind::kGeluTanh;
  }
  if (name == "quick_gelu") return ActivationKind::kQuickGelu;
  if (name == "relu") return ActivationKind::kRelu;
  if (name == "tanh") return ActivationKind::kTanh;
  if (name == "silu" || name == "swish") return ActivationKind::kSilu;
  ConfigError(config, key, fmt::format("is \"{}\", which is not supported", name),
              "known are gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, silu, tanh");
}

}  // namespace vernier
