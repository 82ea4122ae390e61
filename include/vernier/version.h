// The library's version, as MAJOR.MINOR.PATCH. Callable from any thread.
#pragma once

namespace vernier {

/// Version of the library that is linked, for example "0.1.0".
const char* Version();

}  // namespace vernier
