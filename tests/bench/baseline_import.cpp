// The least a program can do to import the simulator's products, written by hand, to measure the daemon
// against.
//
//   baseline_import fetch URL        only reads the pages: what the simulator and the network cost by
//   themselves baseline_import first URL DB     one thread; per page of 500: GET over a kept connection
//   (libcurl easy handle),
//                                    Boost.JSON parse, then in one durable transaction (WAL,
//                                    synchronous=FULL) per item one INSERT into record(id, payload, hash),
//                                    one INSERT into mapping(external_id UNIQUE, record), and one cursor row
//   baseline_import again URL DB     the same pages; per item the stored hash is looked up by external id and
//                                    compared; one transaction per page writes the cursor row, or what
//                                    changed
//
// The payload is the item as serialized by Boost.JSON, the hash XXH3-128 of it. It does none of these: field
// mapping, exact numbers, schema checks, tenants, change feed, versions, references, retries, limits, process
// isolation, resuming after a crash. Prints the wall time in milliseconds.
#include <curl/curl.h>
#include <sqlite3.h>
#include <xxhash.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

namespace json = boost::json;

constexpr int page_size = 500;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "baseline_import: %s\n", why.c_str());
    std::exit(1);
}

class Pages {
  public:
    explicit Pages(const std::string& url) : url_(url), easy_(curl_easy_init()) {
        headers_ = curl_slist_append(headers_, "Authorization: Bearer shop-token");
        curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Pages::take);
        curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &body_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages() {
        curl_easy_cleanup(easy_);
        curl_slist_free_all(headers_);
    }

    const std::string& get(int page) {
        body_.clear();
        const std::string url =
            url_ + "?limit=" + std::to_string(page_size) + "&page=" + std::to_string(page);
        curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
        long status = 0;
        if (curl_easy_perform(easy_) != CURLE_OK) give_up("no answer from " + url);
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        if (status != 200) give_up(url + " answered " + std::to_string(status));
        return body_;
    }

  private:
    static std::size_t take(char* data, std::size_t, std::size_t bytes, void* into) {
        static_cast<std::string*>(into)->append(data, bytes);
        return bytes;
    }

    std::string url_, body_;
    CURL* easy_;
    curl_slist* headers_ = nullptr;
};

class Database {
  public:
    explicit Database(const char* path) {
        if (sqlite3_open(path, &handle_) != SQLITE_OK) give_up(std::string("cannot open ") + path);
        execute("PRAGMA journal_mode = WAL");
        execute("PRAGMA synchronous = FULL");
        execute("PRAGMA wal_autocheckpoint = 4000");
        execute("PRAGMA cache_size = -8192");
        execute(
            "CREATE TABLE IF NOT EXISTS record(id INTEGER PRIMARY KEY, payload TEXT NOT NULL, hash BLOB NOT "
            "NULL);"
            "CREATE TABLE IF NOT EXISTS mapping(external_id TEXT PRIMARY KEY, record INTEGER NOT NULL "
            "UNIQUE) "
            "WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS cursor(name TEXT PRIMARY KEY, page INTEGER NOT NULL) WITHOUT ROWID;");
        insert_record_ = prepare("INSERT INTO record(payload, hash) VALUES(?, ?)");
        insert_mapping_ = prepare("INSERT INTO mapping(external_id, record) VALUES(?, ?)");
        select_ = prepare(
            "SELECT r.id, r.hash FROM mapping m JOIN record r ON r.id = m.record WHERE m.external_id = ?");
        update_ = prepare("UPDATE record SET payload = ?, hash = ? WHERE id = ?");
        cursor_ = prepare(
            "INSERT INTO cursor VALUES('products', ?) ON CONFLICT DO UPDATE SET page = excluded.page");
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() {
        for (sqlite3_stmt* one : {insert_record_, insert_mapping_, select_, update_, cursor_})
            sqlite3_finalize(one);
        sqlite3_close(handle_);
    }

    void execute(const char* sql) {
        if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
            give_up(sqlite3_errmsg(handle_));
    }
    void insert(std::string_view id, std::string_view payload, std::string_view hash) {
        text(insert_record_, 1, payload);
        blob(insert_record_, 2, hash);
        run(insert_record_);
        text(insert_mapping_, 1, id);
        sqlite3_bind_int64(insert_mapping_, 2, sqlite3_last_insert_rowid(handle_));
        run(insert_mapping_);
    }
    void refresh(std::string_view id, std::string_view payload, std::string_view hash) {
        text(select_, 1, id);
        if (sqlite3_step(select_) != SQLITE_ROW) {
            sqlite3_reset(select_);
            return insert(id, payload, hash);
        }
        const auto* stored = static_cast<const char*>(sqlite3_column_blob(select_, 1));
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(select_, 1));
        const bool is_same = std::string_view(stored, size) == hash;
        const sqlite3_int64 record = sqlite3_column_int64(select_, 0);
        sqlite3_reset(select_);
        if (is_same) return;
        text(update_, 1, payload);
        blob(update_, 2, hash);
        sqlite3_bind_int64(update_, 3, record);
        run(update_);
    }
    void move_cursor(int page) {
        sqlite3_bind_int(cursor_, 1, page);
        run(cursor_);
    }

  private:
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(handle_, sql, -1, &statement, nullptr) != SQLITE_OK)
            give_up(sqlite3_errmsg(handle_));
        return statement;
    }
    static void text(sqlite3_stmt* statement, int at, std::string_view value) {
        sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    }
    static void blob(sqlite3_stmt* statement, int at, std::string_view value) {
        sqlite3_bind_blob(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
    }
    void run(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) give_up(sqlite3_errmsg(handle_));
        sqlite3_reset(statement);
    }

    sqlite3* handle_ = nullptr;
    sqlite3_stmt *insert_record_, *insert_mapping_, *select_, *update_, *cursor_;
};

void store(Database& database, const json::array& items, int page, bool is_first) {
    database.execute("BEGIN IMMEDIATE");
    for (const json::value& item : items) {
        const std::string id = std::to_string(item.at("id").as_int64());
        const std::string payload = json::serialize(item);
        XXH128_canonical_t hash;
        XXH128_canonicalFromHash(&hash, XXH3_128bits(payload.data(), payload.size()));
        const std::string_view bytes(reinterpret_cast<const char*>(hash.digest), sizeof hash.digest);
        if (is_first)
            database.insert(id, payload, bytes);
        else
            database.refresh(id, payload, bytes);
    }
    database.move_cursor(page);
    database.execute("COMMIT");
}

void import(const std::string& url, const char* path, bool is_first) {
    Pages pages(url);
    Database database(path);
    for (int page = 1;; ++page) {
        const json::value answer = json::parse(pages.get(page));
        store(database, answer.at("items").as_array(), page, is_first);
        if (page >= answer.at("pages").as_int64()) return;
    }
}

void fetch(const std::string& url) {
    Pages pages(url);
    const std::int64_t count = json::parse(pages.get(1)).at("pages").as_int64();
    for (int page = 2; page <= count; ++page) pages.get(page);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 2 ? argv[1] : "";
    if (!(mode == "fetch" && argc == 3) && !((mode == "first" || mode == "again") && argc == 4)) {
        std::fprintf(stderr, "usage: baseline_import fetch URL | first URL DB | again URL DB\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const auto began = std::chrono::steady_clock::now();
    if (mode == "fetch")
        fetch(argv[2]);
    else
        import(argv[2], argv[3], mode == "first");
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    std::printf("%.1f\n", took.count());
}
