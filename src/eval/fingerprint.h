// What a sample is made of, as a hash: results may be compared or continued only where it is equal.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/dataset.h"

namespace vernier {

/// Of each sample: the bytes of its pictures, its question and its expected answers. A picture that
/// cannot be read has a fingerprint too, another one than any that can.
std::vector<std::string> Fingerprints(std::span<const Sample> samples);

/// Of the set: ids and fingerprints in order.
std::string HashOfData(std::span<const Sample> samples, std::span<const std::string> fingerprints);

}  // namespace vernier
