// The style sheet of HTML reports.
#pragma once

#include <string_view>

namespace vernier {

extern const std::string_view kReportStyle;

}  // namespace vernier
