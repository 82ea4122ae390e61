// vernier bench: how long a model takes, and what it needs.
#pragma once

#include "verb.h"

namespace vernier {

Verb BenchVerb();

}  // namespace vernier
