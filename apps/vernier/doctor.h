// vernier doctor: what this machine offers, what stands in the way, and the remedies.
#pragma once

#include "verb.h"

namespace vernier {

Verb DoctorVerb();

}  // namespace vernier
