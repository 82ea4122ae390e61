#include "generate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "core/suggest.h"
#include "help.h"
#include "vernier/error.h"
#include "vernier/version.h"

namespace vernier {
namespace {

// roff reads \ everywhere and . or ' at the start of a line as its own, and knows ASCII only.
std::string Roff(std::string_view text) {
  std::string escaped;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (text.substr(at).starts_with("…")) {
      escaped += "...";
      at += std::string_view("…").size() - 1;
    } else if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) {
      escaped += "\\&";
      escaped += c;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string ManFlag(const Flag& flag) {
  std::string text = fmt::format(".TP\n\\fB{}\\fR", Roff(flag.name));
  if (!flag.metavar.empty() && !flag.IsPositional()) {
    text += fmt::format(" \\fI{}\\fR", Roff(flag.metavar));
  }
  text += fmt::format("\n{}", Roff(flag.help));
  if (!flag.choices.empty()) {
    text += Roff(fmt::format(" One of {}.", fmt::join(flag.choices, ", ")));
  }
  return text + fmt::format(" {}\n", Roff(DefaultText(flag)));
}

std::string ManVerb(const Verb& verb) {
  const Invocation invocation = verb.start();
  const std::vector<Flag>& flags = invocation.flags;
  std::string text =
      fmt::format(".SH VERB {}\n{}.\n.PP\n{}\n.PP\n\\fB{}\\fR\n", Roff(verb.name),
                  Roff(verb.summary), Roff(verb.description), Roff(UsageText(verb, flags)));
  for (const auto& section : BySection(flags)) {
    text += fmt::format(".SS {}\n", Roff(section[0]->section));
    for (const Flag* flag : section) text += ManFlag(*flag);
  }
  text += ".SS Examples\n";
  for (const Example& example : verb.examples) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", Roff(example.command), Roff(example.meaning));
  }
  return text;
}

std::string ManPage() {
  std::string text = fmt::format(
      ".TH VERNIER 1 \"\" \"vernier {}\" \"User commands\"\n"
      ".SH NAME\nvernier \\- runs, proves and measures published vision models\n"
      ".SH SYNOPSIS\n\\fBvernier\\fR \\fIVERB\\fR [\\fIflags\\fR]\n"
      ".SH DESCRIPTION\nEvery flag can also be set by an environment variable; a flag given on the "
      "command line wins, then the environment, then the default. Results go to standard output, "
      "everything else to standard error, whose last line says how the command ended.\n",
      Roff(Version()));
  text += ".SS Flags of every verb\n";
  for (const CommonFlag& flag : CommonFlags()) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", Roff(flag.spelling), Roff(flag.help));
  }
  for (const Verb& verb : Verbs()) text += ManVerb(verb);
  text += ".SH EXIT STATUS\n";
  for (const ExitMeaning& exit : ExitMeanings()) {
    text += fmt::format(".TP\n\\fB{}\\fR\n{} ({}).\n", exit.code, Roff(exit.meaning), exit.word);
  }
  text +=
      ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nWhen set and not empty, no colours are used.\n"
      ".PP\nThe variable of each flag stands with the flag.\n";
  return text;
}

std::vector<std::string> FlagNames(const std::vector<Flag>& flags) {
  std::vector<std::string> names = {"--help", "--print-config"};
  for (const Flag& flag : flags) {
    if (!flag.IsPositional()) names.emplace_back(flag.name);
  }
  return names;
}

// The compgen call that offers values for a flag; empty when the shell has nothing to offer.
std::string BashValues(const Flag& flag) {
  if (!flag.choices.empty()) return fmt::format("-W \"{}\"", fmt::join(flag.choices, " "));
  if (flag.completion == Completion::kFile) return "-f";
  if (flag.completion == Completion::kFolder) return "-d";
  return {};
}

std::string BashVerb(const Verb& verb) {
  const Invocation invocation = verb.start();
  const std::vector<Flag>& flags = invocation.flags;
  std::string text = fmt::format("    {})\n      case $previous in\n", verb.name);
  for (const Flag& flag : flags) {
    if (flag.IsPositional() || flag.IsSwitch()) continue;
    const std::string values = BashValues(flag);
    text += values.empty() ? fmt::format("        {}) return ;;\n", flag.name)
                           : fmt::format(
                                 "        {}) mapfile -t COMPREPLY < <(compgen {} -- \"$word\"); "
                                 "return ;;\n",
                                 flag.name, values);
  }
  text += "      esac\n";
  text += fmt::format("      flags=\"{}\" ;;\n", fmt::join(FlagNames(flags), " "));
  return text;
}

std::string BashCompletion() {
  std::vector<std::string_view> names;
  for (const Verb& verb : Verbs()) names.push_back(verb.name);
  std::string text = fmt::format(
      "# bash completion for vernier {}; made by: vernier --generate bash\n"
      "_vernier() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} flags=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"{} help --version --generate\" -- \"$word\")\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n"
      "    help) mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$word\"); return ;;\n"
      "    --generate) mapfile -t COMPREPLY < <(compgen -W \"man bash zsh\" -- \"$word\"); return "
      ";;\n",
      Version(), fmt::join(names, " "), fmt::join(names, " "));
  for (const Verb& verb : Verbs()) text += BashVerb(verb);
  text +=
      "  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
      "  else\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n"
      "}\n"
      "complete -o filenames -F _vernier vernier\n";
  return text;
}

// Inside '…[…]' of _arguments: quotes end the word, brackets and colons end the description.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string ZshAction(const Flag& flag) {
  if (!flag.choices.empty()) return fmt::format("({})", fmt::join(flag.choices, " "));
  if (flag.completion == Completion::kFile) return "_files";
  if (flag.completion == Completion::kFolder) return "_files -/";
  return " ";
}

