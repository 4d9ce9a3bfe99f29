#include "config/document.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"

namespace liaisond::config {
namespace json = boost::json;

std::string Place::text() const {
    if (line == 0) return file;
    return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Fault::text() const {
    std::string out = place.text() + ": ";
    if (!path.empty()) out += path + " ";
    return out + message;
}

std::string dotted(std::string_view pointer) {
    std::string out;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] == '/')
            out += out.empty() ? "" : ".";
        else if (pointer[i] == '~' && i + 1 < pointer.size())
            out += pointer[++i] == '1' ? '/' : '~';
        else
            out += pointer[i];
    }
    return out;
}

// Depth that no configuration needs but a stack can bear.
constexpr int max_depth = 32;
// Bytes of one file with all aliases followed: a few of them, one in another, make a file of some lines as
// large as one likes.
constexpr std::size_t max_size = 32u << 20, size_of_value = 32;

class Reader {
  public:
    Reader(Document& document, std::string file, std::vector<Fault>& faults)
        : document_(document), file_(std::move(file)), faults_(faults) {}

    void read(const std::string& text) {
        if (const int line = faulty_line(text); line != 0)
            return fault({file_, line, 1}, "", "is not UTF-8; save the file in that encoding");
        try {
            const YAML::Node root = YAML::Load(text);
            if (root.IsNull()) return;
            if (!root.IsMap()) return fault(place(root.Mark()), "", "must hold keys and values");
            for (const auto& entry : root) top_level(entry.first, entry.second);
        } catch (const YAML::Exception& error) {
            fault(place(error.mark), "", "is not valid YAML: " + error.msg);
        }
    }

  private:
    // The first one that is no UTF-8, from 1; 0: all of it is. The parser itself does not look, and takes
    // text with NULs for UTF-16 or UTF-32.
    static int faulty_line(const std::string& text) {
        const auto is_good = [](const std::string& part) {
            return valid_utf8(part) && part.find('\0') == part.npos;
        };
        if (is_good(text)) return 0;
        const std::vector<std::string> lines = split(text, '\n');
        return static_cast<int>(std::find_if_not(lines.begin(), lines.end(), is_good) - lines.begin()) + 1;
    }
    Place place(const YAML::Mark& mark) const {
        return mark.is_null() ? Place{file_, 0, 0} : Place{file_, mark.line + 1, mark.column + 1};
    }
    void fault(Place at, const std::string& pointer, std::string message) {
        faults_.push_back({std::move(at), dotted(pointer), std::move(message)});
    }

    void top_level(const YAML::Node& key_node, const YAML::Node& value) {
        const std::string& key = key_node.Scalar();
        const bool merges = (key == "tenants" || key == "integrations") && value.IsMap();
        const std::string pointer = "/" + pointer_token(key);
        const json::value* known = document_.root_.if_contains(key);
        if (merges && known != nullptr && known->is_null()) known = nullptr;  // one file has the mere name
        if (!merges || known == nullptr) {
            if (known != nullptr) return duplicate(pointer, place(key_node.Mark()));
            document_.marks_[pointer] = {place(key_node.Mark()), place(value.Mark())};
            if (!merges) {
                document_.root_[key] = convert(value, pointer, 1);
                return;
            }
            document_.root_[key] = json::object();
        } else if (!known->is_object()) {
            return duplicate(pointer, place(key_node.Mark()));
        }
        json::object& members = document_.root_[key].as_object();
        for (const auto& entry : value) member(members, entry.first, entry.second, pointer, 2);
    }

    void member(json::object& into, const YAML::Node& key_node, const YAML::Node& value,
                const std::string& parent, int depth) {
        if (!key_node.IsScalar())
            return fault(place(key_node.Mark()), parent, "has a key that is not plain text");
        const std::string& key = key_node.Scalar();
        const std::string pointer = parent + "/" + pointer_token(key);
        if (into.contains(key)) return duplicate(pointer, place(key_node.Mark()));
        document_.marks_[pointer] = {place(key_node.Mark()), place(value.Mark())};
        into[key] = convert(value, pointer, depth);
    }

