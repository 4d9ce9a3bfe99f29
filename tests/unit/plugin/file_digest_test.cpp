#include "plugin/file_digest.hpp"

#include <cstdio>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "plugin/unique_fd.hpp"

namespace liaisond::plugin {
namespace {

struct TemporaryFile {
    explicit TemporaryFile(const std::string& bytes) {
        std::FILE* const file = std::tmpfile();
        fd = UniqueFd(::dup(::fileno(file)));
        std::fclose(file);
        EXPECT_EQ(static_cast<ssize_t>(bytes.size()), ::write(fd.get(), bytes.data(), bytes.size()));
    }
    UniqueFd fd;
};

TEST(FileDigest, IsTheSha256OfTheBytes) {
    const TemporaryFile file("abc");
    EXPECT_EQ("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
              *file_digest(file.fd.get()));
}

TEST(FileDigest, OfNothingIsThatOfNoBytes) {
    const TemporaryFile file("");
    EXPECT_EQ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
              *file_digest(file.fd.get()));
}

TEST(FileDigest, ReadsAllOfALargeFileAndLeavesThePosition) {
    const TemporaryFile file(std::string(1'000'000, 'a'));
    ASSERT_EQ(7, ::lseek(file.fd.get(), 7, SEEK_SET));
    EXPECT_EQ("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
              *file_digest(file.fd.get()));
    EXPECT_EQ(7, ::lseek(file.fd.get(), 0, SEEK_CUR));
}

TEST(FileDigest, SaysWhyAFileCannotBeRead) {
    int ends[2];
    ASSERT_EQ(0, ::pipe(ends));
    const UniqueFd in(ends[0]), out(ends[1]);
    EXPECT_EQ("cannot be read: Illegal seek", file_digest(in.get()).error().message);
}

}  // namespace
}  // namespace liaisond::plugin
