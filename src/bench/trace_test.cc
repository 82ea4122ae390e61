#include "bench/trace.h"

#include <map>

#include "io/json.h"

namespace vernier {
namespace {

// What ui.perfetto.dev asks of an event:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
TEST(Trace, IsAChromeTraceWithOneThreadPerLane) {
  Timeline timeline{.name = "f32 \"quoted\""};
  timeline.nodes = {{.name = "a", .op = "Linear", .provider = "p", .isa = "i", .kernel = "k"},
                    {.name = "b", .op = "Add", .lane = 1}};
  timeline.runs = {{{0, 10}, {2, 30}}, {{0, 11}, {2, 31}}};
  const Json json = Json::Parse(TraceJson({timeline, timeline}), "trace");
  std::map<std::string, int> phases;
  double last_run_end_us = 0;
  for (const Json& event : json.GetArray("traceEvents").items()) {
    ++phases[event.GetString("ph")];
    EXPECT_GE(event.GetInt("pid"), 1);
    EXPECT_GE(event.GetInt("tid"), 0);
    if (event.GetString("ph") != "X") continue;
    EXPECT_GE(event.GetNumber("dur"), 0);
    if (event.GetInt("pid") == 1 && event.GetString("cat") == "run") {
      EXPECT_GE(event.GetNumber("ts"), last_run_end_us);  // runs follow each other
      last_run_end_us = event.GetNumber("ts") + event.GetNumber("dur");
    }
    if (event.GetString("name") == "b") {
      EXPECT_EQ(event.GetInt("tid"), 1);
    }
    if (event.GetString("name") == "a") {
      EXPECT_EQ(event.GetObject("args").GetString("kernel"), "p:i:k");
    }
  }
  EXPECT_EQ(phases["M"], 2 * 3);      // a process and two lanes each
  EXPECT_EQ(phases["X"], 2 * 2 * 3);  // two runs of two nodes, and the runs themselves
}

}  // namespace
}  // namespace vernier
