#include "graph/dim.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <unordered_map>

#include "core/check.h"

namespace vernier {
namespace {

enum class AtomKind { kSymbol, kFloorDiv, kCeilDiv, kMin, kMax };

// A factor that is not expanded further; identified by its text.
struct Atom {
  AtomKind kind;
  std::string text;
  SymbolKind symbol_kind = SymbolKind::kBound;
  const Dim::Expression* left = nullptr;
  const Dim::Expression* right = nullptr;
};

struct ByText {
  bool operator()(const Atom* a, const Atom* b) const { return a->text < b->text; }
};

using Monomial = std::vector<const Atom*>;  // sorted by text; empty for the constant term

struct MonomialLess {
  bool operator()(const Monomial& a, const Monomial& b) const {
    return std::ranges::lexicographical_compare(a, b, ByText{});
  }
};

using Polynomial = std::map<Monomial, int64_t, MonomialLess>;  // no zero coefficients

}  // namespace

struct Dim::Expression {
  Polynomial terms;
  std::string text;
};

namespace {

std::string Text(const Polynomial& terms) {
  if (terms.empty()) return "0";
  std::string text;
  for (const auto& [monomial, coefficient] : terms) {
    const bool negative = coefficient < 0;
    const int64_t magnitude = negative ? -coefficient : coefficient;
    text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
    std::string factors;
    if (magnitude != 1 || monomial.empty()) factors = fmt::format("{}", magnitude);
    for (const Atom* atom : monomial) {
      if (!factors.empty()) factors += '*';
      factors += atom->text;
    }
    text += factors;
  }
  return text;
}

// Process-wide tables of the distinct expressions; entries live as long as the process, and a
// model adds some dozens.
class Interner {
 public:
  static Interner& Get() {
    static Interner interner;
    return interner;
  }

  const Dim::Expression* Intern(Polynomial terms) {
    std::erase_if(terms, [](const auto& term) { return term.second == 0; });
    std::string text = Text(terms);
    std::lock_guard lock(mutex_);
    auto& slot = expressions_[text];
    if (!slot) slot = std::make_unique<Dim::Expression>(Dim::Expression{std::move(terms), text});
    return slot.get();
  }

