// A report as Markdown (GitHub's dialect: tables); plots become tables of their values. Pure.
#pragma once

#include <string>

#include "report/document.h"

namespace vernier {

std::string WriteMarkdown(const Document& document);

}  // namespace vernier
