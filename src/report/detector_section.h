// A detector's comparison as the published BlendMask port reports one: its six figures beside its
// limits and what it published. Pure; Error{kInput} names a member of another type.
#pragma once

#include <optional>

#include "io/json.h"
#include "report/document.h"

namespace vernier {

/// Nothing for a comparison that holds no figures of detections.
std::optional<Section> DetectorSection(const Json& comparison);

}  // namespace vernier
