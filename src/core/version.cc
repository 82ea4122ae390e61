#include "vernier/version.h"

namespace vernier {

const char* Version() { return VERNIER_VERSION; }

}  // namespace vernier
