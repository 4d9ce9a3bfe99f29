// The least a daemon can be: opens an SQLite file (WAL), listens on a unix socket and answers every
// connection with one fixed HTTP answer. Ends with SIGTERM.
//
//   baseline_start DB SOCKET
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string_view>

int main(int argc, char** argv) {
    sqlite3* database = nullptr;
    if (argc != 3 || sqlite3_open(argv[1], &database) != SQLITE_OK) {
        std::fprintf(stderr, "usage: baseline_start DB SOCKET\n");
        return 2;
    }
    sqlite3_exec(database,
                 "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY)", nullptr,
                 nullptr, nullptr);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, argv[2], sizeof address.sun_path - 1);
    ::unlink(argv[2]);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 64) != 0) {
        std::perror("baseline_start");
        return 1;
    }
    constexpr std::string_view answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: "
        "close\r\n\r\n{\"ok\":true}";
    for (;;) {
        const int peer = ::accept(listener, nullptr, nullptr);
        if (peer < 0) continue;
        char request[4096];
        if (::read(peer, request, sizeof request) > 0 && ::write(peer, answer.data(), answer.size()) < 0)
            std::perror("baseline_start");
        ::close(peer);
    }
}
