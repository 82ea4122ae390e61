#include "graph/dim.h"

#include "vernier/error.h"

namespace vernier {
namespace {

TEST(Dim, IsEqualWhateverTheOrderItWasWrittenIn) {
  const Dim a = Dim::Symbol("a"), b = Dim::Symbol("b");
  EXPECT_EQ(a + b, b + a);
  EXPECT_EQ(a * b, b * a);
  EXPECT_EQ((a + b) * (a - b), a * a - b * b);
  EXPECT_EQ(a + 1 - 1, a);
  EXPECT_EQ(a - a, Dim(0));
  EXPECT_EQ(a * 0, Dim(0));
  EXPECT_EQ((a + 2) * 3, a * 3 + 6);
  EXPECT_EQ(Min(a, b), Min(b, a));
  EXPECT_EQ(Max(a, b), Max(b, a));
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(FloorDiv(a, 2) == CeilDiv(a, 2));
  EXPECT_FALSE(FloorDiv(a, b) == FloorDiv(b, a));
}

TEST(Dim, DividesExactlyWhereEveryTermDivides) {
  const Dim a = Dim::Symbol("a"), b = Dim::Symbol("b");
  EXPECT_EQ(FloorDiv(a * 16, 16), a);
  EXPECT_EQ(CeilDiv(a * 16 + b * 32, 16), a + b * 2);
  EXPECT_EQ(FloorDiv(a, 1), a);
  EXPECT_EQ(FloorDiv(a * 3, 2).ToString(), "floordiv(3*a, 2)");
}

TEST(Dim, FoldsConstants) {
  EXPECT_EQ(FloorDiv(7, 2).constant(), 3);
  EXPECT_EQ(CeilDiv(7, 2).constant(), 4);
  EXPECT_EQ(FloorDiv(-7, 2).constant(), -4);
  EXPECT_EQ(CeilDiv(-7, 2).constant(), -3);
  EXPECT_EQ(FloorDiv(7, -2).constant(), -4);
  EXPECT_EQ(Min(3, 5).constant(), 3);
  EXPECT_EQ(Max(3, 5).constant(), 5);
  const Dim a = Dim::Symbol("a");
  EXPECT_EQ(Min(a, a), a);
  EXPECT_EQ(Max(a, a), a);
  EXPECT_TRUE(Dim(0).IsConstant());
  EXPECT_FALSE(a.IsConstant());
  EXPECT_THROW(a.constant(), Error);
}

TEST(Dim, EvaluatesEveryForm) {
  const Dim a = Dim::Symbol("a"), b = Dim::Symbol("b");
  const Extents extents = {{"a", 7}, {"b", 3}};
  EXPECT_EQ((a * b + 1).Evaluate(extents), 22);
  EXPECT_EQ((b - a).Evaluate(extents), -4);
  EXPECT_EQ(FloorDiv(a, b).Evaluate(extents), 2);
  EXPECT_EQ(CeilDiv(a, b).Evaluate(extents), 3);
  EXPECT_EQ(FloorDiv(b - a, b).Evaluate(extents), -2);
  EXPECT_EQ(CeilDiv(b - a, b).Evaluate(extents), -1);
  EXPECT_EQ(Min(a, b).Evaluate(extents), 3);
  EXPECT_EQ(Max(a, b * 3).Evaluate(extents), 9);
  EXPECT_EQ((FloorDiv(a, 2) * FloorDiv(a, 2)).Evaluate(extents), 9);
}

TEST(Dim, NamesTheSymbolThatHasNoExtent) {
  try {
    Dim::Symbol("height").Evaluate({{"width", 4}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInternal);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("height"));
  }
}

TEST(Dim, RefusesToDivideByZero) {
  EXPECT_THROW(FloorDiv(4, 0), Error);
  EXPECT_THROW(CeilDiv(0, 0), Error);
  const Dim quotient = FloorDiv(Dim::Symbol("a"), Dim::Symbol("b"));
  EXPECT_THROW(quotient.Evaluate({{"a", 1}, {"b", 0}}), Error);
}

TEST(Dim, ListsItsSymbolsAndTellsRuntimeOnesApart) {
  const Dim batch = Dim::Symbol("batch");
  const Dim length = Dim::Symbol("test_length", SymbolKind::kRuntime);
  const Dim both = FloorDiv(Max(length, batch) * batch, 4);
  EXPECT_EQ(both.Symbols(), (std::vector<std::string>{"batch", "test_length"}));
  EXPECT_TRUE(both.HasRuntimeSymbol());
  EXPECT_FALSE((batch + 4).HasRuntimeSymbol());
  EXPECT_TRUE(Dim(4).Symbols().empty());
}

TEST(Dim, HoldsOneNameToOneKind) {
  Dim::Symbol("test_kind", SymbolKind::kRuntime);
  EXPECT_THROW(Dim::Symbol("test_kind", SymbolKind::kBound), Error);
}

TEST(Dim, PrintsInOneForm) {
  const Dim height = Dim::Symbol("height"), width = Dim::Symbol("width");
  const Dim tokens = Dim(1) + FloorDiv(width, 16) * FloorDiv(height, 16);
  EXPECT_EQ(tokens.ToString(), "1 + floordiv(height, 16)*floordiv(width, 16)");
  EXPECT_EQ((height * -1).ToString(), "-height");
  EXPECT_EQ((height * 2 - width).ToString(), "2*height - width");
  EXPECT_EQ(Dim(0).ToString(), "0");
  EXPECT_EQ(Dim(-3).ToString(), "-3");
  EXPECT_EQ(ToString(Dims{height, 3}), "[height, 3]");
  EXPECT_EQ(ToString(Dims{}), "[]");
}

TEST(Dim, OfNothingMultipliesToOne) {
  EXPECT_EQ(Product({}), Dim(1));
  EXPECT_EQ(Product({2, 3, Dim::Symbol("a")}), Dim::Symbol("a") * 6);
}

}  // namespace
}  // namespace vernier
