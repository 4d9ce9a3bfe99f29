#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/asio/ssl/stream.hpp>
#include <fstream>

#include "web_fixture.hpp"

namespace liaisond::web {
namespace {

TEST_F(Web, AnswersOneAfterAnother) {
    start();
    const std::string all = ask(
        "GET /one HTTP/1.1\r\nHost: a\r\n\r\nPOST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
        plain("DELETE"));
    EXPECT_THAT(all, HasSubstr("GET /one "));
    EXPECT_THAT(all, HasSubstr("POST /two abc"));
    EXPECT_THAT(all, HasSubstr("DELETE /x "));
    EXPECT_THAT(all, HasSubstr("X-Content-Type-Options: nosniff"));
    EXPECT_THAT(all, HasSubstr("Referrer-Policy: same-origin"))
        << "with no-referrer, browsers send the login form with `Origin: null`, which is refused";
    EXPECT_THAT(all, Not(HasSubstr("Server:")));
}

// Room for bodies is what large ones are refused for, and small ones never.
TEST_F(Web, SmallBodiesAreReadBesidePromisesOfLargeOnes) {
    policy.limits.bodies = 1000;
    policy.limits.small_body = 10;
    start();
    Tcp::socket promising = connected();
    asio::write(promising, asio::buffer(plain("POST", "Content-Length: 990\r\nExpect: 100-continue\r\n")));
    std::string go_on(25, ' ');
    asio::read(promising, asio::buffer(go_on));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 11\r\n", "hello world")), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 10\r\n", "helloworld")), HasSubstr("POST /x helloworld"));
}

