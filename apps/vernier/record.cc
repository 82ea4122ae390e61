#include "record.h"

#include "core/bytes_text.h"
#include "core/interrupt.h"
#include "fed_inputs.h"
#include "io/image_paths.h"
#include "proof_flags.h"
#include "session_flags.h"
#include "verify/bundle.h"
#include "verify/setting.h"
#include "vernier/error.h"

namespace vernier {
namespace {

struct RecordVerbOptions {
  ProofFlags proof;
  std::string setting;
  std::string out;
  std::vector<std::string> taps;
  std::string taps_dtype = "f32";
};

std::vector<Flag> RecordFlags(RecordVerbOptions& options) {
  std::vector<Flag> flags = ProofFlagTable(options.proof);
  flags.push_back({.name = "--setting",
                   .metavar = "WORDS",
                   .section = "Running",
                   .help = "How to run, as in device=cpu,dtype=bf16.",
                   .target = &options.setting,
                   .default_text = "device=cpu,dtype=f32"});
  flags.push_back({.name = "--out",
                   .metavar = "FILE",
                   .section = "Output",
                   .help = "The bundle to write.",
                   .target = &options.out,
                   .completion = Completion::kFile,
                   .required = true,
                   .writes = true});
  flags.push_back({.name = "--taps",
                   .metavar = "GLOB",
                   .section = "Output",
                   .help = "Values to keep, by name or alias; repeats.",
                   .target = &options.taps,
                   .default_text = "every module's output"});
  flags.push_back({.name = "--taps-dtype",
                   .metavar = "TYPE",
                   .section = "Output",
                   .help = "How values are stored; bf16 halves the file and rounds.",
                   .target = &options.taps_dtype,
                   .choices = {"f32", "bf16"}});
  return flags;
}

Outcome RunRecord(const RecordVerbOptions& options, Terminal& terminal) {
  RecordRequest request;
  request.options = ToSessionOptions(options.proof);
  if (!options.setting.empty()) request.options = ApplySetting(options.setting, request.options);
  if (request.options.model.empty()) {
    throw Error(ErrorKind::kUsage, "record needs a model to run", "give --model DIR");
  }
  request.images = ExpandImagePaths(options.proof.images);
  request.headers = {.questions = options.proof.prompts, .images = options.proof.header_images};
  request.inputs = ReadFedInputs(options.proof.inputs);
  if (request.images.empty() && request.inputs.empty()) {
    throw Error(ErrorKind::kUsage, "record has nothing to run on",
                "give --image FILE… or --input NAME=FILE.npy, or both");
  }
  request.max_new_tokens = options.proof.max_new_tokens;
  request.taps = options.taps;
  request.taps_dtype = options.taps_dtype == "bf16" ? DType::kBF16 : DType::kF32;
  request.cancel = &InterruptFlag();
  const RecordedBundle recorded = RecordBundle(request, options.out);
  ShowWarnings(recorded.warnings, terminal);
  terminal.Print("{}: {} tensors, {}\n", options.out, recorded.tensors, BytesText(recorded.bytes));
  return {};
}

}  // namespace

Verb RecordVerb() {
  return {
      .name = "record",
      .summary = "keep a run as evidence in one file",
      .description =
          "Runs a model and packs its inputs, values, hashes and environment into one file, "
          "which vernier compare takes as the reference on another machine.",
      .examples =
          {{"vernier record --model vit-base --image cat.jpg --out run.vb",
            "every module's output"},
           {"vernier record --model vit-base --image cat.jpg --taps '*.output' --taps-dtype bf16 "
            "--out run.vb",
            "chosen values at half the size"}},
      .start = Starter(RecordFlags, RunRecord)};
}

}  // namespace vernier
