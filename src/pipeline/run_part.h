// One program of a model's run and all that it reads: what the run's owner prepares, and whoever
// watches it (taps, a comparison, a table of nodes) runs in its own way.
#pragma once

#include <memory>
#include <string>

#include "runtime/context.h"
#include "runtime/plan.h"

namespace vernier {

struct RunPart {
  std::string name;  // "encoder"; unique in the run
  std::shared_ptr<const Plan> plan;
  NamedViews inputs;
  NamedStates states = {};
};

}  // namespace vernier
