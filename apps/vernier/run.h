// vernier run: a model on pictures or tensors, with labels, embeddings, dumps.
#pragma once

#include "verb.h"

namespace vernier {

Verb RunVerb();

}  // namespace vernier
