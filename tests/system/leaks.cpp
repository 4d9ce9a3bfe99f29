#include "leaks.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

namespace liaison_system {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t shortest_secret = 8;

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A secret may be named like the file that holds it, and messages name files.
bool holds(const std::string& text, const std::string& secret) {
    static const std::string folder = "secrets/";
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; ++at) {
        const bool is_name =
            at >= folder.size() && text.compare(at - folder.size(), folder.size(), folder) == 0;
        if (!is_name) return true;
    }
    return false;
}

using Lines = std::vector<std::string>;

Lines texts_of(sqlite3* database, const std::string& sql) {
    Lines texts;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) return texts;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); ++i) {
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
            if (bytes != nullptr) texts.emplace_back(bytes, size);
        }
    }
    sqlite3_finalize(statement);
    return texts;
}

// Long values lie in pieces in the file, so that the file alone does not tell.
Lines leaks_in_database(const fs::path& path, const Lines& secrets) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> database(opened, &sqlite3_close);
    if (code != SQLITE_OK) return {};
    Lines found;
    for (const std::string& table : texts_of(opened, "SELECT name FROM sqlite_master WHERE type = 'table'")) {
        std::string all;
        for (const std::string& text : texts_of(opened, "SELECT * FROM \"" + table + "\""))
            all += text + '\n';
        for (std::string& line : leaks(path.filename().string() + ": " + table, all, secrets))
            found.push_back(std::move(line));
    }
    return found;
}

bool is_ours(const fs::path& relative) {
    return *relative.begin() != "secrets" && relative.extension() != ".yaml" && relative != "sim.log";
}

}  // namespace

Lines leaks(const std::string& where, const std::string& text, const Lines& secrets) {
    Lines found;
    for (const std::string& secret : secrets) {
        if (secret.size() >= shortest_secret && holds(text, secret))
            found.push_back(where + ": '" + secret.substr(0, 6) + "...'");
    }
    return found;
}

Lines leaks(const fs::path& root, const Lines& secrets) {
    Lines found;
    const auto add = [&](Lines more) { std::move(more.begin(), more.end(), std::back_inserter(found)); };
    std::error_code gone;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, gone)) {
        const fs::path relative = entry.path().lexically_relative(root);
        if (!entry.is_regular_file(gone) || !is_ours(relative)) continue;
        if (relative.extension() == ".db") add(leaks_in_database(entry.path(), secrets));
        add(leaks(relative.string(), read_file(entry.path()), secrets));
    }
    return found;
}

Lines contents_of(const fs::path& folder) {
    Lines contents;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
        std::string text = read_file(entry.path());
        while (!text.empty() && text.back() == '\n') text.pop_back();
        contents.push_back(std::move(text));
    }
    return contents;
}

}  // namespace liaison_system
