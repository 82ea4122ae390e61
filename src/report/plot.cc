#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace vernier {
namespace {

// The drawing's size and the margins around the plotted area, in SVG units.
constexpr double kWidth = 640;
constexpr double kHeight = 300;
constexpr double kLeft = 64;
constexpr double kRight = 16;
constexpr double kTop = 34;
constexpr double kBottom = 48;
constexpr double kTextUnit = 6.6;  // width of an average character at the font's size of 12
constexpr int kMaxDots = 400;      // more points than this are drawn as a line alone

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(low <= high); }
};

bool Drawable(double value, const PlotAxis& axis) {
  return std::isfinite(value) && (!axis.logarithmic || value > 0);
}

// From the axis' own numbers to drawing units.
class Scale {
 public:
  Scale(const PlotAxis& axis, Range range, double from, double to)
      : axis_(axis), from_(from), to_(to) {
    low_ = Place(range.low);
    high_ = Place(range.high);
    Widen();
  }

  double operator()(double value) const {
    return from_ + (Place(value) - low_) / (high_ - low_) * (to_ - from_);
  }
  bool Shows(double value) const {
    if (!Drawable(value, axis_)) return false;
    const double place = Place(value);
    const double slack = (high_ - low_) * 1e-9;
    return place >= low_ - slack && place <= high_ + slack;
  }

  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    if (!axis_.logarithmic) return LinearTicks(low_, high_, 6);
    const int step = std::max(1, static_cast<int>(std::ceil((high_ - low_) / 7)));
    for (int power = static_cast<int>(std::ceil(low_)); power <= high_; power += step) {
      ticks.push_back(std::pow(10.0, power));
    }
    if (ticks.size() >= 2) return ticks;
    ticks.clear();
    for (double value : LinearTicks(std::pow(10.0, low_), std::pow(10.0, high_), 5)) {
      if (Shows(value)) ticks.push_back(value);
    }
    return ticks;
  }

 private:
  double Place(double value) const { return axis_.logarithmic ? std::log10(value) : value; }

  // Room around the data; a single value gets a range of its own.
  void Widen() {
    if (!axis_.names.empty()) {
      low_ = -0.6;
      high_ = static_cast<double>(axis_.names.size()) - 0.4;
      return;
    }
    double span = high_ - low_;
    if (span <= 0) span = axis_.logarithmic ? 1 : std::max(std::abs(high_), 1.0);
    const bool from_zero = !axis_.logarithmic && low_ == 0;
    if (!from_zero) low_ -= span * 0.05;
    high_ += span * 0.05;
  }

  const PlotAxis& axis_;
  double from_, to_;
  double low_ = 0, high_ = 1;
};

Range RangeOf(const Plot& plot, bool vertical_axis) {
  const PlotAxis& axis = vertical_axis ? plot.y : plot.x;
  Range range;
  for (const PlotSeries& series : plot.series) {
    for (const PlotPoint& point : series.points) {
      if (!Drawable(point.x, plot.x) || !Drawable(point.y, plot.y)) continue;
      range.Include(vertical_axis ? point.y : point.x);
      if (vertical_axis && point.low < point.high) {
        if (Drawable(point.low, axis)) range.Include(point.low);
        if (Drawable(point.high, axis)) range.Include(point.high);
      }
      if (vertical_axis && series.mark == PlotMark::kBars && !axis.logarithmic) range.Include(0);
    }
  }
  for (const PlotRule& rule : plot.rules) {
    if (rule.vertical != vertical_axis && Drawable(rule.at, axis)) range.Include(rule.at);
  }
  return range;
}

