// A restricted reader of Python pickles. It builds plain data only: nothing is ever imported or
// called, and a name that is not allowed ends the reading with an error that says it.
// Calls of allowed names stay symbolic (kCall) for the owner of the format to interpret.
// All nodes belong to the Pickle; cycles and shared parts are therefore harmless.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

enum class PickleKind {
  kNone,
  kBool,
  kInteger,
  kBigInteger,  // more than 64 bits; text holds its little-endian bytes
  kNumber,
  kString,
  kBytes,
  kTuple,
  kList,
  kDict,        // items alternate between keys and values
  kGlobal,      // text is "module name"
  kCall,        // text is the global's "module name", items[0] the tuple of its arguments
  kPersistent,  // items hold the identifier
};

/// "a tuple", "a string": for messages.
const char* Describe(PickleKind kind);

struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;  // kBool too
  double number = 0;
  std::string text = {};
  std::vector<const PickleNode*> items = {};

  /// The value under a string key of a dict, or nullptr.
  const PickleNode* Find(std::string_view key) const;
};

/// Whether a pickle may mention this name ("module name").
using PickleFilter = bool (*)(std::string_view name);

class Pickle {
 public:
  /// Reads one pickle from the front of `bytes`. Throws Error{kInput} with `source` in its message.
  static Pickle Parse(std::span<const uint8_t> bytes, const std::string& source,
                      PickleFilter allowed);

  const PickleNode& root() const { return *root_; }
  /// Bytes from the front up to and including the end of the pickle.
  size_t size() const { return size_; }
  /// All kPersistent nodes, in order.
  const std::vector<const PickleNode*>& persistent() const { return persistent_; }

 private:
  friend class Unpickler;

  std::deque<PickleNode> nodes_;
  std::vector<const PickleNode*> persistent_;
  const PickleNode* root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vernier
