#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "report/histogram.h"
#include "report/manifest.h"
#include "report/sections.h"
#include "vernier/error.h"

namespace vernier {
namespace {

// More latency histograms than this say less, not more.
constexpr size_t kMaxHistograms = 3;

struct BenchRun {
  const Json& json;
  std::string setting;  // "bf16, 2 threads"
  std::string batch;
};

// Sizes and sides are named where the runs differ in them.
struct Varying {
  bool size = false;
  bool side = false;
};

std::string SizeOf(const Json& run) {
  return run.Has("height") ? fmt::format("{}×{}", run.GetInt("height"), run.GetInt("width")) : "";
}

Varying VaryingOf(std::span<const Json> runs) {
  Varying varying;
  for (const Json& run : runs) {
    varying.size |= SizeOf(run) != SizeOf(runs[0]);
    varying.side |= run.Has("side");
  }
  return varying;
}

std::string SettingOf(const Json& run, const Varying& varying) {
  std::vector<std::string> words = {run.GetString("dtype", "")};
  const int64_t threads = run.GetInt("threads", 0);
  if (threads > 0) words.push_back(fmt::format("{} thread{}", threads, threads == 1 ? "" : "s"));
  const int64_t streams = run.GetInt("streams", 1);
  if (streams > 1) words.push_back(fmt::format("{} streams", streams));
  if (run.GetString("branches", "serial") == "parallel") words.push_back("parallel branches");
  if (run.GetString("top_features", "sparse") == "dense") words.push_back("dense top features");
  if (varying.size) words.push_back(SizeOf(run));
  std::string text = varying.side ? run.GetString("side", "") + ": " : "";
  for (const std::string& word : words) {
    if (!word.empty()) text += (text.empty() || text.ends_with(": ") ? "" : ", ") + word;
  }
  return text;
}

// Runs that failed have an error instead of figures.
std::vector<BenchRun> MeasuredRuns(const Json& content) {
  std::vector<BenchRun> runs;
  const Varying varying = VaryingOf(content.GetArray("runs").items());
  for (const Json& run : content.GetArray("runs").items()) {
    if (!run.Has("median_ms")) continue;
    runs.push_back({run, SettingOf(run, varying), std::to_string(run.GetInt("batch", 1))});
  }
  return runs;
}

std::string Milliseconds(const Json& run, std::string_view key) {
  return run.Has(key) ? fmt::format("{:.2f}", run.GetNumber(key)) : "–";
}

std::string Bytes(double bytes) {
  return bytes >= 1e9 ? fmt::format("{:.2f} GB", bytes / 1e9)
                      : fmt::format("{:.0f} MB", bytes / 1e6);
}

Table LatencyTable(const std::vector<BenchRun>& runs) {
  Table table{.caption = "Times in ms of one run; the interval is that of the median.",
              .columns = {{"setting"},
                          {"batch", true},
                          {"median", true},
                          {"95 % interval", true},
                          {"P90", true},
                          {"P99", true},
                          {"max", true},
                          {"per second", true},
                          {"first run", true},
                          {"peak memory", true}}};
  for (const BenchRun& run : runs) {
    const std::string interval =
        run.json.Has("median_low_ms")
            ? fmt::format("{} – {}", Milliseconds(run.json, "median_low_ms"),
                          Milliseconds(run.json, "median_high_ms"))
            : "–";
    table.rows.push_back({{run.setting},
                          {run.batch},
                          {Milliseconds(run.json, "median_ms")},
                          {interval},
                          {Milliseconds(run.json, "p90_ms")},
                          {Milliseconds(run.json, "p99_ms")},
                          {Milliseconds(run.json, "max_ms")},
                          {ShortNumber(run.json.GetNumber("throughput_per_s", 0))},
                          {Milliseconds(run.json, "first_run_ms")},
                          {Bytes(run.json.GetNumber("peak_rss_bytes", 0))}});
  }
  return table;
}

Figure ThroughputFigure(const std::vector<BenchRun>& runs) {
  Figure figure{.plot = {.title = "Throughput by batch",
                         .x = {.label = "batch"},
                         .y = {.label = "per second"}},
                .caption = "Higher is better; whiskers are the interval of the median."};
  std::vector<std::string>& batches = figure.plot.x.names;
  for (const BenchRun& run : runs) {
    if (std::find(batches.begin(), batches.end(), run.batch) == batches.end()) {
      batches.push_back(run.batch);
    }
  }
  for (const BenchRun& run : runs) {
    auto series = std::find_if(figure.plot.series.begin(), figure.plot.series.end(),
                               [&](const PlotSeries& s) { return s.name == run.setting; });
    if (series == figure.plot.series.end()) {
      series = figure.plot.series.insert(series, {.name = run.setting, .mark = PlotMark::kBars});
    }
    const double median = run.json.GetNumber("median_ms");
    const double throughput = run.json.GetNumber("throughput_per_s", 0);
    const auto at = std::find(batches.begin(), batches.end(), run.batch) - batches.begin();
    PlotPoint point{.x = static_cast<double>(at),
                    .y = throughput,
                    .label = fmt::format("{}, batch {}: {} per second", run.setting, run.batch,
                                         ShortNumber(throughput))};
    if (run.json.Has("median_low_ms") && median > 0) {
      point.low = throughput * median / run.json.GetNumber("median_high_ms");
      point.high = throughput * median / run.json.GetNumber("median_low_ms");
    }
    series->points.push_back(point);
  }
  return figure;
}

Figure LatencyFigure(const BenchRun& run) {
  const std::vector<double> samples = run.json.GetNumbers("samples_ms");
  Figure figure{.plot = {.title = fmt::format("Latency, {}, batch {}", run.setting, run.batch),
                         .x = {.label = "ms"},
                         .y = {.label = "samples"},
                         .series = {{.name = "samples", .mark = PlotMark::kBars}}},
                .caption = fmt::format(
                    "{} samples; far outliers are counted in the outermost bars.", samples.size())};
  const std::vector<Bin> bins = Histogram(samples);
  for (const Bin& bin : bins) {
    figure.plot.series[0].points.push_back(
        {.x = (bin.low + bin.high) / 2,
         .y = static_cast<double>(bin.count),
         .label = fmt::format("{:.3g} – {:.3g} ms: {}", bin.low, bin.high, bin.count)});
  }
  for (const auto& [key, name] :
       {std::pair{"p50_ms", "P50"}, {"p90_ms", "P90"}, {"p99_ms", "P99"}}) {
    const double at = run.json.GetNumber(key, 0);
    if (bins.empty() || !run.json.Has(key)) continue;
    // A percentile among the far outliers would flatten everything else.
    if (at > bins.back().high) {
      figure.caption += fmt::format(" {} ({:.4g} ms) lies to the right.", name, at);
    } else {
      figure.plot.rules.push_back({at, fmt::format("{} {:.4g}", name, at), true});
    }
  }
  return figure;
}

std::vector<KeyFigure> KeyFiguresOf(const std::vector<BenchRun>& runs) {
  if (runs.empty()) return {};
  const auto by = [](std::string_view key, auto better) {
    return [=](const BenchRun& a, const BenchRun& b) {
      return better(a.json.GetNumber(key, 0), b.json.GetNumber(key, 0));
    };
  };
  const BenchRun& quick =
      *std::min_element(runs.begin(), runs.end(), by("median_ms", std::less<>()));
  const BenchRun& most =
      *std::max_element(runs.begin(), runs.end(), by("throughput_per_s", std::less<>()));
  return {{"shortest median", fmt::format("{} ms", Milliseconds(quick.json, "median_ms")),
           fmt::format("{}, batch {}", quick.setting, quick.batch)},
          {"highest throughput",
           fmt::format("{} /s", ShortNumber(most.json.GetNumber("throughput_per_s", 0))),
           fmt::format("{}, batch {}", most.setting, most.batch)}};
}

const Json* Member(const Json& object, std::string_view key) {
  const Json* member = object.Find(key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

// Configurations that failed, drift of the clock, tails that hold and tails that are not known.
BulletList Remarks(const Json& content, const std::vector<BenchRun>& runs) {
  BulletList list;
  for (const Json& run : content.GetArray("runs").items()) {
    if (const Json* error = Member(run, "error")) {
      const std::string message =
          error->is_object() ? error->GetString("message", "") : error->AsString();
      list.items.push_back(fmt::format("{}, batch {} failed: {}", SettingOf(run, {}),
                                       run.GetInt("batch", 1), message));
    }
  }
  for (const BenchRun& run : runs) {
    const std::string place = fmt::format("{}, batch {}", run.setting, run.batch);
    if (const Json* drift = Member(run.json, "drift")) {
      const std::string warning = drift->GetString("warning", "");
      if (!warning.empty()) list.items.push_back(fmt::format("{}: {}", place, warning));
    }
    if (const Json* outliers = Member(run.json, "outliers")) {
      const int64_t count = outliers->GetInt("low", 0) + outliers->GetInt("high", 0);
      if (count > 0) {
        list.items.push_back(
            fmt::format("{}: {} outliers, which stay in every figure.", place, count));
      }
    }
    const Json* certified = Member(run.json, "certified");
    for (const Json& bound : certified == nullptr ? std::span<const Json>() : certified->items()) {
      if (!Member(bound, "at_most_ms")) continue;
      list.items.push_back(fmt::format("{}: P{:g} ≤ {:.4g} ms at {:g} % confidence.", place,
                                       bound.GetNumber("percent"), bound.GetNumber("at_most_ms"),
                                       100 * bound.GetNumber("confidence")));
    }
  }
  return list;
}

ReportTone ToneOf(const std::string& verdict) {
  if (verdict == "faster") return ReportTone::kGood;
  return verdict == "slower" ? ReportTone::kBad : ReportTone::kUnsure;
}

Section PairsSection(const Json& pairs) {
  Table table{
      .caption = "Ratio: the time of B over that of A, with its 95 % interval.",
      .columns = {
          {"A"}, {"B"}, {"ratio", true}, {"interval", true}, {"verdict"}, {"evidence"}, {"gate"}}};
  for (const Json& pair : pairs.items()) {
    const std::string verdict = pair.GetString("verdict", "");
    const Json* gate = Member(pair, "gate");
    table.rows.push_back({{pair.GetString("a", "")},
                          {pair.GetString("b", "")},
                          {fmt::format("{:.3f}", pair.GetNumber("ratio"))},
                          {fmt::format("{:.3f} – {:.3f}", pair.GetNumber("ratio_low"),
                                       pair.GetNumber("ratio_high"))},
                          {verdict, ToneOf(verdict)},
                          {pair.GetString("evidence", "")},
                          {gate == nullptr ? "" : gate->GetString("state", "")}});
  }
  return {.id = "", .title = "Faster or slower", .blocks = {table}};
}

std::string Gain(const Json& rung, const std::string& prefix) {
  if (!rung.Has(prefix + "gain")) return "";
  return fmt::format("{:.2f}× ({:.2f} – {:.2f})", rung.GetNumber(prefix + "gain"),
                     rung.GetNumber(prefix + "gain_low"), rung.GetNumber(prefix + "gain_high"));
}

Table LadderTable(const Json& ladder, std::span<const Json> runs) {
  Table table{
      .caption = fmt::format("Batch {}; gains over the first rung and over the one that a "
                             "rung changes, with 95 % intervals, of settings timed in turns.",
                             ladder.GetInt("batch")),
      .columns = {{"rung"},
                  {"ms per picture", true},
                  {"pictures per second", true},
                  {"gain", true},
                  {"over"},
                  {"gain over that", true},
                  {"verdict"},
                  {"published gain", true}}};
  const auto rungs = ladder.GetArray("rungs").items();
  for (const Json& rung : rungs) {
    const auto at = static_cast<size_t>(rung.GetInt("run"));
    const auto below = static_cast<size_t>(rung.GetInt("over"));
    if (at >= runs.size() || below >= rungs.size()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: there is no such run", rung.Where("run")));
    }
    const double per_s = runs[at].GetNumber("throughput_per_s", 0);
    const std::string verdict = rung.GetString("over_verdict", per_s > 0 ? "" : "failed");
    table.rows.push_back(
        {{rung.GetString("name")},
         {per_s > 0 ? fmt::format("{:.2f}", 1000 / per_s) : "–"},
         {per_s > 0 ? ShortNumber(per_s) : "–"},
         {Gain(rung, "")},
         {rung.Has("over_gain") ? rungs[below].GetString("name") : ""},
         {Gain(rung, "over_")},
         {verdict, verdict.empty() ? ReportTone::kPlain : ToneOf(verdict)},
         {rung.Has("published_gain") ? fmt::format("{:.2f}×", rung.GetNumber("published_gain"))
                                     : ""}});
  }
  return table;
}

Section LaddersSection(const Json& content, const Json& ladders) {
  Section section{.id = "", .title = "Ladder of settings", .blocks = {}};
  for (const Json& ladder : ladders.items()) {
    section.blocks.push_back(LadderTable(ladder, content.GetArray("runs").items()));
  }
  return section;
}

Table DetectionTable(const std::vector<BenchRun>& runs) {
  Table table{.caption = "Finding the objects in the network's maps, and its share of both.",
              .columns = {{"setting"},
                          {"batch", true},
                          {"objects per picture", true},
                          {"median ms", true},
                          {"share", true}}};
  for (const BenchRun& run : runs) {
    const Json* detection = Member(run.json, "detection");
    if (detection == nullptr) continue;
    table.rows.push_back({{run.setting},
                          {run.batch},
                          {ShortNumber(detection->GetNumber("objects_per_picture"))},
                          {Milliseconds(*detection, "median_ms")},
                          {fmt::format("{:.2f} %", 100 * detection->GetNumber("share"))}});
  }
  return table;
}

void JudgeGates(const Json& pairs, ReportPart& part) {
  for (const Json& pair : pairs.items()) {
    const Json* gate = Member(pair, "gate");
    if (gate == nullptr) continue;
    const ReportVerdict finding = VerdictOf(gate->GetString("state", ""));
    if (finding > part.finding) {
      part.finding = finding;
      part.reasons.clear();
    }
    if (finding == part.finding && finding != ReportVerdict::kPassed) {
      part.reasons.push_back(gate->GetString("why", ""));
    }
  }
}

// Every node against what the machine can do at its best: the slanted line is its memory, the
// level one its multiplications (Williams, Waterman and Patterson, 2009).
Figure RooflineFigure(const Json& profile, const Json& peaks, const std::string& setting) {
  Figure figure{.plot = {.title = fmt::format("Roofline, {}", setting),
                         .x = {.label = "FLOP per byte", .logarithmic = true},
                         .y = {.label = "GFLOP/s", .logarithmic = true},
                         .series = {{.name = "nodes", .mark = PlotMark::kDots}}},
                .caption = "Each dot is a node; the lines are this machine's measured peaks."};
  double least = 1, most = 1;
  bool bf16 = false;
  for (const Json& node : profile.GetArray("nodes").items()) {
    const double flops = node.GetNumber("flops", 0), bytes = node.GetNumber("bytes", 0);
    if (flops <= 0 || bytes <= 0) continue;
    bf16 |= node.GetString("dtype", "") == "bf16";
    const double intensity = flops / bytes;
    least = std::min(least, intensity);
    most = std::max(most, intensity);
    const double gflops = node.GetNumber("gflops", 0);
    figure.plot.series[0].points.push_back(
        {.x = intensity,
         .y = gflops,
         .label = fmt::format("{}: {} GFLOP/s", node.GetString("name"), ShortNumber(gflops))});
  }
  const auto roof = [&](std::string_view key, const std::string& name) {
    const double peak = peaks.GetNumber(key, 0), bandwidth = peaks.GetNumber("gb_per_s", 0);
    if (peak <= 0 || bandwidth <= 0) return;
    const double ridge = peak / bandwidth;
    PlotSeries line{.name = name};
    if (least < ridge) line.points.push_back({least, least * bandwidth});
    line.points.push_back({ridge, peak, fmt::format("{}: {} GFLOP/s", name, ShortNumber(peak))});
    if (most > ridge) line.points.push_back({most, peak});
    figure.plot.series.push_back(std::move(line));
  };
  roof("f32_gflops", "f32 peak");
  if (bf16) roof("bf16_gflops", "bf16 peak");
  return figure;
}

Table OpsTable(const Json& profile) {
  Table table{.caption = "Time by kind of op; the shares are of the machine's measured peaks.",
              .columns = {{"op"},
                          {"numbers"},
                          {"count", true},
                          {"ms", true},
                          {"share", true},
                          {"GFLOP/s", true},
                          {"of compute", true},
                          {"of memory", true}}};
  const auto percent = [](const Json& op, std::string_view key) {
    return fmt::format("{:.1f} %", 100 * op.GetNumber(key, 0));
  };
  for (const Json& op : profile.GetArray("ops").items()) {
    table.rows.push_back({{op.GetString("op")},
                          {op.GetString("dtype", "")},
                          {std::to_string(op.GetInt("count", 0))},
                          {fmt::format("{:.3f}", op.GetNumber("ms", 0))},
                          {percent(op, "share")},
                          {ShortNumber(op.GetNumber("gflops", 0))},
                          {percent(op, "compute_share")},
                          {percent(op, "memory_share")}});
  }
  return table;
}

void AddProfile(const std::vector<BenchRun>& runs, ReportPart& part) {
  for (const BenchRun& run : runs) {
    const Json* profile = Member(run.json, "profile");
    const Json* peaks = profile == nullptr ? nullptr : Member(*profile, "peaks");
    if (peaks == nullptr) continue;
    const std::string place = fmt::format("{}, batch {}", run.setting, run.batch);
    Section section{.id = "", .title = "Where the time goes", .remark = place};
    section.blocks.push_back(RooflineFigure(*profile, *peaks, place));
    section.blocks.push_back(OpsTable(*profile));
    section.blocks.push_back(BulletList{profile->GetStrings("wasteful")});
    part.sections.push_back(std::move(section));
  }
}

}  // namespace

ReportPart BenchPart(const ResultFile& file) {
  ReportPart part;
  const std::vector<BenchRun> runs = MeasuredRuns(file.content);
  Section section{
      .id = "", .title = "Speed and memory", .remark = file.content.GetString("model", "")};
  section.blocks.push_back(LatencyTable(runs));
  if (runs.size() > 1) section.blocks.push_back(ThroughputFigure(runs));
  for (size_t i = 0; i < std::min(runs.size(), kMaxHistograms); ++i) {
    if (runs[i].json.Has("samples_ms")) section.blocks.push_back(LatencyFigure(runs[i]));
  }
  section.blocks.push_back(Remarks(file.content, runs));
  if (Table detection = DetectionTable(runs); !detection.rows.empty()) {
    section.blocks.push_back(std::move(detection));
  }
  part.figures = KeyFiguresOf(runs);
  part.sections.push_back(std::move(section));
  if (const Json* ladders = Member(file.content, "ladders"); ladders && ladders->size() > 0) {
    part.sections.push_back(LaddersSection(file.content, *ladders));
  }
  if (const Json* pairs = Member(file.content, "comparisons"); pairs && pairs->size() > 0) {
    part.sections.push_back(PairsSection(*pairs));
    JudgeGates(*pairs, part);
  }
  AddProfile(runs, part);
  part.facts = Manifest(file.content);
  part.command = CommandOf(file.content);
  return part;
}

}  // namespace vernier
