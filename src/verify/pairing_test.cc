#include "verify/pairing.h"

#include "support/dump_folder.h"
#include "support/scratch_folder.h"
#include "verify/axis_orders.h"

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Side {
  std::string name;
  std::vector<std::string> aliases = {};
  Shape shape = {1};
};

class TwoSides {
 public:
  TwoSides(const std::vector<Side>& reference, const std::vector<Side>& candidate)
      : reference_(Write("r", reference)), candidate_(Write("c", candidate)) {}

  Pairing Pair(const PairingRules& rules = {}) const {
    return PairTensors(reference_, candidate_, rules);
  }
  /// "name=name by how" for each pair.
  std::vector<std::string> Pairs(const PairingRules& rules = {}) const {
    std::vector<std::string> texts;
    for (const TensorPair& pair : Pair(rules).pairs) {
      texts.push_back(reference_.tensors()[pair.reference].facts.name + "=" +
                      candidate_.tensors()[pair.candidate].facts.name + " by " + pair.paired_by);
    }
    return texts;
  }
  void Check(const Pairing& pairing) const { CheckAnythingPaired(pairing, reference_, candidate_); }

 private:
  TensorSource Write(const char* folder, const std::vector<Side>& tensors) {
    DumpFolder dump(scratch_.path(folder));
    dump.facts()["family"] = std::string(folder) == "r" ? "vit" : "pe";
    for (const Side& side : tensors) {
      dump.Add(side.name, std::vector<float>(static_cast<size_t>(side.shape.elements())),
               side.shape, side.aliases);
    }
    dump.Finish();
    return TensorSource::Open(dump.path());
  }

  ScratchFolder scratch_;
  TensorSource reference_;
  TensorSource candidate_;
};

TEST(Pairing, TakesNamesBeforeAliases) {
  const TwoSides sides({{"a", {"b"}}, {"b"}}, {{"b"}, {"x", {"a"}}});
  EXPECT_THAT(sides.Pairs(), ElementsAre("a=x by alias", "b=b by name"));
}

TEST(Pairing, FollowsTheUsersRules) {
  const TwoSides sides({{"vit.layer.0.out"}, {"vit.layer.1.out"}}, {{"layer.0"}, {"layer.1"}});
  EXPECT_THAT(sides.Pairs({.maps = {NameMap::Parse("vit.*.out=*")}}),
              ElementsAre("vit.layer.0.out=layer.0 by rule vit.*.out=*",
                          "vit.layer.1.out=layer.1 by rule vit.*.out=*"));
}

TEST(Pairing, ListsWhatHasNoPartnerWithTheReason) {
  const TwoSides sides({{"a"}, {"b"}, {"vit.c"}}, {{"a"}, {"d", {}, {2}}});
  const Pairing pairing = sides.Pair({.maps = {NameMap::Parse("vit.*=*")}});
  ASSERT_THAT(pairing.only_reference, SizeIs(2));
  EXPECT_EQ(pairing.only_reference[0].name, "b");
  EXPECT_EQ(pairing.only_reference[0].reason, "no tensor of the candidate has this name");
  EXPECT_THAT(pairing.only_reference[1].reason, HasSubstr("rule vit.*=* asks for 'c'"));
  ASSERT_THAT(pairing.only_candidate, SizeIs(1));
  EXPECT_EQ(pairing.only_candidate[0].name, "d");
}

TEST(Pairing, ShowsWhatShapesWouldPairAndDoesItOnlyWhenAsked) {
  const TwoSides sides({{"a", {}, {2}}, {"b", {}, {3}}, {"c", {}, {2}}},
                       {{"x", {}, {2}}, {"y", {}, {4}}, {"z", {}, {2}}});
  const Pairing pairing = sides.Pair();
  EXPECT_THAT(pairing.pairs, IsEmpty());
  EXPECT_THAT(pairing.proposed, SizeIs(2));
  EXPECT_THAT(sides.Pairs({.by_shape = true}), ElementsAre("a=x by shape", "c=z by shape"));
}

TEST(Pairing, SaysThatTheDumpIsOfAnotherModel) {
  const TwoSides sides({{"a", {}, {2}}, {"b"}}, {{"x", {}, {2}}, {"y"}});
  const auto check = [&] { sides.Check(sides.Pair()); };
  EXPECT_THAT(MessageOf(check),
              HasSubstr("no common names: the reference is of a vit model, the candidate of a pe"));
  try {
    check();
  } catch (const Error& error) {
    EXPECT_THAT(error.hint(), HasSubstr("--pair-by-shape would pair 2 by shape and order, the "
                                        "first 'a' with 'x'"));
  }
}

TEST(Pairing, RefusesARuleThatSpeaksOfNothing) {
  const TwoSides sides({{"a"}}, {{"a"}});
  EXPECT_THAT(MessageOf([&] { sides.Pair({.maps = {NameMap::Parse("bert.*=*")}}); }),
              HasSubstr("--map 'bert.*=*': no tensor of the reference has such a name"));
}

TEST(NameMap, RefusesWhatIsNoRule) {
  EXPECT_THAT(MessageOf([] { NameMap::Parse("vit"); }), HasSubstr("expected REFERENCE=CANDIDATE"));
  EXPECT_THAT(MessageOf([] { NameMap::Parse("a.*=b"); }), HasSubstr("the same number of *"));
}

TEST(AxisOrders, FindChannelsLastAndHeadsBeforeTokens) {
  const auto nhwc = FittingOrders({1, 3, 4, 5}, {1, 4, 5, 3});
  ASSERT_THAT(nhwc, SizeIs(1));
  EXPECT_EQ(nhwc[0].words, "candidate transposed by (0, 3, 1, 2), NHWC to NCHW");
  const auto heads = FittingOrders({2, 7, 12}, {2, 3, 7, 4});
  ASSERT_THAT(heads, SizeIs(2));  // which of them it is, the values say
  EXPECT_EQ(heads[0].words, "candidate transposed by (0, 2, 1, 3)");
  EXPECT_EQ(heads[1].words, "candidate transposed by (0, 2, 3, 1)");
}

TEST(AxisOrders, MoveNothingWhereOnlyAxesOfOneOrMergedAxesDiffer) {
  ASSERT_THAT(FittingOrders({1, 6}, {2, 3}), SizeIs(2));
  EXPECT_EQ(FittingOrders({1, 6}, {2, 3})[0].words, "");
  EXPECT_EQ(FittingOrders({2, 3}, {6})[0].words, "");
  EXPECT_THAT(FittingOrders({2, 3}, {7}), IsEmpty());
}

TEST(AxisOrders, TransposeTheReferenceWhereItHasMoreAxes) {
  const auto orders = FittingOrders({2, 3, 7, 4}, {2, 7, 12});
  ASSERT_FALSE(orders.empty());
  EXPECT_EQ(orders[0].words, "reference transposed by (0, 2, 1, 3)");
}

}  // namespace
}  // namespace vernier
