#include "report/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

namespace vernier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Every number of an attribute in the drawing, in order.
std::vector<double> Attributes(const std::string& svg, const std::string& name) {
  std::vector<double> values;
  const std::regex pattern(" " + name + "=\"([^\"]*)\"");
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), pattern);
       it != std::sregex_iterator(); ++it) {
    values.push_back(std::stod((*it)[1]));
  }
  return values;
}

Plot LinePlot(std::vector<PlotPoint> points, bool logarithmic) {
  return {.title = "error by depth",
          .x = {.label = "node"},
          .y = {.label = "error", .logarithmic = logarithmic},
          .series = {{.name = "accumulated", .points = std::move(points)}}};
}

TEST(Plot, PutsEqualRatiosAtEqualDistancesOnALogarithmicAxis) {
  const auto y = Attributes(DrawSvg(LinePlot({{0, 1e-6}, {1, 1e-4}, {2, 1e-2}}, true)), "cy");
  ASSERT_EQ(y.size(), 3u);
  EXPECT_NEAR(y[0] - y[1], y[1] - y[2], 0.2);
  EXPECT_GT(y[0], y[2]);
}

TEST(Plot, LeavesOutWhatAnAxisCannotShow) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  const auto y =
      Attributes(DrawSvg(LinePlot({{0, 1}, {1, 0}, {2, nan}, {3, infinity}, {4, 10}}, true)), "cy");
  EXPECT_EQ(y.size(), 2u);
}

TEST(Plot, StaysInsideItsDrawing) {
  const std::string svg = DrawSvg(LinePlot({{-5, -1e30}, {7, 1e30}, {8, 0}}, false));
  for (double y : Attributes(svg, "cy")) {
    EXPECT_GE(y, 0);
    EXPECT_LE(y, 300);
  }
  for (double x : Attributes(svg, "cx")) {
    EXPECT_GE(x, 0);
    EXPECT_LE(x, 640);
  }
}

TEST(Plot, SaysInWordsThatThereIsNothingToDraw) {
  EXPECT_THAT(DrawSvg(LinePlot({}, true)), HasSubstr("no values to draw"));
  EXPECT_THAT(DrawSvg(LinePlot({{0, std::nan("")}}, false)), HasSubstr("no values to draw"));
}

TEST(Plot, DrawsASingleValue) {
  EXPECT_EQ(Attributes(DrawSvg(LinePlot({{3, 0.5}}, true)), "cy").size(), 1u);
  EXPECT_EQ(Attributes(DrawSvg(LinePlot({{3, 0}}, false)), "cy").size(), 1u);
}

TEST(Plot, EscapesNamesFromFiles) {
  Plot plot = LinePlot({{0, 1, "</svg><script>alert(1)</script>"}}, false);
  plot.title = "<b>\"title\"</b>";
  const std::string svg = DrawSvg(plot);
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

TEST(Plot, SetsBarsOfTwoSeriesBesideEachOther) {
  Plot plot{.title = "throughput",
            .x = {.label = "batch", .names = {"1", "4"}},
            .y = {.label = "pictures/s"},
            .series = {{.name = "a", .mark = PlotMark::kBars, .points = {{0, 10}, {1, 20}}},
                       {.name = "b", .mark = PlotMark::kBars, .points = {{0, 12}, {1, 18}}}}};
  const std::string svg = DrawSvg(plot);
  const std::regex bar(
      "<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"[0-9.]+\">");
  std::vector<double> left, width;
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), bar); it != std::sregex_iterator();
       ++it) {
    left.push_back(std::stod((*it)[1]));
    width.push_back(std::stod((*it)[3]));
  }
  ASSERT_EQ(left.size(), 4u);
  EXPECT_GE(left[2], left[0] + width[0]);  // b at batch 1 begins where a ends
  EXPECT_GE(left[1], left[2] + width[2]);  // a at batch 4 comes after both
}

TEST(LinearTicks, AreRoundNumbersInsideTheRange) {
  EXPECT_THAT(LinearTicks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(LinearTicks(0.3, 0.9, 3), ElementsAre(testing::DoubleEq(0.4), testing::DoubleEq(0.6),
                                                    testing::DoubleNear(0.8, 1e-12)));
  EXPECT_THAT(LinearTicks(1, 1, 5), testing::IsEmpty());
  EXPECT_THAT(LinearTicks(1 - 1e-15, 1, 5), testing::IsEmpty());
  EXPECT_THAT(LinearTicks(0, std::numeric_limits<double>::infinity(), 5), testing::IsEmpty());
}

TEST(ShortNumber, IsShortWithoutLosingTheSize) {
  EXPECT_EQ(ShortNumber(0), "0");
  EXPECT_EQ(ShortNumber(12.34567), "12.35");
  EXPECT_EQ(ShortNumber(13079.6), "13080");
  EXPECT_EQ(ShortNumber(1e-7), "1e-7");
  EXPECT_EQ(ShortNumber(2.5e9), "2.5e9");
  EXPECT_EQ(ShortNumber(std::nan("")), "NaN");
}

}  // namespace
}  // namespace vernier
