// The model that comes along, on the 360 held-out digits that it never saw.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "io/npy.h"
#include "vernier/session.h"

namespace vernier {
namespace {

const std::string kModel = std::string(VERNIER_SOURCE_DIR) + "/models/digits-vit";

struct Digit {
  std::string file;
  int label;
};

// labels.csv: "file,label,name" with a heading; files are relative to the model's folder.
std::vector<Digit> HeldOut() {
  std::ifstream csv(kModel + "/labels.csv");
  std::vector<Digit> digits;
  std::string line;
  std::getline(csv, line);
  while (std::getline(csv, line)) {
    const size_t comma = line.find(',');
    digits.push_back({kModel + "/" + line.substr(0, comma), std::stoi(line.substr(comma + 1))});
  }
  return digits;
}

Tensor Logits(const std::vector<Digit>& digits, const std::string& dtype) {
  std::vector<std::string> files;
  for (const Digit& digit : digits) files.push_back(digit.file);
  Session session({.model = kModel, .dtype = dtype});
  return std::move(session.Run(session.ReadImages(files).inputs).at("logits"));
}

int Best(const Tensor& logits, size_t row) {
  const auto values = logits.as<float>().subspan(row * 10, 10);
  return static_cast<int>(std::ranges::max_element(values) - values.begin());
}

TEST(DigitsModel, IsRightOnAtLeast97PercentOfTheHeldOutDigits) {
  const std::vector<Digit> digits = HeldOut();
  ASSERT_EQ(digits.size(), 360u);
  const Tensor logits = Logits(digits, "f32");
  int right = 0;
  for (size_t i = 0; i < digits.size(); ++i) right += Best(logits, i) == digits[i].label;
  EXPECT_GE(right, 350);  // 97 % of 360 is 349.2; the card says 359
}

TEST(DigitsModel, GivesTheLogitsOfTransformers) {
  const Tensor expected = ReadNpy(kModel + "/reference_logits.npy");
  const Tensor found = Logits(HeldOut(), "f32");
  ASSERT_EQ(found.shape(), expected.shape());
  double largest = 0;
  for (size_t i = 0; i < found.as<float>().size(); ++i) {
    largest = std::max(largest, std::abs(double{found.as<float>()[i]} - expected.as<float>()[i]));
  }
  // Logits reach 12; four blocks of f32 rounding on both sides stay far below 1e-4.
  EXPECT_LT(largest, 1e-4);
}

TEST(DigitsModel, KeepsEveryLabelInBf16) {
  const std::vector<Digit> digits = HeldOut();
  const Tensor f32 = Logits(digits, "f32");
  const Tensor bf16 = Logits(digits, "bf16");
  for (size_t i = 0; i < digits.size(); ++i)
    EXPECT_EQ(Best(bf16, i), Best(f32, i)) << digits[i].file;
}

}  // namespace
}  // namespace vernier
