#include "io/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "io/pickle_opcodes.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr size_t kMaxPickleBytes = size_t{64} << 20;
// A checkpoint of 100,000 tensors has about 1.5 million nodes.
constexpr size_t kMaxNodes = 4'000'000;
constexpr const char* kSaveAgain =
    "nothing in it was run; save the weights alone, with "
    "torch.save(model.state_dict(), …) or as safetensors";

}  // namespace

const char* Describe(PickleKind kind) {
  switch (kind) {
    case PickleKind::kNone:
      return "None";
    case PickleKind::kBool:
      return "a boolean";
    case PickleKind::kInteger:
    case PickleKind::kBigInteger:
      return "an integer";
    case PickleKind::kNumber:
      return "a number";
    case PickleKind::kString:
      return "a string";
    case PickleKind::kBytes:
      return "bytes";
    case PickleKind::kTuple:
      return "a tuple";
    case PickleKind::kList:
      return "a list";
    case PickleKind::kDict:
      return "a dict";
    case PickleKind::kGlobal:
      return "a name";
    case PickleKind::kCall:
      return "an object";
    case PickleKind::kPersistent:
      return "a storage";
  }
  return "unknown";
}

const PickleNode* PickleNode::Find(std::string_view key) const {
  if (kind != PickleKind::kDict) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == PickleKind::kString && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

// The stack machine. Every operand is checked for presence and kind; a null on the stack is a mark.
class Unpickler {
 public:
  Unpickler(std::span<const uint8_t> bytes, const std::string& source, PickleFilter allowed)
      : bytes_(bytes), source_(source), allowed_(allowed) {}

  Pickle Run() {
    if (bytes_.empty()) Fail("it is empty");
    while (true) {
      opcode_at_ = at_;
      const uint8_t opcode = Byte();
      if (opcode == pickle::kStop) break;
      Step(opcode);
      if (stack_.size() > kMaxNodes || memo_.size() > kMaxNodes) Fail("it grows without bound");
    }
    out_.root_ = Pop();
    out_.size_ = at_;
    return std::move(out_);
  }

 private:
  using Nodes = std::vector<const PickleNode*>;

  void Step(uint8_t opcode) {
    switch (opcode) {
      case pickle::kProto:
        if (const uint8_t version = Byte(); version > 5) {
          Fail(fmt::format("pickle protocol {} is unknown", version));
        }
        break;
      case pickle::kFrame:
        Unsigned(8);
        break;
      case pickle::kNone:
        Push({});
        break;
      case pickle::kNewTrue:
      case pickle::kNewFalse:
        Push({.kind = PickleKind::kBool, .integer = opcode == pickle::kNewTrue});
        break;
      case pickle::kBinInt:
        PushInteger(static_cast<int32_t>(Unsigned(4)));
        break;
      case pickle::kBinInt1:
        PushInteger(static_cast<int64_t>(Unsigned(1)));
        break;
      case pickle::kBinInt2:
        PushInteger(static_cast<int64_t>(Unsigned(2)));
        break;
      case pickle::kLong1:
        PushLong(Text(Unsigned(1)));
        break;
      case pickle::kLong4:
        PushLong(Text(Unsigned(4)));
        break;
      case pickle::kBinFloat:
        PushNumber();
        break;
      case pickle::kShortBinString:
      case pickle::kShortBinUnicode:
        PushText(PickleKind::kString, 1);
        break;
      case pickle::kBinString:
      case pickle::kBinUnicode:
        PushText(PickleKind::kString, 4);
        break;
      case pickle::kBinUnicode8:
        PushText(PickleKind::kString, 8);
        break;
      case pickle::kShortBinBytes:
        PushText(PickleKind::kBytes, 1);
        break;
      case pickle::kBinBytes:
        PushText(PickleKind::kBytes, 4);
        break;
      default:
        StepStructure(opcode);
    }
  }

  void StepStructure(uint8_t opcode) {
    switch (opcode) {
      case pickle::kMark:
        stack_.push_back(nullptr);
        break;
      case pickle::kPop:
        if (stack_.empty()) Fail("its stack is empty");
        stack_.pop_back();
        break;
      case pickle::kPopMark:
        PopToMark();
        break;
      case pickle::kDup:
        stack_.push_back(Top());
        break;
      case pickle::kEmptyTuple:
        Push({.kind = PickleKind::kTuple});
        break;
      case pickle::kEmptyList:
        Push({.kind = PickleKind::kList});
        break;
      case pickle::kEmptyDict:
        Push({.kind = PickleKind::kDict});
        break;
      case pickle::kTuple1:
      case pickle::kTuple2:
      case pickle::kTuple3:
        PushItems(PickleKind::kTuple, PopCount(opcode - pickle::kTuple1 + size_t{1}));
        break;
      case pickle::kTuple:
        PushItems(PickleKind::kTuple, PopToMark());
        break;
      case pickle::kList:
        PushItems(PickleKind::kList, PopToMark());
        break;
      case pickle::kDict: {
        Nodes items = PopToMark();
        Push({.kind = PickleKind::kDict});
        Extend(PickleKind::kDict, items);
        break;
      }
      case pickle::kAppend:
        Extend(PickleKind::kList, PopCount(1));
        break;
      case pickle::kAppends:
        Extend(PickleKind::kList, PopToMark());
        break;
      case pickle::kSetItem:
        Extend(PickleKind::kDict, PopCount(2));
        break;
      case pickle::kSetItems:
        Extend(PickleKind::kDict, PopToMark());
        break;
      default:
        StepMemoOrName(opcode);
    }
  }

  void StepMemoOrName(uint8_t opcode) {
    switch (opcode) {
      case pickle::kBinPut:
        memo_[Unsigned(1)] = Top();
        break;
      case pickle::kLongBinPut:
        memo_[Unsigned(4)] = Top();
        break;
      case pickle::kMemoize:
        memo_.insert_or_assign(memo_.size(), Top());
        break;
      case pickle::kBinGet:
        Recall(Unsigned(1));
        break;
      case pickle::kLongBinGet:
        Recall(Unsigned(4));
        break;
      case pickle::kGlobal: {
        const std::string module = Line();
        PushGlobal(module, Line());
        break;
      }
      case pickle::kInst: {
        const std::string module = Line();
        RefuseName(module, Line());
      }
      case pickle::kStackGlobal: {
        const Nodes names = PopCount(2);
        Expect(*names[0], PickleKind::kString, "a module's name");
        Expect(*names[1], PickleKind::kString, "a name");
        PushGlobal(names[0]->text, names[1]->text);
        break;
      }
      case pickle::kBinPersId:
        out_.persistent_.push_back(PushItems(PickleKind::kPersistent, PopCount(1)));
        break;
      case pickle::kReduce:
        Reduce();
        break;
      case pickle::kBuild:
        Build();
        break;
      default:
        Fail(fmt::format("opcode 0x{:02x} is none that tensors need", opcode));
    }
  }

  // Only names that stand for a container of Python's own are interpreted here.
  void Reduce() {
    const Nodes operands = PopCount(2);
    const PickleNode& function = *operands[0];
    const PickleNode& arguments = *operands[1];
    Expect(function, PickleKind::kGlobal, "a name to call");
    Expect(arguments, PickleKind::kTuple, "arguments");
    if (function.text != "collections OrderedDict" && function.text != "collections Counter") {
      Push({.kind = PickleKind::kCall, .text = function.text, .items = {&arguments}});
      return;
    }
    PickleNode* dict = Push({.kind = PickleKind::kDict});
    if (arguments.items.empty()) return;
    const PickleNode& content = *arguments.items[0];
    // Copies are charged, or a few bytes that copy one large dict again and again fill the memory.
    copied_ += content.items.size();
    if (copied_ > kMaxNodes) Fail("it grows without bound");
    if (content.kind == PickleKind::kDict) {
      dict->items = content.items;
      return;
    }
    Expect(content, PickleKind::kList, "the content of a dict");
    for (const PickleNode* pair : content.items) {
      const bool is_pair = pair->kind == PickleKind::kTuple || pair->kind == PickleKind::kList;
      if (!is_pair || pair->items.size() != 2) Fail("a dict is made of something that is no pair");
      dict->items.insert(dict->items.end(), pair->items.begin(), pair->items.end());
    }
  }

  // Attributes set on a dict (an OrderedDict's _metadata) or a parameter carry no weights.
  void Build() {
    PopCount(1);
    const PickleKind kind = Top()->kind;
    if (kind != PickleKind::kDict && kind != PickleKind::kCall) {
      Fail(fmt::format("it sets attributes on {}", Describe(kind)));
    }
  }

  void PushGlobal(const std::string& module, const std::string& name) {
    std::string full = module + " " + name;
    if (!allowed_(full)) RefuseName(module, name);
    Push({.kind = PickleKind::kGlobal, .text = std::move(full)});
  }

  [[noreturn]] void RefuseName(const std::string& module, const std::string& name) const {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: refused: loading it would use {}.{}, which is no tensor data",
                            source_, Printable(module), Printable(name)),
                kSaveAgain);
  }

  static std::string Printable(const std::string& name) {
    std::string text = name.substr(0, 80);
    for (char& c : text) {
      if (c < 0x20 || c > 0x7e) c = '?';
    }
    return text;
  }

  // ---- the stack

  PickleNode* Push(PickleNode node) {
    if (out_.nodes_.size() >= kMaxNodes) {
      Fail(fmt::format("it has more than {} values", kMaxNodes));
    }
    stack_.push_back(&out_.nodes_.emplace_back(std::move(node)));
    return stack_.back();
  }

  PickleNode* PushItems(PickleKind kind, Nodes items) {
    return Push({.kind = kind, .items = std::move(items)});
  }

  void PushInteger(int64_t value) { Push({.kind = PickleKind::kInteger, .integer = value}); }

  void PushText(PickleKind kind, size_t length_bytes) {
    Push({.kind = kind, .text = Text(Unsigned(length_bytes))});
  }

  void PushLong(std::string bytes) {
    if (bytes.size() > 8) {
      Push({.kind = PickleKind::kBigInteger, .text = std::move(bytes)});
      return;
    }
    // Two's complement, extended from the last byte's sign.
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      value = (value << 8) | static_cast<uint8_t>(*byte);
    }
    PushInteger(static_cast<int64_t>(value));
  }

  void PushNumber() {
    uint64_t bits = 0;  // big-endian, unlike all else in the format
    for (int i = 0; i < 8; ++i) bits = (bits << 8) | Byte();
    Push({.kind = PickleKind::kNumber, .number = std::bit_cast<double>(bits)});
  }

  PickleNode* Top() const {
    if (stack_.empty() || stack_.back() == nullptr) Fail("its stack is empty");
    return stack_.back();
  }

  PickleNode* Pop() {
    PickleNode* top = Top();
    stack_.pop_back();
    return top;
  }

  Nodes PopCount(size_t count) {
    Nodes nodes(count);
    for (size_t i = count; i > 0; --i) nodes[i - 1] = Pop();
    return nodes;
  }

  Nodes PopToMark() {
    size_t begin = stack_.size();
    while (begin > 0 && stack_[begin - 1] != nullptr) --begin;
    if (begin == 0) Fail("a mark is missing");
    Nodes nodes(stack_.begin() + static_cast<ptrdiff_t>(begin), stack_.end());
    stack_.resize(begin - 1);
    return nodes;
  }

  void Extend(PickleKind kind, const Nodes& items) {
    PickleNode* container = Top();
    if (container->kind != kind) {
      Fail(fmt::format("it adds items to {} as if it were {}", Describe(container->kind),
                       Describe(kind)));
    }
    if (kind == PickleKind::kDict && items.size() % 2 != 0) Fail("a key has no value");
    container->items.insert(container->items.end(), items.begin(), items.end());
  }

  void Recall(uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) Fail(fmt::format("memo {} is read before it is set", index));
    stack_.push_back(found->second);
  }

  void Expect(const PickleNode& node, PickleKind kind, const char* what) const {
    if (node.kind == kind) return;
    Fail(fmt::format("{} is {}, not {}", what, Describe(node.kind), Describe(kind)));
  }

  // ---- the bytes

  uint8_t Byte() {
    if (at_ == bytes_.size()) Fail("it ends too early");
    return bytes_[at_++];
  }

  uint64_t Unsigned(size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) value |= uint64_t{Byte()} << (8 * i);
    return value;
  }

  std::string Text(uint64_t length) {
    if (length > bytes_.size() - at_) Fail("it ends inside a string");
    const auto begin = reinterpret_cast<const char*>(bytes_.data()) + at_;
    at_ += length;
    return std::string(begin, length);
  }

  std::string Line() {
    std::string line;
    for (char c = 0; (c = static_cast<char>(Byte())) != '\n';) line += c;
    return line;
  }

  [[noreturn]] void Fail(const std::string& why) const {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: not a readable pickle: {} (byte {})", source_, why, opcode_at_),
                "the file is damaged or no checkpoint; get it again");
  }

  std::span<const uint8_t> bytes_;
  const std::string& source_;
  PickleFilter allowed_;
  Pickle out_;
  std::vector<PickleNode*> stack_;
  std::unordered_map<uint64_t, PickleNode*> memo_;
  size_t at_ = 0;
  size_t opcode_at_ = 0;
  size_t copied_ = 0;
};

Pickle Pickle::Parse(std::span<const uint8_t> bytes, const std::string& source,
                     PickleFilter allowed) {
  return Unpickler(bytes.first(std::min(bytes.size(), kMaxPickleBytes)), source, allowed).Run();
}

}  // namespace vernier
