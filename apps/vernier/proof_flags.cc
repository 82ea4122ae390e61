#include "proof_flags.h"

#include "core/parallel.h"

namespace vernier {

std::vector<Flag> ProofFlagTable(ProofFlags& flags) {
  return {{.name = "--model",
           .metavar = "DIR",
           .section = "Running",
           .help = "Folder of the checkpoint that is run.",
           .target = &flags.model,
           .completion = Completion::kFolder},
          {.name = "--image",
           .metavar = "FILE",
           .section = "Running",
           .help = "Pictures to run on: files, folders with all below, patterns; repeats.",
           .target = &flags.images,
           .completion = Completion::kFile},
          {.name = "--input",
           .metavar = "NAME=F.npy",
           .section = "Running",
           .help = "Feed a tensor under its published name instead of pictures; repeats.",
           .target = &flags.inputs,
           .completion = Completion::kFile},
          {.name = "--prompt",
           .metavar = "TEXT",
           .section = "Running",
           .help = "Question about the pictures: one for all, or one for each; repeats.",
           .target = &flags.prompts},
          {.name = "--header-image",
           .metavar = "PNG",
           .section = "Running",
           .help = "Pix2Struct: a ready picture of the question instead of --prompt; repeats.",
           .target = &flags.header_images,
           .completion = Completion::kFile},
          {.name = "--threads",
           .metavar = "N",
           .section = "Running",
           .help = "Threads to use.",
           .target = &flags.threads,
           .unit = "threads",
           .default_text = "all that this process may use",
           .least = 1,
           .most = kMostThreads},
          {.name = "--max-patches",
           .metavar = "N",
           .section = "Running",
           .help = "Pix2Struct: patches that a picture is cut into at most.",
           .target = &flags.max_patches,
           .unit = "patches",
           .default_text = "the checkpoint's",
           .least = 1},
          {.name = "--max-new-tokens",
           .metavar = "N",
           .section = "Running",
           .help = "Tokens of the reference's answer that a decoder is fed with at most, where no "
                   "--input decoder_input_ids=F.npy says which.",
           .target = &flags.max_new_tokens,
           .unit = "tokens",
           .default_text = "the checkpoint's",
           .least = 1}};
}

SessionOptions ToSessionOptions(const ProofFlags& flags) {
  SessionOptions options;
  options.model = flags.model;
  options.threads = static_cast<int>(flags.threads);
  options.max_patches = flags.max_patches;
  return options;
}

}  // namespace vernier
