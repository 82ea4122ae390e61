// Files as the inputs of any model, whatever it makes of pictures.
#pragma once

#include <span>
#include <string>

#include "pipeline/loaded_model.h"

namespace vernier {

/// All of `files` as one batch, by the model's processor. A model that chats gets one prompt for
/// each, with the question that `headers` have for it or else to read the picture. Throws
/// Error{kInput} naming the file that cannot be used.
Pictures ReadPictures(const LoadedModel& model, std::span<const PictureFile> files,
                      const PictureHeaders& headers);

/// The same for the first pages of files.
Pictures ReadPictures(const LoadedModel& model, std::span<const std::string> files,
                      const PictureHeaders& headers);

}  // namespace vernier
