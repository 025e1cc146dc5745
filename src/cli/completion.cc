#include "cli/completion.h"

#include <fmt/core.h>

namespace ampacity::cli {
namespace {

// What may follow "ampacity <path>": the next words of deeper verbs, then flags.
std::string words_after(const VerbWords& verb, const std::vector<VerbWords>& verbs) {
  std::string words;
  for (const auto& v : verbs) {
    const std::string prefix = verb.path.empty() ? "" : verb.path + " ";
    if (v.path.size() <= prefix.size() || !v.path.starts_with(prefix)) continue;
    const std::string rest = v.path.substr(prefix.size());
    if (rest.find(' ') == std::string::npos) words += (words.empty() ? "" : " ") + rest;
  }
  for (const auto& flag : verb.flags) words += (words.empty() ? "" : " ") + flag;
  return words;
}

std::string bash(const std::vector<VerbWords>& verbs) {
  std::string cases;
  for (const auto& v : verbs)
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", v.path, words_after(v, verbs));
  return "# bash completion for ampacity:  source <(ampacity completion bash)\n"
         "_ampacity() {\n"
         "  local path=\"\" words=\"\" i\n"
         "  for ((i = 1; i < COMP_CWORD && i < 3; i++)); do\n"
         "    [[ ${COMP_WORDS[i]} == -* ]] && break\n"
         "    case \" $(_ampacity_paths) \" in\n"
         "      *\" ${path:+${path}/}${COMP_WORDS[i]} \"*) "
         "path=\"${path:+$path/}${COMP_WORDS[i]}\" ;;\n"
         "      *) break ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"${path//\\// }\" in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n";
}

std::string bash_paths(const std::vector<VerbWords>& verbs) {
  std::string all;
  for (const auto& v : verbs) {
    if (v.path.empty()) continue;
    std::string path = v.path;
    for (char& c : path)
      if (c == ' ') c = '/';
    all += (all.empty() ? "" : " ") + path;
  }
  return "_ampacity_paths() { echo '" + all + "'; }\ncomplete -o default -F _ampacity ampacity\n";
}

std::string fish(const std::vector<VerbWords>& verbs) {
  std::string out = "# fish completion for ampacity:  ampacity completion fish | source\n";
  for (const auto& v : verbs) {
    const auto space = v.path.find(' ');
    const std::string first = v.path.substr(0, space);
    const std::string seen = "__fish_seen_subcommand_from " + first;
    std::string what = v.what;
    for (char& c : what)
      if (c == '\'') c = '`';
    if (v.path.empty()) continue;
    if (space == std::string::npos)
      out += fmt::format("complete -c ampacity -n __fish_use_subcommand -f -a {} -d '{}'\n", first,
                         what);
    else
      out += fmt::format("complete -c ampacity -n '{}' -f -a {} -d '{}'\n", seen,
                         v.path.substr(space + 1), what);
    for (const auto& flag : v.flags)
      out += flag.starts_with("--")
                 ? fmt::format("complete -c ampacity -n '{}' -l {}\n", seen, flag.substr(2))
                 : fmt::format("complete -c ampacity -n '{}' -s {}\n", seen, flag.substr(1));
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell,
                                             const std::vector<VerbWords>& verbs) {
  if (shell == "bash") return bash(verbs) + bash_paths(verbs);
  if (shell == "zsh")
    return "# zsh completion for ampacity:  source <(ampacity completion zsh)\n"
           "autoload -U +X compinit bashcompinit && compinit && bashcompinit\n" +
           bash(verbs) + bash_paths(verbs);
  if (shell == "fish") return fish(verbs);
  return std::nullopt;
}

}  // namespace ampacity::cli
