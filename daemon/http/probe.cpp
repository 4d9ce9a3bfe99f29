#include "http/probe.hpp"

#include <curl/curl.h>

#include <cstring>
#include <memory>
#include <string_view>

namespace liaisond::http {
namespace {

struct Visit {
    Visit() : easy(curl_easy_init(), curl_easy_cleanup) {}
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy;
    char error[CURL_ERROR_SIZE] = {};
    std::optional<Instant> date;
};

std::optional<Instant> instant_of(const std::string& text) {
    const std::time_t seconds = curl_getdate(text.c_str(), nullptr);
    if (seconds < 0) return std::nullopt;
    return from_unix_ms(static_cast<std::int64_t>(seconds) * 1000);
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* visit) {
    constexpr std::string_view name = "date:";
    const std::string_view line(data, size);
    if (size > name.size() && strncasecmp(data, name.data(), name.size()) == 0)
        static_cast<Visit*>(visit)->date = instant_of(std::string(line.substr(name.size())));
    return size;
}

std::size_t ignore_body(char*, std::size_t, std::size_t size, void*) { return size; }

void prepare(Visit& visit, const ProbeTarget& target, Milliseconds limit) {
    CURL* easy = visit.easy.get();
    curl_easy_setopt(easy, CURLOPT_URL, (target.origin + "/").c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!target.ca_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, target.ca_file.c_str());
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
    }
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "liaison/0.1");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, visit.error);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &visit);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &ignore_body);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &visit);
}

// Of the host's own certificate, which comes first.
std::optional<Instant> certificate_expiry(CURL* easy) {
    constexpr std::string_view name = "Expire date:";
    curl_certinfo* chain = nullptr;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr) return {};
    if (chain->num_of_certs < 1) return {};
    for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
        const std::string_view text(line->data);
        if (text.starts_with(name)) return instant_of(std::string(text.substr(name.size())));
    }
    return {};
}

bool is_about_trust(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR;
}

std::chrono::microseconds elapsed(CURL* easy, CURLINFO what) {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, what, &microseconds);
    return std::chrono::microseconds(microseconds);
}

// A step that was not taken has taken no time.
ProbeAnswer::Reached reached(CURL* easy, unsigned status, CURLcode code) {
    using Reached = ProbeAnswer::Reached;
    if (status != 0) return Reached::answer;
    if (code == CURLE_COULDNT_RESOLVE_HOST) return Reached::nothing;
    if (code == CURLE_COULDNT_CONNECT) return Reached::name;
    long local_port = 0;  // only a connection has one
    curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
    if (local_port > 0 || is_about_trust(code) || code == CURLE_SSL_CONNECT_ERROR) return Reached::connection;
    return elapsed(easy, CURLINFO_NAMELOOKUP_TIME_T).count() > 0 ? Reached::name : Reached::nothing;
}

ProbeAnswer answer_of(Visit& visit, CURLcode code, const Clock& clock) {
    CURL* easy = visit.easy.get();
    ProbeAnswer answer;
    answer.at = clock.now();
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<unsigned>(status);
    answer.date = visit.date;
    answer.expiry = certificate_expiry(easy);
    answer.is_distrusted = is_about_trust(code);
    answer.duration = std::chrono::duration_cast<Milliseconds>(elapsed(easy, CURLINFO_STARTTRANSFER_TIME_T) -
                                                               elapsed(easy, CURLINFO_PRETRANSFER_TIME_T));
    answer.reached = reached(easy, answer.status, code);
    if (answer.reached != ProbeAnswer::Reached::answer)
        answer.error = visit.error[0] != '\0' ? visit.error : curl_easy_strerror(code);
    return answer;
}

}  // namespace

std::vector<ProbeAnswer> probe(const std::vector<ProbeTarget>& targets, Milliseconds limit,
                               const Clock& clock) {
    std::vector<ProbeAnswer> answers(targets.size());
    std::vector<Visit> visits(targets.size());
    const std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi(curl_multi_init(), curl_multi_cleanup);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        prepare(visits[i], targets[i], limit);
        curl_multi_add_handle(multi.get(), visits[i].easy.get());
    }
    int running = static_cast<int>(targets.size());
    while (running > 0) {
        curl_multi_perform(multi.get(), &running);
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            Visit* visit = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &visit);
            answers[static_cast<std::size_t>(visit - visits.data())] =
                answer_of(*visit, message->data.result, clock);
        }
        if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, 100, nullptr);
    }
    for (Visit& visit : visits) curl_multi_remove_handle(multi.get(), visit.easy.get());
    return answers;
}

}  // namespace liaisond::http