TEST_F(Web, ChunksAreReadAndWhatHidesInThemIsNot) {
    start();
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_THAT(ask(plain("POST", chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")), HasSubstr("POST /x abcde"));
    EXPECT_THAT(ask(plain("POST", chunked, "3;" + std::string(300, 'x') + "\r\nabc\r\n0\r\n\r\n")),
                StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(ask(plain("POST", chunked, "3\r\nabc\r\n0\r\nX-Admin: yes\r\n\r\n")),
                StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(ask(plain("POST", chunked, "zz\r\n")), StartsWith("HTTP/1.1 400"));
}

// The second request must not be believed: a proxy may have taken it for the body of the first.
TEST_F(Web, NothingIsReadAfterAnError) {
    start();
    const std::string all = ask(
        "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
        plain("GET"));
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(all, HasSubstr("Connection: close"));
    EXPECT_THAT(all, Not(HasSubstr("GET /x")));
}

TEST_F(Web, SizesHaveBounds) {
    policy.limits.body = 10;
    start();
    EXPECT_THAT(ask(plain("POST", "Content-Length: 11\r\n", "12345678901")), StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 1073741824\r\n")), StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(
        ask(plain("POST", "Transfer-Encoding: chunked\r\n", "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n")),
        StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(ask("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
                StartsWith("HTTP/1.1 431"));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 10\r\n", "1234567890")), HasSubstr("POST /x 1234567890"));
}

TEST_F(Web, AllBodiesTogetherHaveABound) {
    policy.limits.bodies = 100;
    policy.limits.small_body = 0;
    start();
    Tcp::socket slow = connected();
    asio::write(slow, asio::buffer(plain("POST", "Content-Length: 90\r\nExpect: 100-continue\r\n")));
    std::string said(25, '\0');
    asio::read(slow, asio::buffer(said));
    EXPECT_EQ(said, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(ask(plain("POST", "Content-Length: 20\r\n", std::string(20, 'x'))),
                StartsWith("HTTP/1.1 503"));
    asio::write(slow, asio::buffer(std::string(90, 'y')));
    EXPECT_THAT(rest(slow), HasSubstr(std::string(90, 'y')));
    EXPECT_THAT(ask(plain("POST", "Content-Length: 20\r\n", std::string(20, 'x'))),
                StartsWith("HTTP/1.1 200"));
}

TEST_F(Web, SlowClientsAreSentAway) {
    policy.limits.head_time = std::chrono::milliseconds(50);
    policy.limits.body_time = std::chrono::milliseconds(50);
    policy.limits.idle_time = std::chrono::milliseconds(50);
    start();
    EXPECT_EQ(ask("GET / HT"), "") << "a head that does not end";
    EXPECT_THAT(ask(plain("POST", "Content-Length: 5\r\n", "123")), StartsWith("HTTP/1.1 408"));
    EXPECT_THAT(ask("GET /x HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("GET /x"))
        << "kept, then idle, then closed";
}

TEST_F(Web, OneAddressHoldsSoManyConnections) {
    policy.limits.per_address = 2;
    start();
    Tcp::socket one = connected(), two = connected();
    asio::write(two, asio::buffer(std::string("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")));
    char first = 0;
    asio::read(two, asio::buffer(&first, 1));  // both have been accepted
    EXPECT_EQ(ask(plain("GET")), "");
    one.close();
    std::string answer;
    for (int i = 0; i < 1000 && answer.empty(); ++i) answer = ask(plain("GET"));
    EXPECT_THAT(answer, HasSubstr("GET /x"));
}

// A client that makes its next connection once it has read `Connection: close` is no crowd.
TEST_F(Web, WhoHasHadTheLastAnswerLeavesRoomForTheNext) {
    policy.limits.per_address = 1;
    policy.limits.linger_time = std::chrono::hours(1);
    start();
    std::vector<Tcp::socket> leaving;
    for (int i = 0; i < 2; ++i) {
        Tcp::socket& one = leaving.emplace_back(connected());
        asio::write(one, asio::buffer(plain("GET")));
        std::string answer;
        boost::system::error_code end;
        asio::read(one, asio::dynamic_buffer(answer), end);
        EXPECT_THAT(answer, HasSubstr("GET /x")) << i;
    }
    EXPECT_EQ(ask(plain("GET")), "") << "who never closes is a crowd after all";
    leaving.clear();
    std::string answer;
    for (int i = 0; i < 1000 && answer.empty(); ++i) answer = ask(plain("GET"));
    EXPECT_THAT(answer, HasSubstr("GET /x"));
}

TEST_F(Web, HostsOfOthersAreRefused) {
    start();
    EXPECT_THAT(ask("GET /x HTTP/1.1\r\nHost: evil.example\r\n\r\n"), StartsWith("HTTP/1.1 421"));
}

TEST_F(Web, HeadHasNoBodyAndAForgottenReplyIsAnError) {
    start();
    const std::string head = ask(plain("HEAD"));
    EXPECT_THAT(head, HasSubstr("Content-Length: 8"));
    EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
    handle = [](Request, const Reply&) {};
    EXPECT_THAT(ask(plain("GET")), StartsWith("HTTP/1.1 500"));
}

TEST_F(Web, AnswersFromOtherThreads) {
    std::thread other;
    handle = [&](Request, Reply reply) {
        other = std::thread([reply = std::move(reply)] { reply({200, "text/plain", "later"}); });
    };
    start();
    EXPECT_THAT(ask(plain("GET")), HasSubstr("later"));
    other.join();
}

TEST_F(Web, OnlyTrustedProxiesSpeakForOthers) {
    std::string seen;
    handle = [&](Request request, Reply reply) {
        seen = request.peer.address + (request.peer.is_secure ? " secure" : "");
        reply({});
    };
    start();
    const std::string claim =
        plain("GET", "X-Forwarded-For: 10.9.9.9, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n");
    ask(claim);
    EXPECT_EQ(seen, "127.0.0.1");
    stop();
    io.restart();
    policy.trusted_proxies = {"127.0.0.1"};
    start();
    ask(claim);
    EXPECT_EQ(seen, "203.0.113.7 secure");
}

TEST_F(Web, StreamsUntilTheyEnd) {
    handle = [](Request, Reply reply) {
        Answer answer;
        answer.type = "text/event-stream";
        answer.stream = [](const std::shared_ptr<Stream>& stream) {
            auto left = std::make_shared<int>(3);
            stream->on_drained([stream, left](bool open) {
                if (!open) return;
                if (--*left == 0) return stream->end();
                stream->send("data: " + std::to_string(*left) + "\n\n");
            });
        };
        reply(std::move(answer));
    };
    start();
    const std::string all = ask(plain("GET"));
    EXPECT_THAT(all, HasSubstr("Transfer-Encoding: chunked"));
    EXPECT_THAT(all, HasSubstr("data: 2\n\n"));
    EXPECT_THAT(all, testing::EndsWith("data: 1\n\n\r\n0\r\n\r\n"));
}

TEST_F(Web, AStreamKnowsThatNobodyListens) {
    std::promise<void> gone;
    handle = [&](Request, Reply reply) {
        Answer answer;
        answer.stream = [&](const std::shared_ptr<Stream>& stream) {
            stream->on_drained([stream, &gone](bool open) {
                if (!open) return gone.set_value();
                stream->send(std::string(100'000, 'x'));
            });
        };
        reply(std::move(answer));
    };
    start();
    {
        Tcp::socket socket = connected();
        asio::write(socket, asio::buffer(plain("GET")));
        char first = 0;
        asio::read(socket, asio::buffer(&first, 1));
    }
    EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST_F(Web, TheUnixSocketIsForItsGroup) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("liaison-web." + std::to_string(::getpid()));
    server = std::make_unique<Server>(io, policy, [](Request request, Reply reply) {
        reply({200, "text/plain", request.peer.is_local ? "local" : "remote"});
    });
    const std::string path = (folder / "deep" / "socket").string();
    ASSERT_TRUE(server->listen_local(path));
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0660));
    thread = std::thread([this] { io.run(); });
    asio::local::stream_protocol::socket socket(clients);
    socket.connect(asio::local::stream_protocol::endpoint(path));
    asio::write(socket,
                asio::buffer(std::string("GET / HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n")));
    EXPECT_THAT(rest(socket), HasSubstr("local"));
    stop();
    EXPECT_FALSE(std::filesystem::exists(path));
    std::filesystem::remove_all(folder);
}

TEST_F(Web, ASocketThatListensAlreadyIsTakenOver) {
    Tcp::acceptor systemd(clients, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    const std::string address = "127.0.0.1:" + std::to_string(systemd.local_endpoint().port());
    Tcp::socket early(clients);  // nobody is there yet
    early.connect(systemd.local_endpoint());
    asio::write(early, asio::buffer(plain("GET")));
    server = std::make_unique<Server>(io, policy, [](Request, Reply reply) {
        reply({200, "text/plain", "hello"});
    });
    const Status adopted = server->adopt(::dup(systemd.native_handle()), address);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ("127.0.0.1:" + std::to_string(server->port()), address);
    thread = std::thread([this] { io.run(); });
    EXPECT_THAT(rest(early), HasSubstr("hello"));
}

TEST_F(Web, ASocketOfAnotherAddressIsRefused) {
    Tcp::acceptor systemd(clients, Tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    Server another(io, policy, {});
    const Status adopted = another.adopt(::dup(systemd.native_handle()), "127.0.0.2:8480");
    ASSERT_FALSE(adopted);
    EXPECT_THAT(adopted.error().message,
                HasSubstr("127.0.0.2:8480: the one that was handed over listens on 127.0.0.1:"));
}

TEST(WebAddress, FaultsSayWhatToWrite) {
    asio::io_context io;
    for (const char* odd : {"8480", "localhost:8480", ":80", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:99999"}) {
        Server server(io, {}, {});
        const Status listening = server.listen(odd);
        ASSERT_FALSE(listening) << odd;
        EXPECT_THAT(listening.error().message, HasSubstr("127.0.0.1:8480"));
    }
}

// ---- TLS -------------------------------------------------------------------------------------------------

// A certificate of its own for "a", with that serial number.
Identity self_signed(const std::filesystem::path& folder, long serial) {
    std::filesystem::create_directories(folder);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(made), serial);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("a"), -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_sign(made, key, EVP_sha256());
    const Identity identity{(folder / "a.crt").string(), (folder / "a.key").string()};
    std::FILE* file = std::fopen(identity.certificate.c_str(), "w");
    PEM_write_X509(file, made);
    std::fclose(file);
    file = std::fopen(identity.key.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(made);
    EVP_PKEY_free(key);
    return identity;
}

struct Tls {
    std::string answer, version;
    long serial = 0;
};

class WebTls : public Web {
  protected:
    WebTls() { std::filesystem::remove_all(folder); }
    ~WebTls() override { std::filesystem::remove_all(folder); }
    Tls ask_tls(int highest = TLS1_3_VERSION) {
        asio::ssl::context context(asio::ssl::context::tls_client);
        SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context.native_handle(), highest);
        SSL_CTX_set_security_level(context.native_handle(), 0);
        asio::ssl::stream<Tcp::socket> stream(connected(), context);
        boost::system::error_code error;
        stream.handshake(asio::ssl::stream_base::client, error);
        if (error) return {};
        Tls seen;
        seen.version = SSL_get_version(stream.native_handle());
        X509* certificate = SSL_get1_peer_certificate(stream.native_handle());
        seen.serial = ASN1_INTEGER_get(X509_get_serialNumber(certificate));
        X509_free(certificate);
        asio::write(stream, asio::buffer(plain("GET")), error);
        asio::read(stream, asio::dynamic_buffer(seen.answer), error);
        return seen;
    }
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("liaison-tls." + std::to_string(::getpid()));
};

TEST_F(WebTls, SpeaksTheNewVersionsOnly) {
    start(self_signed(folder, 1));
    const Tls newest = ask_tls();
    EXPECT_EQ(newest.version, "TLSv1.3");
    EXPECT_THAT(newest.answer, HasSubstr("GET /x"));
    EXPECT_THAT(newest.answer, HasSubstr("Strict-Transport-Security"));
    EXPECT_EQ(ask_tls(TLS1_2_VERSION).version, "TLSv1.2");
    EXPECT_EQ(ask_tls(TLS1_1_VERSION).version, "");
    EXPECT_THAT(ask(plain("GET")), Not(HasSubstr("200")));
}

TEST_F(WebTls, ANewCertificateIsTakenUpAndABrokenOneIsNot) {
    const Identity identity = self_signed(folder, 1);
    start(identity);
    const auto reload = [&] {
        std::promise<Status> done;
        asio::post(io, [&] { done.set_value(server->reload(identity)); });
        return done.get_future().get();
    };
    EXPECT_EQ(ask_tls().serial, 1);
    (void)self_signed(folder, 2);
    EXPECT_TRUE(reload());
    EXPECT_EQ(ask_tls().serial, 2);
    std::ofstream(identity.certificate) << "no certificate";
    const Status broken = reload();
    ASSERT_FALSE(broken);
    EXPECT_THAT(broken.error().message, HasSubstr(identity.certificate));
    EXPECT_EQ(ask_tls().serial, 2);
}

}  // namespace
}  // namespace liaisond::web
