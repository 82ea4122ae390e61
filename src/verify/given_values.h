// A reference that is on file: values by name, as another framework or an earlier run wrote them.
// What is missing is computed by the reference kernels from the nearest values that are there, in
// the order of the model's graph. With nothing but inputs on file, that is the run of `ref`.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "runtime/context.h"
#include "verify/boundary_values.h"

namespace vernier {

/// Tensors by name, wherever they lie.
class GivenTensors {
 public:
  virtual ~GivenTensors() = default;
  virtual std::vector<std::string> Names() const = 0;
  virtual bool Has(std::string_view name) const = 0;
  /// For names that it has. Read throws Error{kInput} for a tensor that cannot be read after all.
  virtual Shape ShapeOf(std::string_view name) const = 0;
  virtual Tensor Read(std::string_view name) const = 0;
};

struct GivenOptions {
  /// Values computed here count as the reference's own: the reference is `ref`, not a file.
  bool computed_is_own = false;
  /// Told of each wanted value that was computed, in order; may be empty.
  std::function<void(const ValueInfo&, const TensorView&)> computed = {};
  NamedStates states = {};
};

class GivenValues final : public BoundaryValues {
 public:
  /// `plan` gives graph, extents and weights; its kernels are not used. A value is looked up under
  /// its name, then under its aliases and output names; one of another size than the model's does
  /// not count. Plan, source and states must outlive this.
  GivenValues(const Plan& plan, const GivenTensors& source, std::vector<bool> wanted,
              GivenOptions options = {});

  bool Has(int value) const override;
  const Tensor& Get(int value) override;
  void Release(int value) override;
  void Finish() override;
  bool IsOwn(int value) const override;
  std::vector<std::string> Since(int value) const override;

  /// The source's name of a value; empty where it has none that fits.
  const std::string& GivenAs(int value) const { return given_as_[static_cast<size_t>(value)]; }

 private:
  std::string NameInSource(int value) const;
  bool IsWeight(int value) const;
  bool IsCounted(int value) const;
  KvView* StateOf(int value) const;
  void MarkNeeded();
  void ComputeNext();
  void Compute(const Node& node);
  const Tensor& Held(int value);
  void Use(int value);

  const Plan& plan_;
  const Graph& graph_;
  const GivenTensors& source_;
  GivenOptions options_;
  std::vector<bool> wanted_;           // by value
  std::vector<std::string> given_as_;  // by value
  std::vector<bool> available_;        // by value: given, or computable from such values
  std::vector<bool> needed_;           // by node index: its results have to be computed
  std::vector<int> uses_left_;         // by value
  std::map<int, Tensor> held_;
  size_t next_ = 0;  // node index
};

}  // namespace vernier
