// The reference's side of a walk through a model: the values that the model's graph names, one
// after the other, so that never more than a few are held. Values go by their ids in the
// candidate's original graph. One thread.
#pragma once

#include <string>
#include <vector>

#include "vernier/tensor.h"

namespace vernier {

class BoundaryValues {
 public:
  virtual ~BoundaryValues() = default;

  /// Whether Get can give the value.
  virtual bool Has(int value) const = 0;
  /// In f32, or the value's integer type; alive until Release. Cheap for values that lie on the way
  /// to one that was asked for already.
  virtual const Tensor& Get(int value) = 0;
  /// To be called once for each value that was announced as wanted, when nothing asks for it any
  /// more.
  virtual void Release(int value) = 0;
  /// To be called when all values were released: what the reference has still to do for the parts
  /// of the model that come after this one.
  virtual void Finish() = 0;
  /// Whether the reference itself has the value. Where it has not, but Get computes it from the
  /// nearest that it has, `Since` names those.
  virtual bool IsOwn(int value) const = 0;
  virtual std::vector<std::string> Since(int value) const = 0;
};

}  // namespace vernier
