#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "io/json_node.h"
#include "io/mapped_file.h"
#include "vernier/error.h"

namespace vernier {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// The parser's explanation without its own prefix "[json.exception…] ", and printable: it quotes
// the input, which may be anything.
std::string Explanation(std::string_view what) {
  const size_t prefix = what.find("] ");
  std::string text(prefix == std::string_view::npos ? what : what.substr(prefix + 2));
  if (text.size() > 300) text.resize(300);
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

}  // namespace

// Receives the parser's events and builds the value. Depth is bounded here; the parser itself does
// not recurse.
class Json::Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(const std::string& source, const JsonLimits& limits)
      : limits_(limits), root_place_(std::make_shared<Place>(Place{nullptr, source})) {}

  Json Take() { return std::move(root_); }

  bool null() override { return Put(Json()); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(int64_t value) override { return Put(value); }
  bool number_unsigned(uint64_t value) override {
    if (std::in_range<int64_t>(value)) return Put(value);
    return Put(static_cast<double>(value));
  }
  bool number_float(double value, const std::string&) override { return Put(value); }
  bool string(std::string& value) override { return Put(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Object()); }
  bool start_array(size_t) override { return Open(Array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& name) override {
    const Container& object = Top();
    if (object.IndexOf(name) != Container::kAbsent) {
      throw Error(ErrorKind::kInput, fmt::format("{}: duplicate key", object.place->Join(name)),
                  "the file is damaged or was made to be read in two ways; get it again");
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    Refuse(Explanation(error.what()));
  }

 private:
  [[noreturn]] void Refuse(const std::string& why) const {
    throw Error(ErrorKind::kInput, fmt::format("{}: not valid JSON: {}", root_place_->name, why));
  }

  Container& Top() { return *std::get<std::shared_ptr<Container>>(open_.back()->value_); }

  // Places a value where the document has arrived.
  Json& Insert(Json value) {
    if (++values_ > limits_.max_values) {
      Refuse(fmt::format("it has more than {} values", limits_.max_values));
    }
    if (open_.empty()) return root_ = std::move(value);
    Container& parent = Top();
    if (parent.type == Type::kObject) return parent.Add(std::move(key_)) = std::move(value);
    return parent.items.emplace_back(std::move(value));
  }

  bool Put(Json value) {
    Insert(std::move(value));
    return true;
  }

  bool Open(Json value) {
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      Refuse(fmt::format("it is nested deeper than {} levels", limits_.max_depth));
    }
    std::shared_ptr<const Place> place = root_place_;
    if (!open_.empty()) {
      const Container& parent = Top();
      const bool in_object = parent.type == Type::kObject;
      place = std::make_shared<Place>(
          Place{parent.place, in_object ? key_ : fmt::format("[{}]", parent.items.size())});
    }
    Json& placed = Insert(std::move(value));
    open_.push_back(&placed);
    Top().place = std::move(place);
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonLimits limits_;
  std::shared_ptr<const Place> root_place_;
  Json root_;
  // Containers being filled. A parent gets no other child before its open child is closed, so the
  // pointers stay valid.
  std::vector<Json*> open_;
  std::string key_;
  size_t values_ = 0;
};

Json Json::Parse(std::string_view text, const std::string& source, const JsonLimits& limits) {
  if (text.starts_with(kByteOrderMark)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: not valid JSON: it begins with a byte-order mark", source),
                "save it as UTF-8 without a byte-order mark");
  }
  Builder builder(source, limits);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.Take();
}

Json Json::ParseFile(const std::string& path, const JsonLimits& limits) {
  const MappedFile file = MappedFile::Open(path);
  const auto bytes = file.bytes();
  if (bytes.size() > limits.max_file_bytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: {} bytes are too many for a JSON file, the limit is {}", path,
                            bytes.size(), limits.max_file_bytes));
  }
  if (bytes.empty()) throw Error(ErrorKind::kInput, path + ": the file is empty");
  Json value = Parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, limits);
  file.CheckIntact();
  return value;
}

}  // namespace vernier
