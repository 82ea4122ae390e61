// Work that a library may not survive, such as rendering a hostile document: done by a forked child
// process within limits, which hands back bytes or an error. What it does to memory stays there.
// One thread at a time; the work may not wait for other threads, which the child does not have.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vernier {

struct ApartLimits {
  int processor_seconds = 120;
  int64_t memory_bytes = int64_t{4} << 30;  // beside what the process has already
};

/// The bytes that `work` gives. Throws the Error that it throws; Error{kInput}, beginning with
/// `what`, where it crashes or takes too long; Error{kResource} where memory or processes run out.
std::vector<uint8_t> RunApart(const std::string& what, const ApartLimits& limits,
                              const std::function<std::vector<uint8_t>()>& work);

}  // namespace vernier
