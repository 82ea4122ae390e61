#include "picture_flags.h"

namespace vernier {

std::vector<Flag> PictureFlagTable(PictureFlags& flags) {
  return {
      {.name = "--resize",
       .metavar = "NAME",
       .section = "Pictures",
       .help = "Arithmetic of resizing: torchvision's, Pillow 13's, or Pillow 12's and older.",
       .target = &flags.resize,
       .default_text = "the checkpoint's processor",
       .choices = {"torch8", "pillow", "pillow12"}},
      {.name = "--pipeline",
       .metavar = "NAME",
       .section = "Pictures",
       .help = "Perception Encoder: how a picture becomes the wanted size.",
       .target = &flags.pipeline,
       .default_text = "the checkpoint's",
       .choices = {"meta-squash", "meta-crop", "timm"}},
      {.name = "--convert-rgb",
       .metavar = "",
       .section = "Pictures",
       .help = "Turn grey, palette and transparent pictures into RGB where the published "
               "processor refuses them.",
       .target = &flags.convert_rgb},
      {.name = "--exif",
       .metavar = "",
       .section = "Pictures",
       .help = "Turn pictures upright as their EXIF orientation says; the references do not, "
               "except PaddleOCR-VL's, which always does.",
       .target = &flags.exif},
      {.name = "--font",
       .metavar = "FILE.ttf",
       .section = "Pictures",
       .help = "Font of the question above the picture (Pix2Struct), or of an overlay's labels.",
       .target = &flags.font,
       .default_text = "Arial where it is installed, else DejaVu Sans",
       .completion = Completion::kFile},
      {.name = "--class-names",
       .metavar = "FILE",
       .section = "Pictures",
       .help = "What the classes of objects are called, one name per line.",
       .target = &flags.class_names,
       .default_text = "classes.txt of the checkpoint; COCO's for 80 classes",
       .completion = Completion::kFile},
      {.name = "--max-patches",
       .metavar = "N",
       .section = "Pictures",
       .help = "Pix2Struct: patches that a picture is cut into at most.",
       .target = &flags.max_patches,
       .unit = "patches",
       .default_text = "the checkpoint's",
       .least = 1},
      {.name = "--allow-empty",
       .metavar = "",
       .section = "Pictures",
       .help = "Pix2Struct: accept an empty question, which becomes a white square.",
       .target = &flags.allow_empty},
      {.name = "--rescale-16bit",
       .metavar = "",
       .section = "Pictures",
       .help = "Pix2Struct: take the high byte of 16-bit grey, which the reference clips.",
       .target = &flags.rescale_16bit},
      {.name = "--max-pixels",
       .metavar = "N",
       .section = "Pictures",
       .help = "PaddleOCR-VL: shrink pictures to so many pixels; fewer need less memory.",
       .target = &flags.max_pixels,
       .unit = "pixels",
       .default_text = "the checkpoint's",
       .least = 1},
      {.name = "--min-pixels",
       .metavar = "N",
       .section = "Pictures",
       .help = "PaddleOCR-VL: enlarge pictures to so many pixels.",
       .target = &flags.min_pixels,
       .unit = "pixels",
       .default_text = "the checkpoint's",
       .least = 1},
      {.name = "--alpha",
       .metavar = "HOW",
       .section = "Pictures",
       .help = "PaddleOCR-VL: lay transparent pictures over white, or drop the transparency.",
       .target = &flags.alpha,
       .choices = {"white", "drop"}},
      {.name = "--dpi",
       .metavar = "N",
       .section = "Pictures",
       .help = "Pixels per inch at which pages of a PDF are rendered.",
       .target = &flags.dpi,
       .unit = "dpi",
       .least = 1},
      {.name = "--pdf-password",
       .metavar = "TEXT",
       .section = "Pictures",
       .help = "Password of encrypted PDF files.",
       .target = &flags.pdf_password}};
}

void Apply(const PictureFlags& flags, SessionOptions& session) {
  session.resize = flags.resize;
  session.pipeline = flags.pipeline;
  session.convert_rgb = flags.convert_rgb;
  session.apply_exif = flags.exif;
  session.font = flags.font;
  session.class_names = flags.class_names;
  session.max_patches = flags.max_patches;
  session.allow_empty_question = flags.allow_empty;
  session.rescale_16bit = flags.rescale_16bit;
  session.max_pixels = flags.max_pixels;
  session.min_pixels = flags.min_pixels;
  session.alpha = flags.alpha;
  session.pdf_dpi = static_cast<double>(flags.dpi);
  session.pdf_password = flags.pdf_password;
}

}  // namespace vernier
