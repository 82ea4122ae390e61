// A report as one HTML file that needs nothing else: no script, no network; light and dark by the
// reader's setting, narrow screens and print. Pure.
#pragma once

#include <string>

#include "report/document.h"

namespace vernier {

std::string WriteHtml(const Document& document);

}  // namespace vernier
