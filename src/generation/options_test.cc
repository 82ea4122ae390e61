#include "generation/options.h"

#include <functional>
#include <limits>

#include "vernier/error.h"

namespace vernier {
namespace {

std::string MessageFor(const std::function<void(GenerationOptions&)>& change) {
  GenerationOptions options;
  change(options);
  try {
    CheckOptions(options, 100);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(GenerationOptions, AreThoseOfTransformersByDefault) {
  const GenerationOptions options;
  EXPECT_EQ(options.top_k, 50);
  EXPECT_EQ(options.num_beams, 1);
  EXPECT_EQ(MessageFor([](GenerationOptions&) {}), "");
}

TEST(GenerationOptions, NameWhatIsOutOfBounds) {
  EXPECT_EQ(MessageFor([](auto& o) { o.num_beams = 0; }), "num_beams is 0, expected 1 or more");
  EXPECT_EQ(MessageFor([](auto& o) { o.num_beams = 1000; }),
            "num_beams is 1000, expected at most 256");
  EXPECT_EQ(MessageFor([](auto& o) { o.temperature = 0; }),
            "temperature is 0, expected a number above 0");
  EXPECT_EQ(MessageFor([](auto& o) { o.top_p = 1.5; }),
            "top_p is 1.5, expected above 0 and up to 1");
  EXPECT_EQ(MessageFor([](auto& o) { o.max_new_tokens = 0; }),
            "max_new_tokens is 0, expected 1 or more");
  EXPECT_EQ(MessageFor([](auto& o) { o.length_penalty = std::numeric_limits<double>::infinity(); }),
            "length_penalty is not a number");
  EXPECT_EQ(MessageFor([](auto& o) { o.eos_token_id = {100}; }),
            "eos_token_id holds 100, but the model's ids are 0 to 99");
  EXPECT_EQ(MessageFor([](auto& o) { o.stop_strings = {""}; }), "a stop string is empty");
  EXPECT_EQ(MessageFor([](auto& o) {
              o.num_beams = 2;
              o.do_sample = true;
            }),
            "beams are searched, not sampled: num_beams and do_sample");
}

TEST(SequenceLimit, IsBoundedHoweverMuchIsAskedFor) {
  GenerationOptions options;
  EXPECT_EQ(SequenceLimit(options, 3), 23);
  options.max_new_tokens = std::numeric_limits<int64_t>::max();
  EXPECT_THROW(SequenceLimit(options, 3), Error);
  options.max_new_tokens.reset();
  options.max_length = 3;
  EXPECT_THROW(SequenceLimit(options, 3), Error);
}

}  // namespace
}  // namespace vernier
