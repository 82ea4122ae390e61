// vernier compare: do two runs say the same, and where do they part.
#pragma once

#include "verb.h"

namespace vernier {

Verb CompareVerb();

}  // namespace vernier
