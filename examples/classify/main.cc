// Names what is in a picture: classify MODEL_FOLDER PICTURE
#include <algorithm>
#include <cstdio>

#include "vernier/error.h"
#include "vernier/session.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: classify MODEL_FOLDER PICTURE\n");
    return 2;
  }
  try {
    vernier::Session session({.model = argv[1], .labels = true});
    const auto outputs = session.Run(session.ReadImages({argv[2]}).inputs);
    const auto logits = outputs.at("logits").as<float>();
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    std::printf("%s: %s\n", argv[2], session.info().labels[best].c_str());
  } catch (const vernier::Error& error) {
    std::fprintf(stderr, "classify: %s\n", error.what());
    return vernier::ExitCode(error.kind());
  }
  return 0;
}
