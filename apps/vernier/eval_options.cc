#include "eval_options.h"

#include "core/parallel.h"

namespace vernier {
namespace {

std::vector<Flag> SetFlags(EvalVerbOptions& options) {
  return {{.name = "--data",
           .metavar = "PATH",
           .section = "Set",
           .help = "A folder with a folder of pictures per class, a .csv, a .jsonl, ChartQA's "
                   "folder or .json, or a .json of COCO's instances.",
           .target = &options.data,
           .completion = Completion::kFile,
           .required = true},
          {.name = "--task",
           .metavar = "NAME",
           .section = "Set",
           .help = "Compare labels, search by embeddings, compare texts, or find objects.",
           .target = &options.task,
           .default_text = "what model and set fit",
           .choices = {"auto", "classify", "retrieve", "answer", "detect"}},
          {.name = "--metrics",
           .metavar = "NAME",
           .section = "Set",
           .help = "Show only this metric; repeats. Retrieval has recall@k for every k.",
           .target = &options.metrics,
           .default_text = "all of the task"},
          {.name = "--max-samples",
           .metavar = "N",
           .section = "Set",
           .help = "Use the first samples only.",
           .target = &options.max_samples,
           .unit = "samples",
           .default_text = "all",
           .least = 1},
          {.name = "--failed",
           .metavar = "HOW",
           .section = "Set",
           .help = "Samples that cannot be used: skip leaves them out of the metrics and no gate "
                   "passes, wrong counts them as wrong answers.",
           .target = &options.failed,
           .choices = {"skip", "wrong"}}};
}

std::vector<Flag> ComputingFlags(EvalVerbOptions& options) {
  return {{.name = "--dtype",
           .metavar = "TYPE",
           .section = "Computing",
           .help = "Numbers to compute in; sums are always f32. int8: bf16 with weights in 8 bits.",
           .target = &options.dtype,
           .choices = {"f32", "bf16", "int8"}},
          {.name = "--threads",
           .metavar = "N",
           .section = "Computing",
           .help = "Threads to use.",
           .target = &options.threads,
           .unit = "threads",
           .default_text = "all that this process may use",
           .least = 1,
           .most = kMostThreads},
          {.name = "--batch",
           .metavar = "N",
           .section = "Computing",
           .help = "Samples per run.",
           .target = &options.batch,
           .unit = "samples",
           .least = 1}};
}

std::vector<Flag> ModelFlags(EvalVerbOptions& options) {
  return {{.name = "--embedding",
           .metavar = "KIND",
           .section = "Pictures",
           .help = "Retrieval: the class token, or the mean of the patches.",
           .target = &options.embedding,
           .choices = {"cls", "mean"}},
          {.name = "--allow-random-head",
           .metavar = "",
           .section = "Pictures",
           .help = "Make up a head where the checkpoint has none; its labels mean nothing.",
           .target = &options.allow_random_head},
          {.name = "--seed",
           .metavar = "N",
           .section = "Pictures",
           .help = "Seed of a made-up head.",
           .target = &options.seed,
           .least = 0}};
}

std::vector<Flag> ResultFlags(EvalVerbOptions& options) {
  return {
      {.name = "--out",
       .metavar = "FILE",
       .section = "Results",
       .help = "Write each sample's result as it comes, as JSON lines. The same command goes on "
               "where it stopped.",
       .target = &options.out,
       .completion = Completion::kFile,
       .writes = true},
      {.name = "--baseline",
       .metavar = "FILE",
       .section = "Results",
       .help = "Compare with an earlier run's --out: answers against its answers, and whether "
               "the metrics moved.",
       .target = &options.baseline,
       .completion = Completion::kFile},
      {.name = "--gate",
       .metavar = "NAME>=V",
       .section = "Results",
       .help = "Demand of a metric, such as 'top1>=97%' or 'baseline.rouge_l>=1'; repeats.",
       .target = &options.gates},
      {.name = "--json",
       .metavar = "FILE",
       .section = "Results",
       .help = "Write the summary as JSON; - is standard output.",
       .target = &options.json,
       .completion = Completion::kFile,
       .writes = true}};
}

}  // namespace

std::vector<Flag> EvalFlags(EvalVerbOptions& options) {
  std::vector<Flag> flags = SessionFlagTable(options.session);
  for (const auto& more :
       {SetFlags(options), ComputingFlags(options), PictureFlagTable(options.pictures),
        ModelFlags(options), GenerationFlagTable(options.generation), ResultFlags(options)}) {
    flags.insert(flags.end(), more.begin(), more.end());
  }
  return flags;
}

SessionOptions ToSessionOptions(const EvalVerbOptions& options) {
  SessionOptions session = ToSessionOptions(options.session);
  session.dtype = options.dtype;
  session.threads = static_cast<int>(options.threads);
  Apply(options.pictures, session);
  session.labels = options.allow_random_head;
  session.allow_random_head = options.allow_random_head;
  session.seed = static_cast<uint64_t>(options.seed);
  return session;
}

}  // namespace vernier
