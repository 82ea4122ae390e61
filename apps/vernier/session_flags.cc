#include "session_flags.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "vernier/error.h"

namespace vernier {
namespace {

constexpr int64_t kLargestSide = 16384;

int64_t ParseSide(std::string_view text, std::string_view whole) {
  int64_t side = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  if (error != std::errc() || end != text.data() + text.size() || side < 1 || side > kLargestSide) {
    throw Error(ErrorKind::kUsage,
                fmt::format("--size: expected PIXELS or HEIGHTxWIDTH of 1 to {}, found '{}'",
                            kLargestSide, whole.substr(0, 40)));
  }
  return side;
}

std::pair<int64_t, int64_t> ParseSize(std::string_view text) {
  const size_t cross = text.find('x');
  if (cross == std::string_view::npos) {
    const int64_t side = ParseSide(text, text);
    return {side, side};
  }
  return {ParseSide(text.substr(0, cross), text), ParseSide(text.substr(cross + 1), text)};
}

}  // namespace

std::vector<Flag> SessionFlagTable(SessionFlags& flags) {
  return {
      {.name = "--model",
       .metavar = "DIR",
       .section = "Model",
       .help = "Folder of a checkpoint as published, or a weights file that needs no config.",
       .target = &flags.model,
       .completion = Completion::kFolder,
       .required = true},
      {.name = "--config",
       .metavar = "FILE",
       .section = "Model",
       .help =
           "Configuration to use instead of the folder's own: config.json, or AdelaiDet's yaml.",
       .target = &flags.config,
       .default_text = "the checkpoint's",
       .completion = Completion::kFile},
      {.name = "--size",
       .metavar = "HxW",
       .section = "Model",
       .help = "Size of the pictures that the model gets, as PIXELS or HEIGHTxWIDTH.",
       .target = &flags.size,
       .default_text = "the checkpoint's"},
      {.name = "--interpolate-pos-encoding",
       .metavar = "",
       .section = "Model",
       .help = "ViT: accept other sizes than the trained one by resampling the position table.",
       .target = &flags.interpolate},
      {.name = "--semantics",
       .metavar = "NAME",
       .section = "Model",
       .help = "Perception Encoder: whose behaviour away from the trained size.",
       .target = &flags.semantics,
       .default_text = "as the checkpoint is laid out",
       .choices = {"original", "timm"}},
      {.name = "--device",
       .metavar = "NAME",
       .section = "Computing",
       .help = "What computes; ref is the slow definition, cuda and ascend are not built in.",
       .target = &flags.device,
       .choices = {"cpu", "cuda", "ascend", "ref"}},
      {.name = "--isa",
       .metavar = "NAME",
       .section = "Computing",
       .help = "Highest instruction set to use; vernier doctor lists those of this machine.",
       .target = &flags.isa,
       .default_text = "the best there is",
       .choices = {"scalar", "avx2", "avx512", "avx512_bf16", "amx", "neon"}},
      {.name = "--precision-file",
       .metavar = "FILE",
       .section = "Computing",
       .help = "Which nodes compute at which numbers, by name; goes before --dtype.",
       .target = &flags.precision_file,
       .completion = Completion::kFile},
      {.name = "--no-onednn",
       .metavar = "",
       .section = "Computing",
       .help = "Use only vernier's own kernels.",
       .target = &flags.no_onednn},
      {.name = "--winograd",
       .metavar = "WHERE",
       .section = "Computing",
       .help =
           "3x3 convolutions by Winograd's form: where it is faster, wherever it fits, or never.",
       .target = &flags.winograd,
       .choices = {"auto", "always", "never"}},
      {.name = "--disable-pass",
       .metavar = "NAME",
       .section = "Computing",
       .help = "Leave out a graph pass; vernier run --list-passes names them.",
       .target = &flags.disabled_passes}};
}

SessionFlags SessionFlags::WithoutSize() const {
  SessionFlags flags = *this;
  flags.size.clear();
  return flags;
}

SessionOptions ToSessionOptions(const SessionFlags& flags) {
  SessionOptions options;
  options.model = flags.model;
  options.config = flags.config;
  options.device = flags.device;
  options.isa = flags.isa;
  options.precision_file = flags.precision_file;
  options.onednn = !flags.no_onednn;
  options.winograd = flags.winograd;
  options.disabled_passes = flags.disabled_passes;
  options.interpolate_positions = flags.interpolate;
  options.semantics = flags.semantics;
  if (!flags.size.empty()) std::tie(options.height, options.width) = ParseSize(flags.size);
  return options;
}

void ShowWarnings(const std::vector<std::string>& warnings, Terminal& terminal) {
  for (const std::string& warning : warnings) terminal.Warn(warning);
}

}  // namespace vernier
