// All ops, in one explicit list.
#pragma once

#include <span>
#include <string_view>

#include "graph/op.h"

namespace vernier {

std::span<const OpDef* const> AllOps();

/// The op with that name, null when there is none.
const OpDef* FindOp(std::string_view name);

}  // namespace vernier