std::string Text(double x, double y, std::string_view anchor, std::string_view css,
                 std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n",
                     x, y, anchor, css, EscapeMarkup(text));
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot),
        x_(plot.x, RangeOf(plot, false), kLeft, kWidth - kRight),
        y_(plot.y, RangeOf(plot, true), kHeight - kBottom, kTop) {}

  std::string Svg() {
    DrawGrid();
    for (const PlotRule& rule : plot_.rules) DrawRule(rule);
    for (size_t i = 0; i < plot_.series.size(); ++i) DrawSeries(i);
    DrawLegend();
    return std::move(svg_);
  }

 private:
  void Line(double x1, double y1, double x2, double y2, std::string_view css) {
    svg_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1,
        x2, y2, css);
  }

  void DrawGrid() {
    for (double tick : y_.Ticks()) {
      Line(kLeft, y_(tick), kWidth - kRight, y_(tick), "grid");
      svg_ += Text(kLeft - 6, y_(tick) + 4, "end", "tick", ShortNumber(tick));
    }
    if (plot_.x.names.empty()) {
      for (double tick : x_.Ticks()) DrawXTick(tick, ShortNumber(tick));
    } else {
      DrawNames();
    }
    Line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "axis");
    svg_ += Text((kLeft + kWidth - kRight) / 2, kHeight - 8, "middle", "label", plot_.x.label);
    svg_ += fmt::format(
        "<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\" "
        "class=\"label\">{}</text>\n",
        (kTop + kHeight - kBottom) / 2, EscapeMarkup(plot_.y.label));
  }

  void DrawXTick(double at, std::string_view text) {
    Line(x_(at), kHeight - kBottom, x_(at), kHeight - kBottom + 4, "axis");
    svg_ += Text(x_(at), kHeight - kBottom + 17, "middle", "tick", text);
  }

  // Every name that has room: of long lists, every second, third, … one.
  void DrawNames() {
    size_t longest = 1;
    for (const std::string& name : plot_.x.names) longest = std::max(longest, name.size());
    const double room = (kWidth - kLeft - kRight) / (static_cast<double>(longest) * kTextUnit + 8);
    const auto count = static_cast<double>(plot_.x.names.size());
    const auto step = static_cast<size_t>(std::max(1.0, std::ceil(count / std::max(1.0, room))));
    for (size_t i = 0; i < plot_.x.names.size(); i += step) {
      DrawXTick(static_cast<double>(i), plot_.x.names[i]);
    }
  }

  void DrawRule(const PlotRule& rule) {
    const Scale& scale = rule.vertical ? x_ : y_;
    if (!scale.Shows(rule.at)) return;
    const double at = scale(rule.at);
    if (rule.vertical) {
      Line(at, kTop, at, kHeight - kBottom, "rule");
      const bool left = at > kWidth * 0.75;
      // Neighbouring texts take turns in height, so that close percentiles stay legible.
      const double height = kTop + 10 + 13 * static_cast<double>(vertical_rules_++ % 4);
      svg_ += Text(at + (left ? -4 : 4), height, left ? "end" : "start", "rule-text", rule.text);
    } else {
      Line(kLeft, at, kWidth - kRight, at, "rule");
      svg_ += Text(kWidth - kRight - 2, at - 4, "end", "rule-text", rule.text);
    }
  }

  std::string Tip(const PlotPoint& point) const {
    const std::string text = point.label.empty()
                                 ? fmt::format("{}, {}", ShortNumber(point.x), ShortNumber(point.y))
                                 : point.label;
    return fmt::format("<title>{}</title>", EscapeMarkup(text));
  }

  void DrawSeries(size_t index) {
    const PlotSeries& series = plot_.series[index];
    std::vector<const PlotPoint*> points;
    for (const PlotPoint& point : series.points) {
      if (x_.Shows(point.x) && y_.Shows(point.y)) points.push_back(&point);
    }
    svg_ += fmt::format("<g class=\"s{}\">\n", index % 5);
    if (series.mark == PlotMark::kLine) DrawPath(points);
    if (series.mark != PlotMark::kBars) {
      for (const PlotPoint* point : points) DrawInterval(*point, x_(point->x));
    }
    if (series.mark == PlotMark::kBars) {
      DrawBars(points, index);
    } else if (points.size() <= kMaxDots || series.mark == PlotMark::kDots) {
      for (const PlotPoint* point : points) {
        svg_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\">{}</circle>\n",
                            x_(point->x), y_(point->y), points.size() > 60 ? 2 : 3, Tip(*point));
      }
    }
    svg_ += "</g>\n";
  }

  void DrawPath(const std::vector<const PlotPoint*>& points) {
    std::string path;
    for (const PlotPoint* point : points) {
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x_(point->x), y_(point->y));
    }
    if (!path.empty()) svg_ += fmt::format("<path d=\"{}\"/>\n", path);
  }

  void DrawInterval(const PlotPoint& point, double x) {
    if (!(point.low < point.high) || !y_.Shows(point.low) || !y_.Shows(point.high)) return;
    Line(x, y_(point.low), x, y_(point.high), "interval");
  }

  // Series of bars stand beside each other around their x.
  void DrawBars(const std::vector<const PlotPoint*>& points, size_t index) {
    const double slot = SlotWidth() * 0.8 / static_cast<double>(BarSeries());
    const double shift =
        (static_cast<double>(index) - static_cast<double>(BarSeries() - 1) / 2) * slot;
    const double base = kHeight - kBottom;
    for (const PlotPoint* point : points) {
      svg_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">{}</rect>\n",
          x_(point->x) + shift - slot / 2, y_(point->y), std::max(slot - 1, 0.5),
          std::max(base - y_(point->y), 0.5), Tip(*point));
      DrawInterval(*point, x_(point->x) + shift);
    }
  }

  size_t BarSeries() const {
    const auto bars = std::count_if(plot_.series.begin(), plot_.series.end(),
                                    [](const auto& s) { return s.mark == PlotMark::kBars; });
    return static_cast<size_t>(std::max<std::ptrdiff_t>(1, bars));
  }

  // The smallest distance between neighbouring bars.
  double SlotWidth() const {
    std::vector<double> places;
    for (const PlotSeries& series : plot_.series) {
      if (series.mark != PlotMark::kBars) continue;
      for (const PlotPoint& point : series.points) places.push_back(x_(point.x));
    }
    std::sort(places.begin(), places.end());
    double slot = plot_.x.names.empty() ? 60 : x_(1) - x_(0);
    for (size_t i = 1; i < places.size(); ++i) {
      if (places[i] > places[i - 1]) slot = std::min(slot, places[i] - places[i - 1]);
    }
    return slot;
  }

  void DrawLegend() {
    double x = kLeft;
    if (plot_.series.size() < 2) {
      svg_ += Text(kLeft, 18, "start", "title", plot_.title);
      return;
    }
    svg_ += Text(kLeft, 14, "start", "title", plot_.title);
    for (size_t i = 0; i < plot_.series.size(); ++i) {
      svg_ += fmt::format("<rect x=\"{:.1f}\" y=\"20\" width=\"10\" height=\"8\" class=\"k{}\"/>\n",
                          x, i % 5);
      svg_ += Text(x + 14, 28, "start", "tick", plot_.series[i].name);
      x += 30 + static_cast<double>(plot_.series[i].name.size()) * kTextUnit;
    }
  }

  const Plot& plot_;
  Scale x_, y_;
  std::string svg_;
  int vertical_rules_ = 0;
};

}  // namespace

