#include "io/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <map>
#include <vector>

#include "vernier/error.h"

namespace vernier {
namespace {

std::string_view Text(const yaml_char_t* text, size_t size) {
  return {reinterpret_cast<const char*>(text), size};
}

std::string TextOrNothing(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

class Event {
 public:
  explicit Event(yaml_parser_t& parser) : parsed_(yaml_parser_parse(&parser, &event_) != 0) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() {
    if (parsed_) yaml_event_delete(&event_);
  }
  bool parsed() const { return parsed_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
  bool parsed_;
};

size_t CountValues(const Json& value) {
  size_t count = 1;
  if (value.is_array()) {
    for (const Json& item : value.items()) count += CountValues(item);
  } else if (value.is_object()) {
    for (const JsonMember& member : value.members()) count += CountValues(member.value);
  }
  return count;
}

class YamlReader {
 public:
  YamlReader(std::string_view text, const std::string& source, const JsonLimits& limits)
      : source_(source), limits_(limits) {
    if (yaml_parser_initialize(&parser_) == 0) {
      throw Error(ErrorKind::kResource, "out of memory while reading " + source);
    }
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  ~YamlReader() { yaml_parser_delete(&parser_); }

  Json Read() {
    while (true) {
      const Event event(parser_);
      if (!event.parsed()) RefuseSyntax();
      const yaml_event_t& e = *event;
      switch (e.type) {
        case YAML_STREAM_END_EVENT:
          return std::move(root_);
        case YAML_DOCUMENT_START_EVENT:
          if (++documents_ > 1) Refuse(e.start_mark, "it holds more than one document");
          break;
        case YAML_SCALAR_EVENT:
          Scalar(e);
          break;
        case YAML_ALIAS_EVENT:
          Alias(e);
          break;
        case YAML_SEQUENCE_START_EVENT:
          RequireTag(e, e.data.sequence_start.tag, "seq");
          Open(e, Json::Array(), TextOrNothing(e.data.sequence_start.anchor));
          break;
        case YAML_MAPPING_START_EVENT:
          RequireTag(e, e.data.mapping_start.tag, "map");
          Open(e, Json::Object(), TextOrNothing(e.data.mapping_start.anchor));
          break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
          Close(e);
          break;
        default:
          break;
      }
    }
  }

 private:
  // A container that is being filled.
  struct Level {
    Json value;
    std::string anchor;
    std::string key = {};
    bool has_key = false;
  };

  [[noreturn]] void Refuse(const yaml_mark_t& mark, const std::string& why) const {
    throw Error(ErrorKind::kInput, fmt::format("{}: not usable YAML: line {}, column {}: {}",
                                               source_, mark.line + 1, mark.column + 1, why));
  }

  [[noreturn]] void RefuseSyntax() const {
    const char* problem = parser_.problem == nullptr ? "unreadable" : parser_.problem;
    Refuse(parser_.problem_mark, problem);
  }

  void RequireTag(const yaml_event_t& e, const yaml_char_t* tag, std::string_view wanted) const {
    const std::string found = TextOrNothing(tag);
    if (found.empty() || found == fmt::format("tag:yaml.org,2002:{}", wanted)) return;
    Refuse(e.start_mark, fmt::format("the tag {} is not read here", found));
  }

  void Scalar(const yaml_event_t& e) {
    const auto& scalar = e.data.scalar;
    const std::string_view text = Text(scalar.value, scalar.length);
    const std::string tag = TextOrNothing(scalar.tag);
    const bool quoted = scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (tag.empty()) {
      Place(e, quoted || ExpectsKey() ? Json(text) : YamlScalar(text),
            TextOrNothing(scalar.anchor));
      return;
    }
    RequireTag(e, scalar.tag, "str");
    Place(e, Json(text), TextOrNothing(scalar.anchor));
  }

  void Alias(const yaml_event_t& e) {
    const std::string name = TextOrNothing(e.data.alias.anchor);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      Refuse(e.start_mark, fmt::format("the alias *{} stands for nothing that is complete", name));
    }
    Count(e, found->second.values);
    if (open_.size() + found->second.depth > static_cast<size_t>(limits_.max_depth)) {
      RefuseDepth(e);
    }
    Place(e, found->second.value, "");
  }

  [[noreturn]] void RefuseDepth(const yaml_event_t& e) const {
    Refuse(e.start_mark, fmt::format("it is nested deeper than {} levels", limits_.max_depth));
  }

  void Count(const yaml_event_t& e, size_t values) {
    values_ += values;
    if (values_ > limits_.max_values) {
      Refuse(e.start_mark, fmt::format("it has more than {} values", limits_.max_values));
    }
  }

  bool ExpectsKey() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key;
  }

  void Open(const yaml_event_t& e, Json value, std::string anchor) {
    if (ExpectsKey()) Refuse(e.start_mark, "a key must be a word");
    if (open_.size() >= static_cast<size_t>(limits_.max_depth)) RefuseDepth(e);
    open_.push_back({std::move(value), std::move(anchor)});
  }

  void Close(const yaml_event_t& e) {
    Level level = std::move(open_.back());
    open_.pop_back();
    Place(e, std::move(level.value), level.anchor);
  }

  // A finished value comes to where the document has arrived.
  void Place(const yaml_event_t& e, Json value, const std::string& anchor) {
    Count(e, 1);
    if (!anchor.empty()) {
      anchors_[anchor] = {value, CountValues(value), DepthOf(value)};
      Count(e, anchors_[anchor].values);
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& parent = open_.back();
    if (parent.value.is_array()) {
      parent.value.Append(std::move(value));
    } else if (!parent.has_key) {
      TakeKey(e, value);
    } else {
      parent.value[parent.key] = std::move(value);
      parent.has_key = false;
    }
  }

  void TakeKey(const yaml_event_t& e, const Json& key) {
    Level& parent = open_.back();
    if (key.type() != Json::Type::kString) Refuse(e.start_mark, "a key must be a word");
    parent.key = key.AsString();
    if (parent.key == "<<") Refuse(e.start_mark, "merge keys (<<) are not read here");
    if (parent.value.Has(parent.key)) {
      Refuse(e.start_mark, fmt::format("the key {} stands here twice", parent.key));
    }
    parent.has_key = true;
  }

  static size_t DepthOf(const Json& value) {
    size_t deepest = 0;
    if (value.is_array()) {
      for (const Json& item : value.items()) deepest = std::max(deepest, DepthOf(item));
    } else if (value.is_object()) {
      for (const JsonMember& member : value.members()) {
        deepest = std::max(deepest, DepthOf(member.value));
      }
    } else {
      return 0;
    }
    return deepest + 1;
  }

  struct Anchored {
    Json value;
    size_t values = 0;
    size_t depth = 0;
  };

  const std::string& source_;
  JsonLimits limits_;
  yaml_parser_t parser_{};
  int documents_ = 0;
  Json root_;
  std::vector<Level> open_;
  std::map<std::string, Anchored> anchors_;
  size_t values_ = 0;
};

}  // namespace

Json ParseYaml(std::string_view text, const std::string& source, const JsonLimits& limits) {
  const Json value = YamlReader(text, source, limits).Read();
  // Read back, so that values know their places as those of a JSON file do.
  return Json::Parse(value.Compact(), source, limits);
}

}  // namespace vernier
