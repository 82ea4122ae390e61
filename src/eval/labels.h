// A set's labels as the model calls them. Pure.
#pragma once

#include <string>
#include <vector>

#include "eval/dataset.h"

namespace vernier {

/// Replaces each sample's label by the model's: by name, by one of the names that a label lists
/// ("tench, Tinca tinca"), case ignored; or, where no label of the set is a name, by number. Throws
/// Error{kInput} naming the place of a label that the model does not have.
void UseModelLabels(Dataset& set, const std::vector<std::string>& labels);

}  // namespace vernier
