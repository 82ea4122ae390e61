// vernier eval: a labelled set through a model, with the task's own metrics.
#pragma once

#include "verb.h"

namespace vernier {

Verb EvalVerb();

}  // namespace vernier
