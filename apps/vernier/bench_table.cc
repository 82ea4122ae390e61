#include "bench_table.h"

#include <algorithm>

#include "core/bytes_text.h"

namespace vernier {
namespace {

constexpr size_t kMostNodes = 20;  // of the longest; all of them are in the JSON

std::string GroupTitle(const Configuration& c) {
  std::string title = fmt::format("{}, {} thread{}", c.dtype, c.threads, c.threads == 1 ? "" : "s");
  if (c.streams > 1) title += fmt::format(" in {} streams", c.streams);
  if (c.parallel_branches) title += ", branches in parallel";
  if (c.dense_top_features) title += ", dense top features";
  return title + (c.height > 0 ? fmt::format(", {}x{}", c.height, c.width) : "");
}

// Wrapped by words at 80 columns, continued lines further in.
void Sentence(std::string_view text, Terminal& terminal, size_t indent = 0) {
  constexpr size_t kWidth = 80;
  std::string line(indent, ' ');
  bool first_word = true;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (!first_word && line.size() + 1 + word.size() > kWidth) {
      terminal.Print("{}\n", line);
      line = std::string(indent + 4, ' ');
      first_word = true;
    }
    line += fmt::format("{}{}", first_word ? "" : " ", word);
    first_word = false;
    begin = end + 1;
  }
  terminal.Print("{}\n", line);
}

void PrintWork(const std::string& name, const WorkShare& work, Terminal& terminal) {
  terminal.Print("{:<34}{:>9}{:>7.1f}{:>8.1f}{:>8.1f}{:>7.0f}{:>7.0f}\n", name, MsText(work.ms),
                 100 * work.share, work.gflops, work.gb_per_s, 100 * work.compute_share,
                 100 * work.memory_share);
}

// The end of a name says more than its beginning.
std::string Shortened(const std::string& name, size_t width) {
  return name.size() <= width ? name : "…" + name.substr(name.size() - width + 1);
}

// "20 samples, 10.1 to 12.3 ms, 1 outlier kept, steady after 12 warm-up runs"; after few runs
// nobody can say whether it was.
std::string SamplesText(const Measurement& run) {
  const Summary& s = run.summary;
  const WarmUp& warm_up = run.timing.warm_up;
  std::string text =
      fmt::format("{} samples, {} to {} ms, ", s.count, MsText(s.min), MsText(s.max));
  if (const size_t outliers = s.outliers.low + s.outliers.high; outliers > 0) {
    text += fmt::format("{} outlier{} kept, ", outliers, outliers == 1 ? "" : "s");
  }
  const char* words = warm_up.steadiness == Steadiness::kSteady       ? "steady "
                      : warm_up.steadiness == Steadiness::kNotReached ? "steadiness not reached "
                                                                      : "";
  return text +
         fmt::format("{}after {} warm-up run{}", words, warm_up.runs, warm_up.runs == 1 ? "" : "s");
}

// "32 tokens: the first after 120.0 ms (p99 130.0), then 10.0 each (p99 12.0); 180 tokens/s".
std::string GenerationText(const GenerationTiming& g) {
  std::string text = fmt::format("{} new token{}: the first after {} ms (p99 {})", g.new_tokens,
                                 g.new_tokens == 1 ? "" : "s", MsText(g.first_token_ms.median),
                                 MsText(g.first_token_ms.p99));
  if (g.inter_token_ms.count > 0) {
    text += fmt::format(", then {} each (p99 {}), {:.1f} tokens/s", MsText(g.inter_token_ms.median),
                        MsText(g.inter_token_ms.p99), g.decode_tokens_per_s);
  }
  text += fmt::format("; {:.1f} tokens/s over whole runs, {} ms to encode", g.tokens_per_s,
                      MsText(g.encode_ms.median));
  if (g.memory_gb_per_s.empty()) return text;
  return text + fmt::format("; memory gave {:.1f} GB/s after the runs", Median(g.memory_gb_per_s));
}

// "then 1.23 ms to find 100 objects a picture: 0.6 % of network and this together".
std::string DetectionText(const DetectionTiming& detection) {
  return fmt::format(
      "then {} ms to find {:.0f} objects a picture: {:.1f} % of network and this "
      "together",
      MsText(detection.ms.median), detection.objects_per_picture, 100 * detection.share);
}

// Certified bounds of the 90th and 99th percentile, or the samples that they need.
std::string BoundsText(const std::vector<CertifiedPercentile>& certified) {
  std::string bounds, needs;
  for (const CertifiedPercentile& bound : certified) {
    if (bound.percent != 90 && bound.percent != 99) continue;
    if (bound.at_most_ms) {
      bounds += (bounds.empty() ? "" : ", ") + InWords(bound);
    } else {
      needs += fmt::format("{}{} more samples for p{:g}",
                           needs.empty() ? "a certified bound needs " : ", ", bound.more_samples,
                           bound.percent);
    }
  }
  return bounds + (bounds.empty() || needs.empty() ? "" : "; ") + needs;
}

}  // namespace

std::string MsText(double ms) {
  if (ms < 1) return fmt::format("{:.4f}", ms);
  if (ms < 10) return fmt::format("{:.3f}", ms);
  return ms < 1000 ? fmt::format("{:.2f}", ms) : fmt::format("{:.1f}", ms);
}

