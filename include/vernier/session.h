// Session: a published checkpoint, loaded once, run on pictures or on tensors.
//
//   vernier::Session session({.model = "vit-base-patch16-224"});
//   const auto outputs = session.Run(session.ReadImages({"cat.jpg"}).inputs);
//   outputs.at("logits")  // a tensor [1, labels]
//
// A session owns weights, plans and working memory. One thread at a time may use a session;
// several sessions may run side by side. Errors are vernier::Error.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vernier/generation.h"
#include "vernier/instances.h"
#include "vernier/tensor.h"

namespace vernier {

struct SessionOptions {
  std::string model;           // folder of a checkpoint as published
  std::string config = {};     // configuration to read instead of the folder's own; empty: its own
  std::string device = "cpu";  // "cpu", or "ref" for the slow definition of every op
  std::string dtype = "f32";   // "f32", "bf16" or "int8"
  /// Rules by name that go before the dtype's own (docs/reference/precision-file.md); empty: none.
  std::string precision_file = {};
  int threads = 0;       // 0: all that this process may use
  std::string isa = {};  // highest instruction set to use; empty: the best there is
  bool onednn = true;    // false: only vernier's own kernels
  /// Which 3x3 convolutions run by Winograd's form (docs/guide/blendmask.md): "auto", "always" (all
  /// that it fits) or "never".
  std::string winograd = "auto";
  /// Branches of the graph run at the same time, sharing the threads, not one after the other.
  bool parallel_branches = false;
  std::vector<std::string> disabled_passes = {};
  std::function<void(std::string_view pass, std::string_view graph)> observe_pass = {};

  // Preprocessing; what is empty is as the checkpoint's own processor does it.
  std::string resize = {};    // "torch8", "pillow", "pillow12"
  std::string pipeline = {};  // Perception Encoder: "meta-squash", "meta-crop", "plm", "timm"
  bool convert_rgb = false;   // accept pictures that the published processor refuses
  bool apply_exif = false;
  int64_t height = 0;                  // 0: the checkpoint's
  int64_t width = 0;                   // 0: the checkpoint's
  int64_t max_image_pixels = 0;        // bound against decompression bombs; 0: Pillow's
  bool interpolate_positions = false;  // ViT: accept other sizes than the trained one
  std::string semantics = {};          // Perception Encoder: "original" or "timm"
  int64_t max_patches = 0;             // Pix2Struct; 0: the checkpoint's
  bool rescale_16bit = false;          // Pix2Struct: 16-bit grey by its high byte, not clipped
  std::string font = {};               // Pix2Struct: file; empty: Arial or DejaVu Sans
  bool allow_empty_question = false;   // Pix2Struct
  int64_t min_pixels = 0;              // PaddleOCR-VL: of what the model gets; 0: the checkpoint's
  int64_t max_pixels = 0;              // the same
  std::string alpha = {};              // PaddleOCR-VL: "white" lies under transparency, or "drop"
  double pdf_dpi = 0;                  // pixels per inch of a PDF's pages; 0: 200
  std::string pdf_password = {};

  // Detectors.
  std::string class_names = {};  // file with one name per line; empty: the checkpoint's or COCO's
  /// BlendMask: attention for every location, as the published exports have it, instead of for the
  /// detections alone. Instances are the same; dumps and comparisons see all of it.
  bool dense_top_features = false;