std::string ZshFlag(const Flag& flag) {
  if (flag.IsPositional()) {
    return fmt::format("'{}:{}:{}'", flag.IsList() ? "*" : "", ZshText(flag.name), ZshAction(flag));
  }
  std::string spec =
      fmt::format("'{}{}[{}]", flag.IsList() ? "*" : "", flag.name, ZshText(flag.help));
  if (!flag.IsSwitch()) spec += fmt::format(":{}:{}", ZshText(flag.metavar), ZshAction(flag));
  return spec + "'";
}

std::string ZshVerb(const Verb& verb) {
  std::string text = fmt::format("    {})\n      _arguments", verb.name);
  for (const CommonFlag& flag : CommonFlags()) {
    const std::string_view name = flag.spelling.substr(flag.spelling.rfind(' ') + 1);
    text += fmt::format(" \\\n        '{}[{}]'", name, ZshText(flag.help));
  }
  const Invocation invocation = verb.start();
  for (const Flag& flag : invocation.flags) text += " \\\n        " + ZshFlag(flag);
  return text + " ;;\n";
}

std::string ZshCompletion() {
  std::string text = fmt::format(
      "#compdef vernier\n# zsh completion for vernier {}; made by: vernier --generate zsh\n"
      "_vernier() {{\n  local -a verbs\n  verbs=(\n",
      Version());
  for (const Verb& verb : Verbs()) {
    text += fmt::format("    '{}:{}'\n", verb.name, ZshText(verb.summary));
  }
  text +=
      "    'help:show the flags of a verb'\n  )\n"
      "  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n"
      "  local verb=${words[2]}\n  shift words\n  ((CURRENT--))\n"
      "  case $verb in\n    help) _describe verb verbs ;;\n";
  for (const Verb& verb : Verbs()) text += ZshVerb(verb);
  return text + "  esac\n}\n_vernier \"$@\"\n";
}

}  // namespace

std::string Generate(std::string_view kind) {
  if (kind == "man") return ManPage();
  if (kind == "bash") return BashCompletion();
  if (kind == "zsh") return ZshCompletion();
  throw Error(ErrorKind::kUsage,
              fmt::format("--generate: expected man, bash or zsh, found '{}'", kind.substr(0, 40)));
}

}  // namespace vernier
