// `vernier record`: a run as evidence in one file.
#pragma once

#include "verb.h"

namespace vernier {

Verb RecordVerb();

}  // namespace vernier
