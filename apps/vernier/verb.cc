#include "verb.h"

#include <algorithm>

#include "bench.h"
#include "compare.h"
#include "doctor.h"
#include "eval.h"
#include "inspect.h"
#include "record.h"
#include "report.h"
#include "run.h"

namespace vernier {

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> verbs = {RunVerb(),   CompareVerb(), RecordVerb(),  EvalVerb(),
                                          BenchVerb(), ReportVerb(),  InspectVerb(), DoctorVerb()};
  return verbs;
}

const Verb* FindVerb(std::string_view name) {
  const auto found = std::ranges::find(Verbs(), name, &Verb::name);
  return found == Verbs().end() ? nullptr : &*found;
}

}  // namespace vernier
