#include "inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "bench/machine.h"
#include "core/bytes_text.h"
#include "core/json_writer.h"
#include "core/parallel.h"
#include "io/checkpoint.h"
#include "io/image.h"
#include "io/npy.h"
#include "io/pages.h"
#include "io/scan.h"
#include "json_output.h"
#include "pipeline/make_random.h"
#include "verify/bundle.h"
#include "vernier/error.h"
#include "vernier/session.h"

namespace vernier {
namespace {

struct InspectOptions {
  std::vector<std::string> paths;
  bool tensors = false;
  std::string json;
  std::string make_random;
  int64_t seed = 0;
};

std::vector<Flag> InspectFlags(InspectOptions& options) {
  return {
      {.name = "PATH",
       .metavar = "PATH",
       .section = "Input",
       .help = "Model folders, weights files, arrays (.npy) or pictures.",
       .target = &options.paths,
       .completion = Completion::kFile,
       .required = true},
      {.name = "--tensors",
       .metavar = "",
       .section = "Output",
       .help = "List every tensor instead of the first ones.",
       .target = &options.tensors},
      {.name = "--json",
       .metavar = "FILE",
       .section = "Output",
       .help = "Write everything as JSON; - is standard output.",
       .target = &options.json,
       .completion = Completion::kFile,
       .writes = true},
      {.name = "--make-random",
       .metavar = "CONFIG",
       .section = "Making",
       .help =
           "Write a checkpoint of random weights for this config.json or yaml to the folder PATH.",
       .target = &options.make_random,
       .completion = Completion::kFile},
      {.name = "--seed",
       .metavar = "N",
       .section = "Making",
       .help = "Seed of the random weights.",
       .target = &options.seed,
       .least = 0}};
}

constexpr size_t kTensorsShown = 20;

int64_t BytesOf(const CheckpointTensor& tensor) {
  return tensor.shape.elements() * static_cast<int64_t>(ByteSize(tensor.dtype));
}

struct Totals {
  int64_t elements = 0;
  int64_t bytes = 0;
  std::map<std::string, int64_t> elements_by_dtype;
};

Totals TotalsOf(const Checkpoint& checkpoint) {
  Totals totals;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    totals.elements += tensor.shape.elements();
    totals.bytes += BytesOf(tensor);
    totals.elements_by_dtype[Name(tensor.dtype)] += tensor.shape.elements();
  }
  return totals;
}

// What a loaded model needs per dtype: its weights, with a margin for packing, and the program.
struct Fit {
  const char* dtype;
  int64_t bytes;
  bool fits;
};

std::vector<Fit> FitOf(int64_t elements) {
  const Machine machine = ReadMachine();
  int64_t available = machine.available_memory_bytes;
  if (machine.memory_limit_bytes > 0) available = std::min(available, machine.memory_limit_bytes);
  constexpr int64_t kProgram = int64_t{100} << 20;
  std::vector<Fit> fits;
  for (const auto& [dtype, size] :
       {std::pair{"f32", 4}, std::pair{"bf16", 2}, std::pair{"int8", 1}}) {
    // 1.3: the bound on anonymous memory that the tests hold the engine to.
    const auto bytes = static_cast<int64_t>(1.3 * static_cast<double>(elements * size)) + kProgram;
    fits.push_back({dtype, bytes, available == 0 || bytes <= available});
  }
  return fits;
}

// The model that a folder holds, or why it is none.
struct ModelFacts {
  std::optional<ModelInfo> info;
  int64_t flops = 0;
  std::string why_not;
};

ModelFacts ModelFactsOf(const std::string& path) {
  try {
    SessionOptions options;
    options.model = path;
    const ModelSummary summary = SummarizeModel(options);
    return {.info = summary.info, .flops = summary.flops_per_image, .why_not = ""};
  } catch (const Error& error) {
    return {.info = std::nullopt, .flops = 0, .why_not = error.message()};
  }
}

struct CheckpointFacts {
  const std::string& path;
  const Checkpoint& checkpoint;
  Totals totals;
  ModelFacts model;
  std::vector<NonFiniteTensor> non_finite;
};

void PrintTensors(const Checkpoint& checkpoint, bool all, Terminal& terminal) {
  const auto& tensors = checkpoint.tensors();
  const size_t shown = all ? tensors.size() : std::min(kTensorsShown, tensors.size());
  terminal.Print("\n  {:<56} {:<6} {:<20} {:>10}\n", "tensor", "dtype", "shape", "size");
  for (size_t i = 0; i < shown; ++i) {
    terminal.Print("  {:<56} {:<6} {:<20} {:>10}\n", Printable(tensors[i].name),
                   Name(tensors[i].dtype), tensors[i].shape.ToString(),
                   BytesText(BytesOf(tensors[i])));
  }
  if (shown < tensors.size()) {
    terminal.Print("  … and {} more (--tensors lists all)\n", tensors.size() - shown);
  }
}

void PrintModel(const ModelFacts& model, Terminal& terminal) {
  if (!model.info) {
    terminal.Print("  model        not runnable: {}\n", Printable(model.why_not));
    return;
  }
  const ModelInfo& info = *model.info;
  terminal.Print("  model        {} ({}), {:.2f} M parameters\n", info.family, info.architecture,
                 static_cast<double>(info.parameters) / 1e6);
  if (!info.labels.empty()) terminal.Print("  labels       {}\n", info.labels.size());
  terminal.Print("  pictures     {}x{}, {:.3f} GFLOP each\n", info.height, info.width,
                 static_cast<double>(model.flops) / 1e9);
  terminal.Print("  processor    {}\n", info.processor);
  for (const std::string& warning : info.warnings) terminal.Warn(warning);
}

void PrintCheckpoint(const CheckpointFacts& facts, bool all, Terminal& terminal) {
  terminal.Print("{}\n  format       {}\n  tensors      {}, {} values, {}\n", Printable(facts.path),
                 facts.checkpoint.format(), facts.checkpoint.tensors().size(),
                 facts.totals.elements, BytesText(facts.totals.bytes));
  for (const auto& [dtype, elements] : facts.totals.elements_by_dtype) {
    terminal.Print("  {:<12} {} values\n", dtype, elements);
  }
  PrintModel(facts.model, terminal);
  for (const Fit& fit : FitOf(facts.totals.elements)) {
    terminal.Print("  {:<4} needs {} before it runs: {}; a run's own values come on top\n",
                   fit.dtype, BytesText(fit.bytes), fit.fits ? "fits here" : "does not fit here");
  }
  for (const NonFiniteTensor& tensor : facts.non_finite) {
    terminal.Warn(fmt::format("{} holds {} NaN and {} infinite values", tensor.name,
                              tensor.count.nan, tensor.count.inf));
  }
  PrintTensors(facts.checkpoint, all, terminal);
}

void WriteModel(const ModelFacts& model, JsonWriter& json) {
  json.Key("model").BeginObject().Field("runnable", model.info.has_value());
  if (model.info) {
    json.Field("family", model.info->family)
        .Field("architecture", model.info->architecture)
        .Field("parameters", model.info->parameters)
        .Field("height", model.info->height)
        .Field("width", model.info->width)
        .Field("flops_per_image", model.flops)
        .Key("processor")
        .Raw(model.info->processor)
        .Key("labels")
        .Array(model.info->labels)
        .Key("warnings")
        .Array(model.info->warnings);
  } else {
    json.Field("why_not", model.why_not);
  }
  json.EndObject();
}

void WriteCheckpoint(const CheckpointFacts& facts, JsonWriter& json) {
  json.BeginObject()
      .Field("path", facts.path)
      .Field("kind", "checkpoint")
      .Field("format", facts.checkpoint.format())
      .Field("values", facts.totals.elements)
      .Field("bytes", facts.totals.bytes);
  WriteModel(facts.model, json);
  json.Key("memory").BeginArray();
  for (const Fit& fit : FitOf(facts.totals.elements)) {
    json.BeginObject()
        .Field("dtype", fit.dtype)
        .Field("bytes", fit.bytes)
        .Field("fits", fit.fits)
        .EndObject();
  }
  json.EndArray().Key("non_finite").BeginArray();
  for (const NonFiniteTensor& tensor : facts.non_finite) {
    json.BeginObject()
        .Field("name", tensor.name)
        .Field("nan", tensor.count.nan)
        .Field("infinite", tensor.count.inf)
        .EndObject();
  }
  json.EndArray().Key("tensors").BeginArray();
  for (const CheckpointTensor& tensor : facts.checkpoint.tensors()) {
    json.BeginObject()
        .Field("name", tensor.name)
        .Field("dtype", Name(tensor.dtype))
        .Key("shape")
        .Array(tensor.shape.dims())
        .Field("bytes", BytesOf(tensor))
        .EndObject();
  }
  json.EndArray().EndObject();
}

bool EndsAs(const std::string& path, std::initializer_list<std::string_view> endings) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::count(endings, ending) > 0;
}

