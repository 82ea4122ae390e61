#include <signal.h>

#include <string>
#include <vector>

#include "command_line.h"
#include "core/interrupt.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // a closed pipe is reported by the write that meets it
  vernier::InstallInterruptHandlers();
  // argc is 0 when a caller passes no argument vector at all.
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return vernier::RunCommandLine(words);
}
