// What tests of configurations share: that a text is refused with the file and the reason named.
#pragma once

#include <string>

#include "vernier/error.h"

namespace vernier {

/// Expects `parse(text)` to throw Error{kInput} that names some/config.json and holds `message`.
template <typename Parse>
void ExpectConfigRefused(const Parse& parse, const std::string& text, const std::string& message) {
  SCOPED_TRACE(text);
  try {
    parse(text);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("some/config.json"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr(message));
  }
}

}  // namespace vernier