// Text for people unless JSON goes to standard output; both from one look at the file.
void InspectArray(const std::string& path, Terminal* people, JsonWriter& json) {
  const Tensor array = ReadNpy(path);
  const NonFinite count = CountNonFinite(array.view());
  if (people != nullptr) {
    people->Print("{}\n  array        {} {}, {}\n", Printable(path), Name(array.dtype()),
                  array.shape().ToString(), BytesText(static_cast<int64_t>(array.bytes())));
    if (count.any()) {
      people->Warn(
          fmt::format("{} holds {} NaN and {} infinite values", path, count.nan, count.inf));
    }
  }
  json.BeginObject()
      .Field("path", path)
      .Field("kind", "array")
      .Field("dtype", Name(array.dtype()))
      .Key("shape")
      .Array(array.shape().dims())
      .Field("nan", count.nan)
      .Field("infinite", count.inf)
      .EndObject();
}

void InspectImage(const std::string& path, Terminal* people, JsonWriter& json) {
  const Image image = DecodeImage(path);
  if (people != nullptr) {
    people->Print("{}\n  picture      {}, mode {}, {}x{} (width x height)\n", Printable(path),
                  Name(image.format), Name(image.mode), image.width, image.height);
    if (image.exif_orientation != 1) {
      people->Print("  orientation  {} (EXIF; --exif applies it)\n", image.exif_orientation);
    }
    if (image.frames > 1) people->Print("  frames       {}\n", image.frames);
    for (const std::string& warning : image.warnings) people->Warn(warning);
  }
  json.BeginObject()
      .Field("path", path)
      .Field("kind", "image")
      .Field("format", Name(image.format))
      .Field("mode", Name(image.mode))
      .Field("width", image.width)
      .Field("height", image.height)
      .Field("exif_orientation", image.exif_orientation)
      .Field("frames", image.frames)
      .Key("warnings")
      .Array(image.warnings)
      .EndObject();
}

