#include "run_options.h"

#include "core/parallel.h"

namespace vernier {
namespace {

std::vector<Flag> InputFlags(RunVerbOptions& options) {
  return {{.name = "--image",
           .metavar = "FILE",
           .section = "Input",
           .help = "Pictures: files (PDF too), folders with all below, patterns; repeats.",
           .target = &options.images,
           .completion = Completion::kFile},
          {.name = "--pages",
           .metavar = "LIST",
           .section = "Input",
           .help = "Pages of PDF and TIFF files, such as 1-3,7 or 5-.",
           .target = &options.pages,
           .default_text = "all for models that read conversations, else the first"},
          {.name = "--input",
           .metavar = "NAME=F.npy",
           .section = "Input",
           .help = "Feed a tensor under its published name instead of pictures; repeats.",
           .target = &options.inputs,
           .completion = Completion::kFile},
          {.name = "--batch",
           .metavar = "N",
           .section = "Input",
           .help = "Pictures per run.",
           .target = &options.batch,
           .unit = "pictures",
           .least = 1},
          {.name = "--prompt",
           .metavar = "TEXT",
           .section = "Input",
           .help = "Question about the pictures: one for all, or one for each in their order; "
                   "repeats.",
           .target = &options.prompts},
          {.name = "--header-image",
           .metavar = "PNG",
           .section = "Pictures",
           .help = "Pix2Struct: a ready picture of the question instead of --prompt; repeats.",
           .target = &options.header_images,
           .completion = Completion::kFile},
          {.name = "--max-image-pixels",
           .metavar = "N",
           .section = "Pictures",
           .help = "Refuse pictures beyond this as decompression bombs.",
           .target = &options.max_image_pixels,
           .unit = "pixels",
           .default_text = "178956970 pixels, as Pillow",
           .least = 1}};
}

std::vector<Flag> ResultFlags(RunVerbOptions& options) {
  return {
      {.name = "--labels",
       .metavar = "",
       .section = "Results",
       .help = "Ask for labels; without it they are shown where the checkpoint has a head.",
       .target = &options.labels},
      {.name = "--top-k",
       .metavar = "N",
       .section = "Results",
       .help = "Labels to show per picture; with --do-sample, likeliest tokens to draw from.",
       .target = &options.top_k,
       .default_text = "5 labels, or the checkpoint's tokens",
       .least = 1},
      {.name = "--allow-random-head",
       .metavar = "",
       .section = "Results",
       .help = "With --labels: make up a head where the checkpoint has none; its labels mean "
               "nothing.",
       .target = &options.allow_random_head},
      {.name = "--seed",
       .metavar = "N",
       .section = "Results",
       .help = "Seed of a made-up head and of --do-sample.",
       .target = &options.seed,
       .least = 0},
      {.name = "--embedding",
       .metavar = "KIND",
       .section = "Results",
       .help = "One vector per picture: the class token, the mean of the patches, or none.",
       .target = &options.embedding,
       .choices = {"cls", "mean", "none"}},
      {.name = "--similarity",
       .metavar = "",
       .section = "Results",
       .help = "Show the cosines between the pictures' embeddings.",
       .target = &options.similarity},
      {.name = "--out",
       .metavar = "FILE",
       .section = "Results",
       .help =
           "Write the embeddings (features with --embedding none) to a .npy, or all outputs "
           "to a .safetensors file. Objects: a .png with them drawn in and a .json beside it, a "
           ".json for all pictures, or a folder for both of each.",
       .target = &options.out,
       .completion = Completion::kFile,
       .writes = true},
      {.name = "--score-threshold",
       .metavar = "X",
       .section = "Results",
       .help = "Leave out objects that score lower.",
       .target = &options.score_threshold,
       .default_text = "the checkpoint's, on its own scale"},
      {.name = "--max-detections",
       .metavar = "N",
       .section = "Results",
       .help = "Objects to keep of a picture, the best.",
       .target = &options.max_detections,
       .unit = "objects",
       .default_text = "the checkpoint's",
       .least = 1},
      {.name = "--log-probs",
       .metavar = "",
       .section = "Results",
       .help = "Write the log-probability of each token that was generated to --json.",
       .target = &options.log_probs},
      {.name = "--json",
       .metavar = "FILE",
       .section = "Results",
       .help = "Write all results as JSON; - is standard output.",
       .target = &options.json,
       .completion = Completion::kFile,
       .writes = true}};
}

std::vector<Flag> InsightFlags(RunVerbOptions& options) {
  return {{.name = "--dump",
           .metavar = "DIR",
           .section = "Insight",
           .help = "Write every module's output as .npy with a manifest; holds one batch.",
           .target = &options.dump,
           .completion = Completion::kFolder,
           .writes = true},
          {.name = "--dump-filter",
           .metavar = "GLOB",
           .section = "Insight",
           .help = "Dump only values with such a name or alias; repeats.",
           .target = &options.dump_filter},
          {.name = "--placement",
           .metavar = "",
           .section = "Insight",
           .help = "Show the device, instruction set and kernel of every node.",
           .target = &options.placement},
          {.name = "--print-graph",
           .metavar = "FORM",
           .section = "Insight",
           .help = "Print the graph that runs and stop, as text or for Graphviz.",
           .target = &options.print_graph,
           .choices = {"text", "dot"}},
          {.name = "--list-passes",
           .metavar = "",
           .section = "Insight",
           .help = "List the graph passes, in running order, and stop.",
           .target = &options.list_passes,
           .stands_alone = true}};
}

}  // namespace

std::vector<Flag> RunFlags(RunVerbOptions& options) {
  std::vector<Flag> flags = InputFlags(options);
  const auto add = [&](const std::vector<Flag>& more) {
    flags.insert(flags.end(), more.begin(), more.end());
  };
  add(ChatFlagTable(options.chat));
  add(PictureFlagTable(options.pictures));
  add(SessionFlagTable(options.session));
  add({{.name = "--dtype",
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
        .most = kMostThreads}});
  add(ResultFlags(options));
  add(GenerationFlagTable(options.generation));
  add(InsightFlags(options));
  return flags;
}

SessionOptions ToSessionOptions(const RunVerbOptions& options) {
  SessionOptions session = ToSessionOptions(options.session);
  session.dtype = options.dtype;
  session.threads = static_cast<int>(options.threads);
  Apply(options.pictures, session);
  session.max_image_pixels = options.max_image_pixels;
  // A dump shows the attention of every location, as the published exports have it.
  session.dense_top_features = !options.dump.empty();
  session.labels = options.labels || options.allow_random_head;
  session.allow_random_head = options.allow_random_head;
  session.seed = static_cast<uint64_t>(options.seed);
  return session;
}

}  // namespace vernier
