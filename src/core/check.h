// VN_CHECK: a mistake of our own (never of the input) becomes Error{kInternal} with its place.
#pragma once

#include "vernier/error.h"

namespace vernier {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line,
                              const std::string& detail = "");

}  // namespace vernier

#define VN_CHECK(condition, ...)                                                         \
  do {                                                                                   \
    if (!(condition))                                                                    \
      ::vernier::CheckFailed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