void InspectDocument(const std::string& path, Terminal* people, JsonWriter& json) {
  const int pages = CountPages(path, {});
  if (people != nullptr) {
    people->Print("{}\n  document     PDF, {} page{}\n", Printable(path), pages,
                  pages == 1 ? "" : "s");
  }
  json.BeginObject()
      .Field("path", path)
      .Field("kind", "document")
      .Field("format", "PDF")
      .Field("pages", pages)
      .EndObject();
}

void InspectBundle(const std::string& path, Terminal* people, JsonWriter& json) {
  const ComparedSide side = Bundle::Open(path).Side();
  if (people != nullptr) {
    people->Print("{}\n  bundle       {} tensors of {} ({}), {} on {}\n", Printable(path),
                  side.tensors, Printable(side.model), side.family, side.dtype, side.device);
  }
  json.BeginObject()
      .Field("path", path)
      .Field("kind", "bundle")
      .Field("tensors", side.tensors)
      .Field("model", side.model)
      .Field("family", side.family)
      .Field("device", side.device)
      .Field("dtype", side.dtype)
      .EndObject();
}

void InspectCheckpoint(const std::string& path, bool all, Terminal* people, JsonWriter& json) {
  const Checkpoint checkpoint = Checkpoint::Open(path);
  const CheckpointFacts facts{.path = path,
                              .checkpoint = checkpoint,
                              .totals = TotalsOf(checkpoint),
                              .model = ModelFactsOf(path),
                              .non_finite = FindNonFinite(checkpoint, AvailableThreads())};
  if (people != nullptr) PrintCheckpoint(facts, all, *people);
  WriteCheckpoint(facts, json);
}

Outcome MakeRandom(const InspectOptions& options, Terminal& terminal) {
  if (options.paths.size() != 1) {
    throw Error(ErrorKind::kUsage, "--make-random writes one folder",
                "vernier inspect --make-random CONFIG FOLDER");
  }
  const RandomCheckpoint made = MakeRandomCheckpoint(options.make_random, options.paths[0],
                                                     static_cast<uint64_t>(options.seed));
  terminal.Print("{}: {} tensors of random weights, {} (seed {})\n", Printable(options.paths[0]),
                 made.tensors, BytesText(made.bytes), options.seed);
  return {};
}

Outcome RunInspect(const InspectOptions& options, Terminal& terminal) {
  if (!options.make_random.empty()) return MakeRandom(options, terminal);
  Terminal* people = options.json == "-" ? nullptr : &terminal;
  JsonWriter json;
  json.BeginArray();
  for (const std::string& path : options.paths) {
    if (EndsAs(path, {".npy"})) {
      InspectArray(path, people, json);
    } else if (EndsAs(path, {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".ppm",
                             ".pgm", ".pnm"})) {
      InspectImage(path, people, json);
    } else if (EndsAs(path, {".pdf"})) {
      InspectDocument(path, people, json);
    } else if (Bundle::IsOne(path)) {
      InspectBundle(path, people, json);
    } else {
      InspectCheckpoint(path, options.tensors, people, json);
    }
  }
  json.EndArray();
  if (!options.json.empty()) WriteJsonOutput(options.json, json.Take(), terminal);
  return {};
}

}  // namespace

Verb InspectVerb() {
  return {
      .name = "inspect",
      .summary = "what is in a checkpoint, an array or a picture; whether it fits here",
      .description =
          "Shows tensors with types, shapes and sizes, parameters, the model family that is "
          "recognised, operations per picture, memory per type of numbers on this machine, and "
          "tensors that hold NaN or infinity. Reads safetensors, PyTorch files (nothing in them "
          "is executed), .npy arrays, pictures, the pages of a PDF and vernier's own bundles.",
      .examples = {{"vernier inspect vit-base-patch16-224", "a model folder"},
                   {"vernier inspect model.safetensors --tensors", "every tensor of one file"},
                   {"vernier inspect --make-random vit/config.json vit-random",
                    "a full-size checkpoint of random weights, for timing"}},
      .start = Starter(InspectFlags, RunInspect)};
}

}  // namespace vernier
