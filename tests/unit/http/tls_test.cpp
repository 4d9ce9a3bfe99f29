#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <optional>
#include <thread>

#include "base/system.hpp"
#include "http/curl_transport.hpp"
#include "http/probe.hpp"
#include "sync/sim_house.hpp"

namespace liaisond::http {
namespace {
namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// A certificate that 127.0.0.1 signed for itself, as PEM files.
void write_certificate(const std::string& key_file, const std::string& certificate_file) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("sap"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION* address = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(certificate, address, -1);
    X509_EXTENSION_free(address);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

// Answers one request on each of a number of TLS connections.
class TlsServer {
  public:
    TlsServer(const std::string& key_file, const std::string& certificate_file, int connections)
        : context_(asio::ssl::context::tls_server),
          acceptor_(io_, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
        context_.use_private_key_file(key_file, asio::ssl::context::pem);
        context_.use_certificate_file(certificate_file, asio::ssl::context::pem);
        thread_ = std::thread([this, connections] {
            for (int i = 0; i < connections; ++i) serve();
        });
    }
    ~TlsServer() { thread_.join(); }
    std::string url() { return "https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

  private:
    void serve() {
        boost::system::error_code error;
        asio::ssl::stream<Tcp::socket> stream(acceptor_.accept(), context_);
        stream.handshake(asio::ssl::stream_base::server, error);
        if (error) return;
        std::string head;
        char c = 0;
        while (head.find("\r\n\r\n") == std::string::npos &&
               stream.read_some(asio::buffer(&c, 1), error) == 1)
            head += c;
        const std::string answer =
            "HTTP/1.1 200 OK\r\nDate: Fri, 06 Mar 2026 19:30:00 GMT\r\nContent-Length: 2\r\nConnection: "
            "close\r\n\r\nok";
        asio::write(stream, asio::buffer(answer), error);
        stream.shutdown(error);
    }
    asio::io_context io_;
    asio::ssl::context context_;
    Tcp::acceptor acceptor_;
    std::thread thread_;
};

Response get(const std::string& url, const std::string& ca_file) {
    asio::io_context io;
    CurlTransport transport(io);
    Request request;
    request.method = "GET";
    request.url = url + "/";
    request.ca_file = ca_file;
    request.pool = "test";
    auto egress = std::make_shared<Egress>();
    egress->origins = {url};
    request.egress = egress;
    std::optional<Response> answer;
    transport.send(std::move(request), [&](Response response) { answer = std::move(response); });
    while (!answer) io.run_one();
    return std::move(*answer);
}

TEST(Tls, ASelfSignedCertificateIsTrustedWhereTheIntegrationSaysSo) {
    const sync_test::TempDir directory;
    const std::string key = directory.path() + "/key.pem", certificate = directory.path() + "/sap.pem";
    write_certificate(key, certificate);
    const std::string other = directory.path() + "/other.pem";
    write_certificate(directory.path() + "/other.key", other);
    TlsServer server(key, certificate, 3);

    const Response untrusted = get(server.url(), "");
    EXPECT_EQ(untrusted.failure, Response::Failure::not_sent);
    EXPECT_NE(untrusted.error.find("certificate"), std::string::npos) << untrusted.error;
    EXPECT_EQ(get(server.url(), other).failure, Response::Failure::not_sent);
    const Response trusted = get(server.url(), certificate);
    EXPECT_EQ(trusted.body, "ok") << trusted.error;
}

TEST(Tls, AProbeTellsTheHostsTimeAndWhatItsCertificateIsWorth) {
    const sync_test::TempDir directory;
    const std::string key = directory.path() + "/key.pem", certificate = directory.path() + "/sap.pem";
    write_certificate(key, certificate);
    TlsServer server(key, certificate, 2);
    const SystemClock clock;

    const auto answers = probe({{server.url(), certificate}, {server.url(), ""}}, Milliseconds(5000), clock);
    ASSERT_EQ(answers.size(), 2u);
    EXPECT_EQ(answers[0].reached, ProbeAnswer::Reached::answer) << answers[0].error;
    EXPECT_EQ(answers[0].status, 200u);
    EXPECT_EQ(answers[0].date, parse_instant("2026-03-06T19:30:00Z"));
    ASSERT_TRUE(answers[0].expiry);
    EXPECT_GT(*answers[0].expiry, clock.now() + std::chrono::hours(23));
    EXPECT_LT(*answers[0].expiry, clock.now() + std::chrono::hours(25));
    EXPECT_EQ(answers[1].reached, ProbeAnswer::Reached::connection);
    EXPECT_TRUE(answers[1].is_distrusted);
    EXPECT_NE(answers[1].error.find("certificate"), std::string::npos) << answers[1].error;
}

TEST(Tls, AProbeTellsHowFarItCame) {
    asio::io_context io;
    std::string closed;
    {
        Tcp::acceptor acceptor(io, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        closed = "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port());
    }
    const auto answers =
        probe({{closed, ""}, {"https://no-such-host.invalid", ""}}, Milliseconds(5000), SystemClock());
    EXPECT_EQ(answers[0].reached, ProbeAnswer::Reached::name) << answers[0].error;
    EXPECT_EQ(answers[1].reached, ProbeAnswer::Reached::nothing) << answers[1].error;
    EXPECT_FALSE(answers[1].error.empty());
}

}  // namespace
}  // namespace liaisond::http
