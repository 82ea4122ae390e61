// vernier report: results of the other verbs joined into one report that somebody can sign.
#pragma once

#include "verb.h"

namespace vernier {

Verb ReportVerb();

}  // namespace vernier
