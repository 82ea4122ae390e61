// Plots as SVG text: lines, dots, bars and steps over linear, logarithmic or named axes. Colours
// are CSS classes, so that one drawing serves light, dark and print. Pure functions.
#pragma once

#include <string>
#include <vector>

namespace vernier {

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::string label;  // shown when pointed at; empty: the numbers
  double low = 0;     // an interval around y, drawn where low < high
  double high = 0;
};

enum class PlotMark { kLine, kDots, kBars };

struct PlotSeries {
  std::string name;
  PlotMark mark = PlotMark::kLine;
  std::vector<PlotPoint> points;  // those that are not finite (or not positive on a logarithmic
                                  // axis) are left out
};

/// A straight line across the plot with a text: a gate, a percentile.
struct PlotRule {
  double at = 0;
  std::string text;
  bool vertical = false;
};

struct PlotAxis {
  std::string label;
  bool logarithmic = false;
  std::vector<std::string> names = {};  // instead of numbers, at 0, 1, 2, …
};

struct Plot {
  std::string title;
  PlotAxis x;
  PlotAxis y;
  std::vector<PlotSeries> series;
  std::vector<PlotRule> rules;
};

/// The drawing, 640 × 300 units with a legend; a plot without points says so in words.
std::string DrawSvg(const Plot& plot);

/// Round numbers that divide [low, high] into about `count` parts: 1, 2 or 5 times a power of ten.
std::vector<double> LinearTicks(double low, double high, int count);

/// A number for people: four significant digits, an exponent outside 1e-3 … 1e6.
std::string ShortNumber(double value);

/// `text` for XML and HTML content and attributes; control characters become U+FFFD.
std::string EscapeMarkup(std::string_view text);

}  // namespace vernier