  // Heads.
  bool labels = false;             // the classification head is wanted
  bool allow_random_head = false;  // make one up where the checkpoint has none
  uint64_t seed = 0;               // of the made-up head
};

/// One value on its way out of a run, in f32 (or its integer type); the view is valid in the call.
struct Tap {
  std::string name;
  std::vector<std::string> aliases;
  std::string kind;  // "exact", "view", "recomputed"
  std::string op;
  std::string device;
  std::string kernel;  // "provider:isa:kernel" of the step
  TensorView tensor;
};

/// A node that a plan runs.
struct PlacedNode {
  std::string name;
  std::string part;  // of the model, "encoder": the program that the node is in
  std::string op;
  std::string device;
  std::string provider;
  std::string isa;
  std::string kernel;
  std::string dtype;  // numbers that it multiplies
  int lane = 0;       // nodes of different lanes may run at the same time
  int64_t flops = 0;  // of its products, 2 per multiply-add
  int64_t bytes = 0;  // of its operands and results, each counted once
};

/// When a node ran, in microseconds from the start of the run (of all parts).
struct NodeTime {
  double start_us = 0;
  double end_us = 0;
};

struct AbsentTap {
  std::string name;
  std::string reason;
};

/// What may be watched in a run; watching never changes it.
struct RunHooks {
  std::function<bool(std::string_view name, std::span<const std::string> aliases)> wants = {};
  std::function<void(const Tap&)> take = {};
  /// Becomes one entry per node of Placement, in its order.
  std::vector<NodeTime>* node_times = nullptr;
  /// Read between steps: set, it ends the run with Error{kInterrupted}.
  const std::atomic<bool>* cancel = nullptr;
};

struct ModelInfo {
  std::string family;        // "vit", "pe", "pix2struct", "paddleocr_vl"
  std::string architecture;  // as the checkpoint calls itself
  std::vector<std::string> labels;
  int64_t height = 0;  // of the pictures that the model gets
  int64_t width = 0;
  int64_t patches = 0;  // of a picture, where pictures keep their shape (Pix2Struct)
  int64_t parameters = 0;
  std::string processor;  // what happens to pictures, as one JSON object
  bool random_head = false;
  int64_t classes = 0;  // of objects that it finds (Session::FindInstances); 0: it finds none
  bool reads_headers = false;  // a question is drawn above each picture (Pix2Struct's VQA models)
  bool chats = false;          // pictures and text are read in one sequence (PaddleOCR-VL)
  int64_t context_tokens = 0;  // … of at most so many tokens, the answer included
  std::vector<std::string> warnings;
};

struct SessionMemory {
  int64_t weight_bytes = 0;  // in their compute dtype, as this model needs them
  int64_t packed_bytes = 0;  // held by the packed and converted forms
  int64_t arena_bytes = 0;   // working memory of the largest run so far, scratch included
  int64_t cache_bytes = 0;   // keys and values of the largest answers so far
};

struct SessionSeconds {
  double read = 0;     // configuration and checkpoint
  double compile = 0;  // passes, packing
};

using NamedTensors = std::map<std::string, Tensor, std::less<>>;

/// A picture's file, and which page of one that has several (TIFF, PDF), counted from 0.
struct PictureFile {
  std::string file;
  int page = 0;
};

/// What was done to one picture on its way into the model.
struct PictureInfo {
  std::string file;
  int page = 0;
  std::string mode;    // as decoded, in Pillow's names
  int64_t height = 0;  // as decoded
  int64_t width = 0;
  int exif_orientation = 1;
  // Of the picture within the model's input, where that is padded; 0: it fills the input.
  int64_t network_height = 0;
  int64_t network_width = 0;
  std::vector<std::string> steps;
  std::vector<std::string> warnings;
};

/// What a model that reads its question above the picture finds there (ModelInfo::reads_headers):
/// one text or file for all pictures, or one for each.
struct PictureHeaders {
  std::vector<std::string> questions = {};  // texts, drawn by the processor
  std::vector<std::string> images = {};     // files of ready pictures, instead of texts
};

/// One turn of a conversation with a model that reads pictures among text (ModelInfo::chats).
struct ChatTurn {
  std::string role = "user";               // or "system", "assistant"
  std::vector<PictureFile> pictures = {};  // the user's; they stand before the text
  std::string text = {};
};

/// What such a model answers to.
struct ChatPrompt {
  std::vector<ChatTurn> turns;
  /// Instead of what the chat template makes of the turns: the prompt as the model reads it, with a
  /// slot for each of the turns' pictures.
  std::string raw = {};
  bool add_slots = false;     // put the slots that `raw` lacks where the template has them
  bool plain_text = false;    // typed text that spells a special token stays text
  bool for_spotting = false;  // prepare pictures as the task of spotting wants them
};

/// How much noise to make where no pictures are at hand.
struct NoiseOptions {
  int64_t batch = 1;
  int64_t patches = 0;  // of one picture, for models that take any number; 0: info().patches
  uint64_t seed = 1;
};

struct Pictures {
  NamedTensors inputs;
  std::vector<PictureInfo> info;
};

class Session {
 public:
  explicit Session(const SessionOptions& options);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const ModelInfo& info() const;
  const SessionSeconds& seconds() const;
  SessionMemory memory() const;