  const Atom* Intern(const Atom& atom) {
    std::lock_guard lock(mutex_);
    auto& slot = atoms_[atom.text];
    if (!slot) slot = std::make_unique<Atom>(atom);
    VN_CHECK(slot->symbol_kind == atom.symbol_kind, atom.text + " is both bound and runtime");
    return slot.get();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<Dim::Expression>> expressions_;
  std::unordered_map<std::string, std::unique_ptr<Atom>> atoms_;
};

int64_t FloorQuotient(int64_t a, int64_t b) {
  VN_CHECK(b != 0, "division of a dimension by zero");
  const int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

int64_t EvaluateExpression(const Dim::Expression& expression, const Extents& extents);

int64_t EvaluateAtom(const Atom& atom, const Extents& extents) {
  if (atom.kind == AtomKind::kSymbol) {
    const auto found = extents.find(atom.text);
    VN_CHECK(found != extents.end(), "no extent was given for symbol " + atom.text);
    return found->second;
  }
  const int64_t a = EvaluateExpression(*atom.left, extents);
  const int64_t b = EvaluateExpression(*atom.right, extents);
  switch (atom.kind) {
    case AtomKind::kFloorDiv:
      return FloorQuotient(a, b);
    case AtomKind::kCeilDiv:
      return -FloorQuotient(-a, b);
    case AtomKind::kMin:
      return std::min(a, b);
    default:
      return std::max(a, b);
  }
}

int64_t EvaluateExpression(const Dim::Expression& expression, const Extents& extents) {
  int64_t sum = 0;
  for (const auto& [monomial, coefficient] : expression.terms) {
    int64_t product = coefficient;
    for (const Atom* atom : monomial) product *= EvaluateAtom(*atom, extents);
    sum += product;
  }
  return sum;
}

void CollectSymbols(const Dim::Expression& expression, std::set<std::string>& names,
                    bool& has_runtime) {
  for (const auto& [monomial, coefficient] : expression.terms) {
    for (const Atom* atom : monomial) {
      if (atom->kind == AtomKind::kSymbol) {
        names.insert(atom->text);
        has_runtime = has_runtime || atom->symbol_kind == SymbolKind::kRuntime;
      } else {
        CollectSymbols(*atom->left, names, has_runtime);
        CollectSymbols(*atom->right, names, has_runtime);
      }
    }
  }
}

const Dim::Expression* FromAtom(const Atom& atom) {
  return Interner::Get().Intern(Polynomial{{{Interner::Get().Intern(atom)}, 1}});
}

const Dim::Expression* FromPair(AtomKind kind, const char* name, const Dim::Expression* a,
                                const Dim::Expression* b) {
  return FromAtom({.kind = kind,
                   .text = fmt::format("{}({}, {})", name, a->text, b->text),
                   .left = a,
                   .right = b});
}

}  // namespace

Dim::Dim(int64_t constant) : expression_(Interner::Get().Intern(Polynomial{{{}, constant}})) {}

Dim Dim::Symbol(std::string_view name, SymbolKind kind) {
  return Dim(
      *FromAtom({.kind = AtomKind::kSymbol, .text = std::string(name), .symbol_kind = kind}));
}

Dim Dim::operator+(const Dim& other) const {
  Polynomial sum = expression_->terms;
  for (const auto& [monomial, coefficient] : other.expression_->terms) sum[monomial] += coefficient;
  return Dim(*Interner::Get().Intern(std::move(sum)));
}

Dim Dim::operator-(const Dim& other) const { return *this + other * Dim(-1); }

Dim Dim::operator*(const Dim& other) const {
  Polynomial product;
  for (const auto& [left, left_coefficient] : expression_->terms) {
    for (const auto& [right, right_coefficient] : other.expression_->terms) {
      Monomial both = left;
      both.insert(both.end(), right.begin(), right.end());
      std::ranges::sort(both, ByText{});
      product[both] += left_coefficient * right_coefficient;
    }
  }
  return Dim(*Interner::Get().Intern(std::move(product)));
}

Dim Dim::Quotient(const char* name, const Dim& a, const Dim& b) {
  const bool floor = std::string_view(name) == "floordiv";
  if (b.IsConstant()) {
    const int64_t divisor = b.constant();
    const bool exact = divisor != 0 && std::ranges::all_of(a.expression_->terms, [&](auto& term) {
                         return term.second % divisor == 0;
                       });
    if (exact) {
      Polynomial quotient = a.expression_->terms;
      for (auto& [monomial, coefficient] : quotient) coefficient /= divisor;
      return Dim(*Interner::Get().Intern(std::move(quotient)));
    }
    if (a.IsConstant()) {
      return floor ? Dim(FloorQuotient(a.constant(), divisor))
                   : Dim(-FloorQuotient(-a.constant(), divisor));
    }
  }
  return Dim(*FromPair(floor ? AtomKind::kFloorDiv : AtomKind::kCeilDiv, name, a.expression_,
                       b.expression_));
}

Dim FloorDiv(const Dim& a, const Dim& b) { return Dim::Quotient("floordiv", a, b); }
Dim CeilDiv(const Dim& a, const Dim& b) { return Dim::Quotient("ceildiv", a, b); }

Dim Min(const Dim& a, const Dim& b) {
  if (a == b) return a;
  if (a.IsConstant() && b.IsConstant()) return std::min(a.constant(), b.constant());
  const bool ordered = a.ToString() < b.ToString();
  return Dim(*FromPair(AtomKind::kMin, "min", ordered ? a.expression_ : b.expression_,
                       ordered ? b.expression_ : a.expression_));
}

Dim Max(const Dim& a, const Dim& b) {
  if (a == b) return a;
  if (a.IsConstant() && b.IsConstant()) return std::max(a.constant(), b.constant());
  const bool ordered = a.ToString() < b.ToString();
  return Dim(*FromPair(AtomKind::kMax, "max", ordered ? a.expression_ : b.expression_,
                       ordered ? b.expression_ : a.expression_));
}

bool Dim::IsConstant() const {
  const auto& terms = expression_->terms;
  return terms.empty() || (terms.size() == 1 && terms.begin()->first.empty());
}

int64_t Dim::constant() const {
  VN_CHECK(IsConstant(), ToString() + " is not a constant");
  return expression_->terms.empty() ? 0 : expression_->terms.begin()->second;
}

bool Dim::HasRuntimeSymbol() const {
  std::set<std::string> names;
  bool has_runtime = false;
  CollectSymbols(*expression_, names, has_runtime);
  return has_runtime;
}

std::vector<std::string> Dim::Symbols() const {
  std::set<std::string> names;
  bool has_runtime = false;
  CollectSymbols(*expression_, names, has_runtime);
  return {names.begin(), names.end()};
}

int64_t Dim::Evaluate(const Extents& extents) const {
  return EvaluateExpression(*expression_, extents);
}

const std::string& Dim::ToString() const { return expression_->text; }

std::string ToString(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + dims[i].ToString();
  return text + "]";
}

Dim Product(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), Dim(1),
                         [](const Dim& a, const Dim& b) { return a * b; });
}

}  // namespace vernier
