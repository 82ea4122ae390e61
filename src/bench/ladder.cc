#include "bench/ladder.h"

#include <fmt/format.h>

#include "core/check.h"
#include "vernier/error.h"

namespace vernier {
namespace {

std::optional<SpeedRatio> RatioOf(const Measurement& below, const Measurement& rung) {
  if (below.error || rung.error) return std::nullopt;
  return ComparePaired(below.timing.samples_ms, rung.timing.samples_ms);
}

void WriteGain(std::string_view prefix, const std::optional<SpeedRatio>& ratio, JsonWriter& json) {
  const auto field = [&](const char* name) { return fmt::format("{}{}", prefix, name); };
  if (!ratio) return;
  const Interval interval = GainIntervalOf(*ratio);
  json.Field(field("gain"), GainOf(*ratio))
      .Field(field("gain_low"), interval.low)
      .Field(field("gain_high"), interval.high)
      .Field(field("verdict"), Name(ratio->verdict));
}

}  // namespace

std::vector<Rung> PublishedLadder(const std::string& batch_norm_model) {
  const std::string unfused =
      "disable-pass=fold_batch_norm,disable-pass=fuse_maps,disable-pass=fuse_convolutions,"
      "disable-pass=fuse_epilogue";
  const std::string folded = "model=" + batch_norm_model;
  const std::string both = folded + ",dtype=bf16";
  return {
      {.name = "GN, nothing fused, f32", .setting = "dtype=f32," + unfused, .published_gain = 1},
      {.name = "BN folded, f32", .setting = folded + ",dtype=f32", .published_gain = 1.05},
      {.name = "GN, nothing fused, bf16",
       .setting = "dtype=bf16," + unfused,
       .published_gain = 1.32},
      {.name = "BN folded, bf16", .setting = both, .over = 1, .published_gain = 1.56},
      {.name = "… malloc with huge pages",
       .setting = both + ",env=GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
       .over = 3,
       .published_gain = 1.56},
      {.name = "… heads in parallel",
       .setting = both + ",branches=parallel",
       .over = 3,
       .published_gain = 2.03},
  };
}

Rung ParseRung(const std::string& text, size_t over) {
  const size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--rung: expected NAME:SETTING, found '{}'", text.substr(0, 40)),
                "as in --rung 'half precision:dtype=bf16'");
  }
  return {.name = text.substr(0, colon), .setting = text.substr(colon + 1), .over = over};
}

Ladder JudgeLadder(std::span<const Rung> rungs, std::span<const Measurement> runs,
                   size_t first_run) {
  VN_CHECK(rungs.size() == runs.size() && !rungs.empty(), "a rung has one measurement");
  Ladder ladder{.batch = runs[0].configuration.batch, .rungs = {}};
  for (size_t i = 0; i < rungs.size(); ++i) {
    VN_CHECK(rungs[i].over <= i, "a rung changes one below it");
    RungResult result{.rung = rungs[i], .run = first_run + i, .first = {}, .over = {}};
    if (i > 0) {
      result.first = RatioOf(runs[0], runs[i]);
      result.over = RatioOf(runs[rungs[i].over], runs[i]);
    }
    ladder.rungs.push_back(std::move(result));
  }
  return ladder;
}

double GainOf(const SpeedRatio& ratio) { return 1 / ratio.ratio; }

Interval GainIntervalOf(const SpeedRatio& ratio) {
  return {1 / ratio.interval.high, 1 / ratio.interval.low};
}

void WriteJson(const Ladder& ladder, JsonWriter& json) {
  json.BeginObject().Field("batch", ladder.batch).Key("rungs").BeginArray();
  for (const RungResult& result : ladder.rungs) {
    json.BeginObject()
        .Field("name", result.rung.name)
        .Field("setting", result.rung.setting)
        .Field("run", result.run)
        .Field("over", result.rung.over);
    if (result.rung.published_gain > 0) json.Field("published_gain", result.rung.published_gain);
    WriteGain("", result.first, json);
    WriteGain("over_", result.over, json);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

}  // namespace vernier