std::vector<double> LinearTicks(double low, double high, int count) {
  const double rough = (high - low) / std::max(1, count);
  // Steps that rounding swallows would never reach the end.
  const double finest = std::max(std::abs(low), std::abs(high)) * 1e-12;
  if (!(rough > finest) || !std::isfinite(rough)) return {};
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (double i = first; i * step <= high + step * 1e-9; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string ShortNumber(double value) {
  if (value == 0) return "0";
  if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const double size = std::abs(value);
  if (size >= 1000 && size < 1e6) return fmt::format("{:.0f}", value);
  if (size >= 1e-3 && size < 1000) return fmt::format("{:.4g}", value);
  std::string text = fmt::format("{:.2e}", value);
  const size_t e = text.find('e');
  std::string digits = text.substr(0, e);
  while (digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return fmt::format("{}e{}", digits, std::stoi(text.substr(e + 1)));
}

std::string EscapeMarkup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string DrawSvg(const Plot& plot) {
  std::string body;
  if (RangeOf(plot, false).empty() || RangeOf(plot, true).empty()) {
    body = Text(kWidth / 2, kHeight / 2, "middle", "label", "no values to draw");
  } else {
    body = Drawing(plot).Svg();
  }
  return fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "xmlns=\"http://www.w3.org/2000/svg\">\n{}</svg>\n",
      kWidth, kHeight, EscapeMarkup(plot.title), body);
}

}  // namespace vernier
