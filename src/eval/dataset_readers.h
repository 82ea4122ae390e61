// The layouts that a set may have, each read by a function of its own. For dataset.cc.
#pragma once

#include "eval/dataset.h"
#include "io/json.h"

namespace vernier {

/// Every folder directly below `folder` is a class, its name the label.
Dataset ReadClassFolders(const std::string& folder);

/// A heading with a picture column and: a label; or a matching picture; or answers.
Dataset ReadCsvSet(const std::string& path);

/// One object per line: a picture, its question and its answers.
Dataset ReadJsonLines(const std::string& path);

/// ChartQA's annotations, arrays of {imgname, query, label}; the pictures lie in png/ beside them.
Dataset ReadChartQa(const std::string& source, const std::vector<std::string>& annotations);

/// COCO's instances: images, annotations with polygons or run lengths, categories. Pictures lie
/// beside the file or in a folder next to it or below.
bool LooksLikeCoco(const Json& file);
Dataset ReadCocoInstances(const std::string& path, const Json& file);

/// `path` as ids and messages can hold it: bytes that are no UTF-8 as \xHH.
std::string PathAsText(std::string_view path);

/// A picture's path as a set writes it: relative to the set's folder unless absolute.
std::string BesideSet(const std::string& set_file, const std::string& picture);

}  // namespace vernier
