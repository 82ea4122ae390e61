// Dim: an extent as an expression over symbols, kept in one canonical form and interned, so that
// two dims are equal exactly when their handles are. Immutable; usable from any thread.
//
// Sums, differences and products are expanded to polynomials; floor and ceiling quotients, minima
// and maxima are opaque factors of such polynomials.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// A bound symbol is part of a plan's key (batch, height); a runtime symbol varies below a bound
/// capacity from run to run of one plan (the length of a KV cache).
enum class SymbolKind { kBound, kRuntime };

/// Values for symbols, by name.
using Extents = std::map<std::string, int64_t, std::less<>>;

class Dim {
 public:
  Dim(int64_t constant = 0);  // NOLINT: a number is a dim wherever one is expected

  /// A name means one kind of symbol in the whole process.
  static Dim Symbol(std::string_view name, SymbolKind kind = SymbolKind::kBound);

  Dim operator+(const Dim& other) const;
  Dim operator-(const Dim& other) const;
  Dim operator*(const Dim& other) const;
  friend Dim FloorDiv(const Dim& a, const Dim& b);
  friend Dim CeilDiv(const Dim& a, const Dim& b);
  friend Dim Min(const Dim& a, const Dim& b);
  friend Dim Max(const Dim& a, const Dim& b);

  /// Interning makes structural equality an equality of handles.
  bool operator==(const Dim& other) const { return expression_ == other.expression_; }

  bool IsConstant() const;
  /// The number that a constant dim is.
  int64_t constant() const;
  bool HasRuntimeSymbol() const;
  /// Names of all symbols in the expression, sorted, each once.
  std::vector<std::string> Symbols() const;

  /// Throws Error{kInternal} when a symbol has no value in `extents`, or on division by zero.
  int64_t Evaluate(const Extents& extents) const;

  /// Canonical text, for example "1 + floordiv(height, 16)*floordiv(width, 16)".
  const std::string& ToString() const;

  struct Expression;

 private:
  explicit Dim(const Expression& expression) : expression_(&expression) {}
  static Dim Quotient(const char* name, const Dim& a, const Dim& b);

  const Expression* expression_;
};

Dim FloorDiv(const Dim& a, const Dim& b);
Dim CeilDiv(const Dim& a, const Dim& b);
Dim Min(const Dim& a, const Dim& b);
Dim Max(const Dim& a, const Dim& b);

using Dims = std::vector<Dim>;

/// "[batch, 1 + tokens, 768]".
std::string ToString(const Dims& dims);
/// Product of all dims.
Dim Product(const Dims& dims);

}  // namespace vernier
