#include "config/managed.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/ids.hpp"
#include "base/json.hpp"
#include "config/config.hpp"

namespace liaisond::config {
namespace json = boost::json;
namespace fs = std::filesystem;
namespace {

constexpr const char* head =
    "# Made over the API of liaison, which writes this file anew with every change: comments do not stay.\n";

// Numbers, true and false; a fraction as people write it.
std::string plain(const json::value& value) {
    if (!value.is_double()) return json::serialize(value);
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value.get_double()).ptr;
    return {text, end};
}

void emit(YAML::Emitter& out, const json::value& value) {
    if (const json::object* members = value.if_object()) {
        out << YAML::BeginMap;
        for (const auto& [name, member] : *members) {
            out << YAML::Key << std::string(name) << YAML::Value;
            emit(out, member);
        }
        out << YAML::EndMap;
    } else if (const json::array* items = value.if_array()) {
        out << (items->empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
        for (const json::value& item : *items) emit(out, item);
        out << YAML::EndSeq;
    } else if (const json::string* text = value.if_string()) {
        const std::string whole(*text);
        if (whole.starts_with("!secret "))
            out << YAML::LocalTag("secret") << YAML::DoubleQuoted << whole.substr(8);
        else
            out << YAML::DoubleQuoted << whole;
    } else if (value.is_null()) {
        out << YAML::Null;
    } else {
        out << plain(value);
    }
}

Status trouble(const std::string& doing, const fs::path& path) {
    return fail(ErrorKind::transient, doing + " " + path.string() + " failed: " + std::strerror(errno) +
                                          "; the daemon must be allowed to write in conf.d/managed");
}

Status write_durably(const fs::path& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return trouble("writing", path);
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) break;
        done += static_cast<std::size_t>(wrote);
    }
    const bool whole = done == text.size() && ::fsync(fd) == 0;
    ::close(fd);
    return whole ? Status() : trouble("writing", path);
}

Status sync_folder(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return trouble("opening", path);
    const bool synced = ::fsync(fd) == 0;
    ::close(fd);
    return synced ? Status() : trouble("writing", path);
}

}  // namespace

std::string integration_yaml(const std::string& id, const json::object& content) {
    YAML::Emitter out;
    out.SetIndent(2);
    out << YAML::BeginMap << YAML::Key << "integrations" << YAML::Value << YAML::BeginMap << YAML::Key << id
        << YAML::Value;
    emit(out, content);
    out << YAML::EndMap << YAML::EndMap;
    return std::string(head) + out.c_str() + "\n";
}

std::optional<Managed::Shown> Managed::find(const std::string& id) const {
    std::vector<Fault> ignored;
    const Document document = Document::load(config_files(main_), ignored);
    const json::value* all = document.root().if_contains("integrations");
    const json::value* one = all != nullptr && all->is_object() ? all->get_object().if_contains(id) : nullptr;
    if (one == nullptr || !one->is_object()) return std::nullopt;
    Shown shown;
    shown.content = one->get_object();
    shown.place = document.place("/integrations/" + pointer_token(id), true);
    shown.is_managed = shown.place.file == file(id).string();
    shown.etag = "\"" + to_hex(content_hash(json::serialize(*one))) + "\"";
    return shown;
}

Result<std::vector<fs::path>> Managed::stage(const std::string& id, const json::object* content) const {
    std::vector<fs::path> files;
    for (const fs::path& one : config_files(main_)) {
        if (one != file(id)) files.push_back(one);
    }
    if (content == nullptr) return files;
    std::error_code error;
    fs::create_directories(folder(), error);
    if (const Status written = write_durably(staged(id), integration_yaml(id, *content)); !written)
        return fail(written.error());
    files.push_back(staged(id));
    return files;
}

Status Managed::commit(const std::string& id, bool removed) const {
    const int done = removed ? ::unlink(file(id).c_str()) : ::rename(staged(id).c_str(), file(id).c_str());
    if (done != 0) return trouble(removed ? "removing" : "writing", file(id));
    return sync_folder(folder());
}

void Managed::discard(const std::string& id) const {
    std::error_code ignored;
    fs::remove(staged(id), ignored);
}

}  // namespace liaisond::config
