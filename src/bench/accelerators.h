// GPUs and NPUs that the kernel shows, found without loading any vendor library.
#pragma once

#include <string>
#include <vector>

namespace vernier {

struct Accelerators {
  std::vector<std::string> nvidia_gpus;  // model names; the bus address where the driver hides them
  std::string nvidia_driver;             // "535.104.05"; empty without a loaded driver
  bool nvidia_device_nodes = false;      // /dev/nvidia* is there
  int ascend_devices = 0;                // /dev/davinci0, /dev/davinci1, …
  bool ascend_toolkit = false;           // CANN in its usual place
};

/// `root` stands for "/" in tests.
Accelerators FindAccelerators(const std::string& root = "");

}  // namespace vernier
