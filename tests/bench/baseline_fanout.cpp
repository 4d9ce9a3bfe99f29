// The least a program can do to send N requests at once and read N answers: one libcurl multi handle, N easy
// handles, one connection each. No stores, no runs, no isolation. Prints wall and CPU time in milliseconds
// and the peak resident memory in KiB.
//
//   baseline_fanout URL COUNT
#include <curl/curl.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {

std::size_t swallow(char*, std::size_t, std::size_t bytes, void* total) {
    *static_cast<std::size_t*>(total) += bytes;
    return bytes;
}

double milliseconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
}

}  // namespace

int main(int argc, char** argv) {
    const int count = argc == 3 ? std::atoi(argv[2]) : 0;
    if (count <= 0) {
        std::fprintf(stderr, "usage: baseline_fanout URL COUNT\n");
        return 2;
    }
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const auto began = std::chrono::steady_clock::now();
    CURLM* multi = curl_multi_init();
    curl_slist* headers = curl_slist_append(nullptr, "Authorization: Bearer shop-token");
    std::size_t bytes = 0;
    for (int i = 0; i < count; ++i) {
        CURL* easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &bytes);
        curl_multi_add_handle(multi, easy);
    }
    int running = 0, failed = 0, done = 0;
    do {
        curl_multi_perform(multi, &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
            long status = 0;
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            if (message->data.result != CURLE_OK || status != 200) ++failed;
            ++done;
            CURL* easy = message->easy_handle;
            curl_multi_remove_handle(multi, easy);
            curl_easy_cleanup(easy);
        }
        if (running > 0) curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
    } while (running > 0);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::printf("%.1f %.1f %ld\n", took.count(), milliseconds(used.ru_utime) + milliseconds(used.ru_stime),
                used.ru_maxrss);
    if (failed > 0 || done != count)
        std::fprintf(stderr, "baseline_fanout: %d of %d failed\n", failed, count);
    return failed > 0 || done != count ? 1 : 0;
}
