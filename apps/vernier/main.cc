#include <signal.h>

#include <string>
#include <vector>

#include "command_line.h"
#include "core/interrupt.h"

int main(int argc, char** argv) {
  // A closed pipe and a file beyond its limit are reported by the write that meets them.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  vernier::InstallInterruptHandlers();
  // argc is 0 when a caller passes no argument vector at all.
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return vernier::RunCommandLine(words);
}
