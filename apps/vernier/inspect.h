// vernier inspect: what is in a checkpoint, an array or a picture, and whether it fits here.
#pragma once

#include "verb.h"

namespace vernier {

Verb InspectVerb();

}  // namespace vernier
