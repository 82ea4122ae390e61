// Pictures by their names: files, folders with all below, and patterns.
#pragma once

#include <string>
#include <vector>

namespace vernier {

/// What counts as a picture in folders.
enum class FilesToFind { kPictures, kPicturesAndPdf };

/// The pictures in a folder and all below, known by their endings, sorted by path. Throws
/// Error{kInput} when there are none.
std::vector<std::string> PicturesBelow(const std::string& folder,
                                       FilesToFind find = FilesToFind::kPictures);

/// In the order given; folders and patterns give their pictures sorted by path. Names that do not
/// exist stay as they are, for their reader to report. Throws Error{kInput} for a folder or pattern
/// without pictures.
std::vector<std::string> ExpandImagePaths(const std::vector<std::string>& names,
                                          FilesToFind find = FilesToFind::kPictures);

}  // namespace vernier
