// The programs of a language model that reads pictures among its tokens, over the same packed
// weights. Their graphs' inputs and states are those of models/paddleocr_vl/model.h.
#pragma once

#include <memory>

#include "runtime/program.h"

namespace vernier {

struct CausalPrograms {
  std::shared_ptr<const Program> every_token;  // a prompt: logits behind every token
  std::shared_ptr<const Program> last_token;   // a prompt: logits behind its last token
  std::shared_ptr<const Program> step;         // tokens without pictures, logits behind each

  int64_t vocab_size() const {
    const Graph& graph = step->graph();
    return graph.value(graph.outputs().front().value).type.dim(-1).constant();
  }
};

}  // namespace vernier
