// What `vernier eval` shows of an evaluation.
#pragma once

#include "eval/evaluation.h"
#include "terminal.h"

namespace vernier {

void PrintEvaluation(const Evaluation& evaluation, Terminal& terminal);

}  // namespace vernier
