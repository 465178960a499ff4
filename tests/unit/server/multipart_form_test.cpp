// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/multipart_form.h>

#include "server/temporary_file.h"
#include "tests/unit/server/made_request.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>

using namespace pronghorn;
using test::MadeRequest;

namespace {

namespace fs = std::filesystem;

std::string file_part(std::string_view name, std::string_view bytes) {
  return "--B\r\nContent-Disposition: form-data; name=up; filename=\"" + std::string(name) +
         "\"\r\nContent-Type: text/plain\r\n\r\n" + std::string(bytes) + "\r\n";
}

std::string field_part(std::string_view name, std::string_view value) {
  return "--B\r\nContent-Disposition: form-data; name=" + std::string(name) + "\r\n\r\n" +
         std::string(value) + "\r\n";
}

Result<MultipartForm> parse(const std::string& parts, const MultipartLimits& limits = {}) {
  return MultipartForm::parse(
      *MadeRequest({{"Content-Type", "multipart/form-data; boundary=B"}}, parts + "--B--\r\n"),
      limits);
}

int status(const std::string& parts, const MultipartLimits& limits) {
  auto form = parse(parts, limits);
  return form ? 200 : status_of(form.error());
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Folder {
  fs::path path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "multipart.XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("multipart form: fields, and files with both their names") {
  auto form = parse(field_part("a", "1") + file_part("../../evil.sh", "bytes") +
                    field_part("a", "2") + file_part("", ""));
  REQUIRE(form);
  CHECK(form->fields().size() == 2);
  CHECK(form->get("a") == "1");
  CHECK_FALSE(form->get("up"));
  REQUIRE(form->files().size() == 2);
  const UploadedFile* file = form->file("up");
  REQUIRE(file != nullptr);
  CHECK(file->name == "evil.sh");
  CHECK(file->sent_name == "../../evil.sh");
  CHECK(file->type == "text/plain");
  CHECK(file->size == 5);
  CHECK(*file->memory() == "bytes");
  CHECK(file->read() == "bytes");
  CHECK(form->files()[1].size == 0);
  CHECK(form->file("none") == nullptr);
}

TEST_CASE("multipart form: a file above a size goes to a file without a name") {
  Folder folder;
  const MultipartLimits limits{.file_in_memory = 10, .directory = folder.path.string()};
  const std::string small(10, 's');
  const std::string large = std::string(11, 'l') + "\r\n--C\r\n";
  auto form = parse(file_part("s", small) + file_part("l", large), limits);
  REQUIRE(form);
  CHECK(form->files()[0].memory() != nullptr);
  const UploadedFile& file = form->files()[1];
  CHECK(file.memory() == nullptr);
  REQUIRE(file.descriptor() >= 0);
  CHECK(file.size == large.size());
  CHECK(file.read() == large);
  CHECK(fs::is_empty(folder.path));
  struct stat facts{};
  REQUIRE(::fstat(file.descriptor(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  CHECK((::fcntl(file.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("multipart form: an uploaded file can be kept, but replaces nothing") {
  Folder folder;
  const MultipartLimits limits{.file_in_memory = 4, .directory = folder.path.string()};
  auto form = parse(file_part("a", "abc") + file_part("b", "abcdef"), limits);
  REQUIRE(form);
  for (const UploadedFile& file : form->files()) {
    const fs::path path = folder.path / file.name;
    REQUIRE(file.save(path));
    CHECK(bytes_of(path) == *file.read());
    struct stat facts{};
    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    auto again = file.save(path);
    REQUIRE_FALSE(again);
    CHECK(again.error().errno_value() == EEXIST);
    auto nowhere = file.save((folder.path / "none" / "x").string());
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().errno_value() == ENOENT);
  }
}

TEST_CASE("multipart form: a file is copied to another file system") {
  if (!fs::is_directory("/dev/shm")) return;
  Folder folder;
  struct stat here{}, there{};
  REQUIRE(::stat(folder.path.c_str(), &here) == 0);
  REQUIRE(::stat("/dev/shm", &there) == 0);
  if (here.st_dev == there.st_dev) return;
  auto form = parse(file_part("b", "abcdef"), {.file_in_memory = 4, .directory = "/dev/shm"});
  REQUIRE(form);
  REQUIRE(form->files()[0].save((folder.path / "copy").string()));
  CHECK(bytes_of(folder.path / "copy") == "abcdef");
}

TEST_CASE("multipart form: every size is bounded") {
  CHECK(status(field_part("a", std::string(8, 'x')), {.field = 8}) == 200);
  CHECK(status(field_part("a", std::string(9, 'x')), {.field = 8}) == 413);
  CHECK(status(field_part("a", "1234") + field_part("b", "1234"), {.fields = 10}) == 200);
  CHECK(status(field_part("a", "1234") + field_part("b", "12345"), {.fields = 10}) == 413);
  CHECK(status(file_part("a", "12345678"), {.file = 8}) == 200);
  CHECK(status(file_part("a", "123456789"), {.file = 8}) == 413);
  CHECK(status(file_part("a", "1234") + file_part("b", "1234"), {.files = 8}) == 200);
  CHECK(status(file_part("a", "1234") + file_part("b", "12345"), {.files = 8}) == 413);
  CHECK(status(file_part("a", "123456789"), {.file_in_memory = 1, .file = 8}) == 413);
}

TEST_CASE("multipart form: a wrong temporary directory is a 500, a full disk a 507") {
  CHECK(status(file_part("a", "12345"), {.file_in_memory = 1, .directory = "/none/such"}) == 500);
  auto full = parse(file_part("a", "12345"), {.file_in_memory = 1, .directory = "/none/such"});
  CHECK(error_response(full.error()).is_page());
  UniqueFd device(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(device);
  auto written = server::append_to(device.get(), "12345");
  REQUIRE_FALSE(written);
  CHECK(status_of(written.error()) == 507);
}

TEST_CASE("multipart form: a body in pieces is the same form") {
  const std::string body = field_part("a", "1") + file_part("f", "bytes") + "--B--";
  auto form = MultipartForm::begin("multipart/form-data; boundary=B");
  REQUIRE(form);
  for (char c : body) REQUIRE(form->feed({&c, 1}));
  REQUIRE(form->finish());
  CHECK(form->get("a") == "1");
  CHECK(form->file("f") == nullptr);
  CHECK(form->file("up")->read() == "bytes");
  auto moved = std::move(*form);
  CHECK(moved.get("a") == "1");
  auto cut = MultipartForm::begin("multipart/form-data; boundary=B");
  REQUIRE(cut->feed(body.substr(0, body.size() - 1)));
  auto finished = cut->finish();
  REQUIRE_FALSE(finished);
  CHECK(status_of(finished.error()) == 400);
}
