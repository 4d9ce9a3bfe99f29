#include "ctl/completion.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "ctl/help.hpp"
#include "records/canonical_schemas.hpp"

namespace liaisond::ctl {
namespace {

// What can stand for the value of that name: words, or @integrations, @files, @folders.
struct Values {
    std::string_view name, words;
};
constexpr auto known_values = std::to_array<Values>({
    {"SCOPE", "read operate admin"},
    {"FORMAT", "csv ndjson"},
    {"SIDE", "hub remote"},
    {"WAY", "import export"},
    {"FILE", "@files"},
    {"PATH", "@files"},
    {"LIBRARY", "@files"},
    {"DIR", "@folders"},
});

std::string entities() {
    std::string words;
    for (const std::string& one : records::CanonicalSchemas::embedded().names())
        words += (words.empty() ? "" : " ") + one;
    return words;
}

// Ids of many things are called ID; this one is told by its purpose.
std::string values_of(std::string_view name, std::string_view purpose) {
    if (name == "ID" && purpose.find("integration") != std::string_view::npos) return "@integrations";
    if (name == "ENTITY" || name == "E") return entities();
    for (const Values& one : known_values) {
        if (one.name == name) return std::string(one.words);
    }
    return "-";
}

// In single quotes of the shell, on one line.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string parent_of(const std::string& path) {
    const std::size_t blank = path.rfind(' ');
    return blank == std::string::npos ? "" : path.substr(0, blank);
}

// A shell function that prints what belongs to its argument.
std::string function(const std::string& name, const std::string& cases) {
    return "_liaisonctl_" + name + "() {\n    case $1 in\n" + cases + "    esac\n}\n\n";
}

std::string lines_case(const std::string& key, const std::vector<std::string>& lines) {
    if (lines.empty()) return {};
    std::string text = "    " + quoted(key) + ") printf '%s\\n'";
    for (const std::string& line : lines) text += " \\\n        " + quoted(line);
    return text + " ;;\n";
}

// Sub-commands with their purposes, by command.
std::string commands_function(const std::vector<KnownCommand>& commands) {
    std::string cases;
    for (const KnownCommand& command : commands) {
        std::vector<std::string> lines;
        for (const KnownCommand& one : commands) {
            const Guide* guide = ctl::guide(one.path);
            if (one.path.empty() || parent_of(one.path) != command.path || guide == nullptr) continue;
            const std::size_t last = one.path.rfind(' ');
            lines.push_back(one.path.substr(last == std::string::npos ? 0 : last + 1) + ":" +
                            std::string(guide->purpose));
        }
        cases += lines_case(command.path, lines);
    }
    return function("commands", cases);
}

std::string options_function(const std::vector<KnownCommand>& commands) {
    std::string cases;
    for (const KnownCommand& command : commands) {
        std::vector<std::string> lines;
        for (const KnownOption& option : command.options)
            lines.push_back(option.names.back() + ":" + option.purpose);
        cases += lines_case(command.path, lines);
    }
    return function("options", cases);
}

// What follows "COMMAND --option"; nothing after a flag. With '-' nobody knows.
std::string values_function(const std::vector<KnownCommand>& commands) {
    std::string cases;
    for (const KnownCommand& command : commands) {
        for (const KnownOption& option : command.options) {
            if (option.value.empty()) continue;
            std::string keys;
            for (const std::string& name : option.names)
                keys += (keys.empty() ? "" : " | ") +
                        (command.path.empty() ? "*" + quoted(" " + name) : quoted(command.path + " " + name));
            cases += "    " + keys + ") echo " + quoted(values_of(option.value, option.purpose)) + " ;;\n";
        }
    }
    // Those of every command stand behind the more particular ones.
    return function("values", cases);
}

// What the words after "COMMAND" are, the first one first.
std::string arguments_function(const std::vector<KnownCommand>& commands) {
    std::string cases;
    for (const KnownCommand& command : commands) {
        for (std::size_t i = 0; i < command.arguments.size(); ++i) {
            const KnownArgument& one = command.arguments[i];
            const std::string key = quoted(command.path + " ") + (one.repeats ? "*" : std::to_string(i));
            cases += "    " + key + ") echo " + quoted(values_of(one.name, one.purpose)) + " ;;\n";
        }
    }
    return function("arguments", cases);
}

// Prints the candidates as "word:purpose", a line each, or @files or @folders. Bash and zsh both understand
// it.
constexpr std::string_view search = R"sh(# Ids of the integrations, where the daemon answers within a second.
_liaisonctl_integrations() {
    timeout 1 "$1" ${2:+"--socket=$2"} ${3:+"--config=$3"} --json integrations 2>/dev/null |
        grep -o '{"id":"[^"]*","tenant"' | cut -d '"' -f 4
}

# program, word to complete, words between them
_liaisonctl_candidates() {
    local program=$1 current=$2 command='' pending='' count=0 values='' socket='' config='' word
    shift 2
    for word in "$@"; do
        if [ -n "$pending" ]; then
            case $pending in
            --socket) socket=$word ;;
            --config) config=$word ;;
            esac
            pending=''
            continue
        fi
        case $word in
        --*=*) ;;
        -*) [ -z "$(_liaisonctl_values "$command $word")" ] || pending=$word ;;
        *)
            if [ $count = 0 ] && _liaisonctl_commands "$command" | grep -q "^$word:"; then
                command="${command:+$command }$word"
            else
                count=$((count + 1))
            fi
            ;;
        esac
    done
    if [ -n "$pending" ]; then
        values=$(_liaisonctl_values "$command $pending")
    else
        case $current in
        -*)
            _liaisonctl_options "$command"
            [ -z "$command" ] || _liaisonctl_options ''
            return
            ;;
        esac
        [ $count != 0 ] || _liaisonctl_commands "$command"
        values=$(_liaisonctl_arguments "$command $count")
    fi
    case $values in
    '' | -) ;;
    @integrations) _liaisonctl_integrations "$program" "$socket" "$config" ;;
    @*) echo "$values" ;;
    *) echo "$values" | tr ' ' '\n' ;;
    esac
}

)sh";