void PrintGroup(const Measurement& first, Terminal& terminal) {
  terminal.Print("\n{}; loaded in {} ms\n", GroupTitle(first.configuration), MsText(first.load_ms));
  terminal.Print("{:>5}{:>9}{:>10}{:>18}{:>9}{:>9}{:>10}{:>10}\n", "batch", "first", "median",
                 "95 % interval", "p90", "p99", "images/s", "peak RSS");
}

void PrintRow(const Measurement& measured, Terminal& terminal) {
  if (measured.error) {
    Sentence(fmt::format("failed: {}: {}", InWords(measured.configuration),
                         Printable(measured.error->message())),
             terminal);
  } else {
    const Summary& s = measured.summary;
    terminal.Print(
        "{:>5}{:>9}{:>10}{:>18}{:>9}{:>9}{:>10.2f}{:>10}\n", measured.configuration.batch,
        MsText(measured.timing.first_run_ms), MsText(s.median),
        fmt::format("{} to {}", MsText(s.median_interval.low), MsText(s.median_interval.high)),
        MsText(s.p90), MsText(s.p99), measured.throughput_per_s(),
        BytesText(measured.memory.peak_rss_bytes));
  }
  terminal.Flush();
}

void PrintNotes(std::span<const Measurement> runs, Terminal& terminal) {
  terminal.Print("\n");
  for (const Measurement& run : runs) {
    if (run.error) continue;
    Sentence(fmt::format("{}: {}", InWords(run.configuration), SamplesText(run)), terminal);
    if (run.generation) Sentence(GenerationText(*run.generation), terminal, 4);
    if (run.detection) Sentence(DetectionText(*run.detection), terminal, 4);
    Sentence(BoundsText(run.certified), terminal, 4);
    if (run.scenario) Sentence(InWords(*run.scenario), terminal, 4);
  }
}

void PrintProfile(const Measurement& measured, Terminal& terminal) {
  const Profile& profile = *measured.profile;
  const Peaks& peaks = profile.peaks;
  terminal.Print("\n");
  Sentence(fmt::format("Profile of {}: {} ms a run ({} runs), of it {} between nodes",
                       InWords(measured.configuration), MsText(profile.run_ms), profile.runs,
                       MsText(profile.between_ms)),
           terminal);
  if (measured.generation) {
    Sentence("A run is the encoding of a batch and the first step of its answers.", terminal);
  }
  Sentence(fmt::format("Peaks measured here ({}, {} thread{}): {:.0f} GFLOP/s f32, {:.0f} bf16, "
                       "{:.1f} GB/s",
                       peaks.isa, peaks.threads, peaks.threads == 1 ? "" : "s", peaks.f32_gflops,
                       peaks.bf16_gflops, peaks.gb_per_s),
           terminal);
  const auto heading = [&](const char* what) {
    terminal.Print("\n{:<34}{:>9}{:>7}{:>8}{:>8}{:>7}{:>7}\n", what, "ms", "% run", "GFLOP/s",
                   "GB/s", "% comp", "% mem");
  };
  if (profile.parts.size() > 1) {
    heading("part of the model");
    for (const PartProfile& part : profile.parts) {
      PrintWork(fmt::format("{} ({})", part.part, part.count), part.work, terminal);
    }
  }
  heading("kind of node");
  for (const OpProfile& op : profile.ops) {
    PrintWork(fmt::format("{} {} ({})", op.op, op.dtype, op.count), op.work, terminal);
  }
  heading("longest nodes");
  std::vector<const NodeProfile*> order;
  for (const NodeProfile& node : profile.nodes) order.push_back(&node);
  std::ranges::stable_sort(order, std::greater(),
                           [](const NodeProfile* node) { return node->work.ms; });
  order.resize(std::min(order.size(), kMostNodes));
  for (const NodeProfile* node : order) {
    PrintWork(Shortened(node->node.name, 33), node->work, terminal);
  }
  terminal.Print("\nMost time above what the machine needs:\n");
  for (const std::string& sentence : profile.wasteful) Sentence("- " + sentence, terminal);
}

void PrintComparison(const SpeedComparison& comparison, Terminal& terminal) {
  terminal.Print("\n");
  Sentence(fmt::format("A: {}: median {} ms", comparison.a, MsText(comparison.a_median_ms)),
           terminal);
  Sentence(fmt::format("B: {}: median {} ms", comparison.b, MsText(comparison.b_median_ms)),
           terminal);
  Sentence(InWords(comparison.ratio), terminal);
  if (comparison.evidence != Evidence::kAlternating) {
    Sentence(
        fmt::format("Weaker evidence: A was measured at another time{}; --a and --b time both "
                    "alternately.",
                    comparison.evidence == Evidence::kOtherMachine ? " on another machine" : ""),
        terminal);
  }
  if (comparison.same_outputs.has_value()) {
    terminal.Print("Outputs: {}\n", *comparison.same_outputs ? "the same bytes" : "different");
  }
  if (comparison.gate) {
    Sentence(fmt::format("Gate {}: {}", Name(comparison.gate->state), comparison.gate->why),
             terminal);
  }
}

}  // namespace vernier
