// Which tokens a decoder graph gives logits for.
#pragma once

namespace vernier {

enum class LogitsAt { kEveryToken, kLastToken };

}  // namespace vernier