constexpr std::string_view in_bash = R"sh(_liaisonctl() {
    local current=${COMP_WORDS[COMP_CWORD]} line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        @files)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            ;;
        @folders)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            ;;
        "$current"*) COMPREPLY+=("${line%%:*}") ;;
        esac
    done < <(_liaisonctl_candidates "${COMP_WORDS[0]}" "$current" "${COMP_WORDS[@]:1:COMP_CWORD-1}")
}
complete -F _liaisonctl liaisonctl
)sh";

constexpr std::string_view in_zsh = R"sh(_liaisonctl() {
    local -a found plain
    found=("${(@f)$(_liaisonctl_candidates "$words[1]" "$words[CURRENT]" "${(@)words[2,CURRENT-1]}")}")
    plain=("${(@)found:#@*}")
    (( ${found[(I)@files]} )) && _files
    (( ${found[(I)@folders]} )) && _files -/
    [[ -z "$plain[1]" ]] || _describe 'liaisonctl' plain
}
_liaisonctl "$@"
)sh";

std::string tables(const std::vector<KnownCommand>& commands) {
    return "# Generated from the commands of liaisonctl.\n\n" + commands_function(commands) +
           options_function(commands) + values_function(commands) + arguments_function(commands) +
           std::string(search);
}

}  // namespace

std::string bash_completion(const std::vector<KnownCommand>& commands) {
    return tables(commands) + std::string(in_bash);
}

std::string zsh_completion(const std::vector<KnownCommand>& commands) {
    return "#compdef liaisonctl\n" + tables(commands) + std::string(in_zsh);
}

}  // namespace liaisond::ctl
