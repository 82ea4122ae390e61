#include "verb.h"

#include <algorithm>

#include "doctor.h"

namespace vernier {

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> verbs = {DoctorVerb()};
  return verbs;
}

const Verb* FindVerb(std::string_view name) {
  const auto found = std::ranges::find(Verbs(), name, &Verb::name);
  return found == Verbs().end() ? nullptr : &*found;
}

}  // namespace vernier
