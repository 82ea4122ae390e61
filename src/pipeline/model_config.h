// The configuration of a model folder: config.json, or the yaml that AdelaiDet's models come with.
#pragma once

#include <string>

#include "io/json.h"

namespace vernier {

/// One file, by its ending: yaml with what it stands on, or JSON.
Json ReadModelConfig(const std::string& file);

/// config.json of a folder; else its one yaml file that no other stands on and that describes a
/// model; null when there is none. Throws Error{kInput} that names the files when there are
/// several.
Json FindModelConfig(const std::string& folder);

}  // namespace vernier