    void duplicate(const std::string& pointer, Place second) {
        const Place first = document_.marks_[pointer].key;
        fault(std::move(second), pointer, "stands twice; the first is at " + first.text());
    }

    json::value convert(const YAML::Node& node, const std::string& pointer, int depth) {
        size_ += size_of_value + pointer.size() + (node.IsScalar() ? node.Scalar().size() : 0);
        if (depth > max_depth || size_ > max_size) {
            if (!std::exchange(is_cut_, true))
                fault(place(node.Mark()), pointer,
                      depth > max_depth
                          ? "is nested too deeply"
                          : "is too much: with its aliases (*name) followed, the file is larger "
                            "than 32 MiB");
            return nullptr;
        }
        if (node.IsMap()) {
            json::object members;
            for (const auto& entry : node) {
                if (is_cut_) break;
                member(members, entry.first, entry.second, pointer, depth + 1);
            }
            return members;
        }
        if (node.IsSequence()) {
            json::array items;
            for (std::size_t i = 0; i < node.size() && !is_cut_; ++i) {
                const std::string inside = pointer + "/" + std::to_string(i);
                document_.marks_[inside] = {place(node[i].Mark()), place(node[i].Mark())};
                items.push_back(convert(node[i], inside, depth + 1));
            }
            return items;
        }
        return scalar(node);
    }

    // YAML 1.2 core schema: only true and false are booleans; `no`, `on`, 0x10 and 1_000 are text.
    static json::value scalar(const YAML::Node& node) {
        if (node.IsNull()) return nullptr;
        const std::string& text = node.Scalar();
        const std::string& tag = node.Tag();
        if (tag == "!secret" || tag == "!env" || tag == "!file") return json::value(tag + " " + text);
        if (tag == "!") return json::value(text);  // quoted
        if (text == "true" || text == "True" || text == "TRUE") return true;
        if (text == "false" || text == "False" || text == "FALSE") return false;
        std::int64_t number = 0;
        const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
        const auto [end, error] = std::from_chars(first, text.data() + text.size(), number);
        const bool octal_trap = text.size() > 1 && text[0] == '0';  // 007 is an id, not seven
        if (error == std::errc() && end == text.data() + text.size() && !octal_trap) return number;
        return json::value(text);
    }

    Document& document_;
    std::string file_;
    std::vector<Fault>& faults_;
    std::size_t size_ = 0;
    bool is_cut_ = false;  // nothing more is read, and it has been said why
};

Document Document::load(const std::vector<std::filesystem::path>& files, std::vector<Fault>& faults) {
    Document document;
    for (const std::filesystem::path& file : files) {
        std::ifstream stream(file, std::ios::binary);
        std::stringstream text;
        if (std::filesystem::is_directory(file) || !stream || !(text << stream.rdbuf()).good()) {
            if (std::filesystem::exists(file) && std::filesystem::is_regular_file(file) &&
                std::filesystem::file_size(file) == 0) {
                continue;
            }
            faults.push_back(
                {{file.string(), 0, 0}, "", std::string("cannot be read: ") + std::strerror(errno)});
            continue;
        }
        Reader(document, file.string(), faults).read(text.str());
    }
    return document;
}

Document Document::parse(const std::string& text, const std::string& file, std::vector<Fault>& faults) {
    Document document;
    Reader(document, file, faults).read(text);
    return document;
}

Place Document::place(std::string pointer, bool key) const {
    while (true) {
        const auto found = marks_.find(pointer);
        if (found != marks_.end()) return key ? found->second.key : found->second.value;
        const std::size_t cut = pointer.rfind('/');
        if (cut == std::string::npos || pointer.empty())
            return marks_.empty() ? Place{} : Place{marks_.begin()->second.key.file, 0, 0};
        pointer.resize(cut);
        key = true;  // something is missing inside: point at the name of what should hold it
    }
}

void Document::add_fault(std::vector<Fault>& faults, const std::string& pointer, std::string message,
                         bool about_key) const {
    faults.push_back({place(pointer, about_key), dotted(pointer), std::move(message)});
}

}  // namespace liaisond::config