  /// Files as the model's inputs: "pixel_values" [files, 3, height, width], or "flattened_patches"
  /// [files, patches, numbers] with "attention_mask" [files, patches]. Throws Error{kInput} naming
  /// the file that cannot be read or used, and for headers that are too few or not wanted.
  Pictures ReadImages(const std::vector<std::string>& files,
                      const PictureHeaders& headers = {}) const;

  /// The same for single pages of files.
  Pictures ReadPages(const std::vector<PictureFile>& pages,
                     const PictureHeaders& headers = {}) const;

  /// Conversations as the inputs of a model that chats, one row each: "input_ids" and
  /// "attention_mask" [prompts, tokens], padded on the left, "pixel_values" [patches, 3, side,
  /// side] and "image_grid_thw" [pictures, 3] of all pictures in their order; the last two are
  /// missing where there are none. Throws Error{kUsage} where slots and pictures do not match.
  Pictures ReadChats(const std::vector<ChatPrompt>& prompts) const;

  /// Pictures that were read one by one as one batch. Throws Error{kInput} naming the first whose
  /// size differs, unless the model's processor pads pictures.
  Pictures JoinPictures(std::vector<Pictures> parts) const;

  /// Noise of the size that the model gets, as inputs for Run: for timing.
  NamedTensors NoiseInputs(const NoiseOptions& options) const;

  /// Runs on inputs by their published names; the outputs by theirs, in f32.
  NamedTensors Run(const NamedTensors& inputs, const RunHooks& hooks = {});

  /// The checkpoint's own options of generation; null for a model that does not write.
  const GenerationOptions* generation_options() const;
  /// Answers about the pictures of `inputs`, one each, or to each row of their input_ids. A run
  /// with decoder_input_ids [pictures, tokens] among its inputs gives the logits behind every token
  /// instead (teacher forcing); a run of a model that chats always does, of input_ids.
  GenerationOutput Generate(const NamedTensors& inputs, const GenerationRequest& request);

  /// What a detector's run found, for each picture: `outputs` are Run's, `pictures` those that its
  /// inputs were made of (none: the inputs themselves are the pictures). Throws Error{kUsage} for a
  /// model that does not detect, Error{kInput} naming the picture whose scores are not finite.
  std::vector<PictureInstances> FindInstances(const NamedTensors& outputs,
                                              std::span<const PictureInfo> pictures,
                                              const DetectionRequest& request = {});

  /// Token features of a run: "last_hidden_state" or "features" [batch, tokens, width].
  const Tensor& Features(const NamedTensors& outputs) const;
  /// [batch, width] from a run's outputs: "cls" is the class token, "mean" that of the patches.
  Tensor Embedding(const NamedTensors& outputs, std::string_view kind) const;

  /// The nodes of a run on these inputs, in running order, with what runs them. Of a model that
  /// writes, without ids among the inputs, the decoder's are those of the first step.
  std::vector<PlacedNode> Placement(const NamedTensors& inputs) const;
  /// Values of the model that no tap can show, with the reason.
  std::vector<AbsentTap> AbsentTaps() const;
  /// The graph before or after the passes, as "text" or "dot" (Graphviz); where the model has
  /// several, one after the other, each under a comment with its part's name.
  std::string GraphText(std::string_view format, bool after_passes) const;
  /// Floating-point operations of one picture of the session's size.
  int64_t FlopsPerImage() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

struct ModelSummary {
  ModelInfo info;
  int64_t flops_per_image = 0;
};
/// What a checkpoint is, without preparing it to run; its values are not looked at.
ModelSummary SummarizeModel(const SessionOptions& options);

struct PassName {
  std::string name;
  std::string what;
};
/// Passes that can be switched off, in running order.
std::vector<PassName> PassNames();

}  // namespace vernier
