#include "verify/setting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/suggest.h"
#include "vernier/error.h"

namespace vernier {
namespace {

struct Key {
  std::string_view name;
  std::vector<std::string_view> values;  // empty: any text
  std::function<void(SessionOptions&, const std::string&)> set;
};

int ParseThreads(const std::string& text) {
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc() || end != text.data() + text.size() || threads < 1 ||
      threads > kMostThreads) {
    throw Error(ErrorKind::kUsage, fmt::format("threads={}: expected a whole number from 1 to {}",
                                               text.substr(0, 40), kMostThreads));
  }
  return threads;
}

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      {"model", {}, [](SessionOptions& o, const std::string& v) { o.model = v; }},
      {"device",
       {"cpu", "ref", "cuda", "ascend"},
       [](SessionOptions& o, const std::string& v) { o.device = v; }},
      {"dtype",
       {"f32", "bf16", "int8"},
       [](SessionOptions& o, const std::string& v) { o.dtype = v; }},
      {"isa",
       {"scalar", "avx2", "avx512", "avx512_bf16", "amx", "neon"},
       [](SessionOptions& o, const std::string& v) { o.isa = v; }},
      {"onednn",
       {"on", "off"},
       [](SessionOptions& o, const std::string& v) { o.onednn = v == "on"; }},
      {"winograd",
       {"auto", "always", "never"},
       [](SessionOptions& o, const std::string& v) { o.winograd = v; }},
      {"branches",
       {"serial", "parallel"},
       [](SessionOptions& o, const std::string& v) { o.parallel_branches = v == "parallel"; }},
      {"top-features",
       {"sparse", "dense"},
       [](SessionOptions& o, const std::string& v) { o.dense_top_features = v == "dense"; }},
      {"threads", {}, [](SessionOptions& o, const std::string& v) { o.threads = ParseThreads(v); }},
      {"disable-pass",
       {},
       [](SessionOptions& o, const std::string& v) { o.disabled_passes.push_back(v); }},
      {"precision-file", {}, [](SessionOptions& o, const std::string& v) { o.precision_file = v; }},
      {"resize",
       {"torch8", "pillow", "pillow12"},
       [](SessionOptions& o, const std::string& v) { o.resize = v; }},
      {"pipeline",
       {"meta-squash", "meta-crop", "plm", "timm"},
       [](SessionOptions& o, const std::string& v) { o.pipeline = v; }},
      {"semantics",
       {"original", "timm"},
       [](SessionOptions& o, const std::string& v) { o.semantics = v; }},
  };
  return keys;
}

[[noreturn]] void Refuse(std::string_view what, std::string_view found,
                         std::span<const std::string_view> known, const std::string& setting) {
  const std::string_view nearest = Nearest(found, known);
  throw Error(ErrorKind::kUsage,
              fmt::format("setting '{}': unknown {} '{}'", setting.substr(0, 80), what,
                          found.substr(0, 40)),
              nearest.empty() ? fmt::format("use {}", fmt::join(known, ", "))
                              : fmt::format("did you mean {}?", nearest));
}

void Apply(const std::string& part, const std::string& setting, SessionOptions& options) {
  const size_t equals = part.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == part.size()) {
    throw Error(ErrorKind::kUsage,
                fmt::format("setting '{}': expected KEY=VALUE, found '{}'", setting.substr(0, 80),
                            part.substr(0, 40)),
                "as in device=cpu,dtype=bf16");
  }
  const std::string name = part.substr(0, equals), value = part.substr(equals + 1);
  std::vector<std::string_view> names;
  for (const Key& key : Keys()) {
    names.push_back(key.name);
    if (key.name != name) continue;
    if (!key.values.empty() && std::ranges::count(key.values, value) == 0) {
      Refuse(name, value, key.values, setting);
    }
    key.set(options, value);
    return;
  }
  Refuse("key", name, names, setting);
}

}  // namespace

bool IsSetting(const std::string& side) {
  const size_t equals = side.find('=');
  const bool has_key = equals != std::string::npos && side.find('/') > equals;
  std::error_code ignored;
  return has_key && !std::filesystem::exists(side, ignored);
}

SessionOptions ApplySetting(const std::string& setting, SessionOptions options) {
  size_t begin = 0;
  while (begin <= setting.size()) {
    const size_t end = std::min(setting.find(',', begin), setting.size());
    Apply(setting.substr(begin, end - begin), setting, options);
    begin = end + 1;
  }
  return options;
}

}  // namespace vernier
