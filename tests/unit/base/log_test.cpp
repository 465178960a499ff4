// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/log_format.h"
#include "base/unique_fd.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace pronghorn;
using log::Form;
using log::Level;

namespace {

std::vector<std::string> render(Form form, log::Fields fields, std::string_view sentence,
                                bool colour = false, std::string_view who = "master",
                                std::string_view event = "worker killed") {
  std::chrono::system_clock::time_point time{std::chrono::milliseconds(1'795'348'900'123)};
  return log::render({Level::warn, event, fields, sentence, time}, form, colour, who);
}

// Puts `fd` in the place of standard error for a while.
class Stderr {
 public:
  explicit Stderr(int fd) : old_(::fcntl(2, F_DUPFD_CLOEXEC, 3)) { ::dup2(fd, 2); }
  ~Stderr() { ::dup2(old_.get(), 2); }
  Stderr(const Stderr&) = delete;
  Stderr& operator=(const Stderr&) = delete;

 private:
  UniqueFd old_;
};

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  std::string read() const {
    std::string text(1 << 20, '\0');
    ssize_t n = ::read(out.get(), text.data(), text.size());
    text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return text;
  }
  UniqueFd out;
  UniqueFd in;
};

}  // namespace

TEST_CASE("log: the file form is one line of time, level, who, event and fields") {
  CHECK(render(Form::file, {{"slot", 3}, {"signal", "SIGSEGV"}, {"request", "GET /report"}},
               "ignored") ==
        std::vector<std::string>{
            "2026-11-22T12:01:40.123Z warn master worker killed slot=3 signal=SIGSEGV "
            "request=\"GET /report\"\n"});
}

TEST_CASE("log: the terminal form is the local time, the sentence and what it does not say") {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  log::Fields fields{{"slot", 3}, {"pid", 4790}, {"restart_ms", 400}};
  CHECK(render(Form::terminal, fields, "worker 3 killed; restart in 400 ms (was 24790)").at(0) ==
        "12:01:40.123 warn  worker 3 killed; restart in 400 ms (was 24790)  pid=4790\n");
  CHECK(render(Form::terminal, fields, "worker 3 killed, 400", true).at(0) ==
        "12:01:40.123 \x1b[33mwarn \x1b[0m worker 3 killed, 400  \x1b[2mpid=4790\x1b[0m\n");
}

TEST_CASE("log: the journal form has a priority and neither time nor level") {
  CHECK(render(Form::journal, {{"pid", 1}}, "", false, "worker 2") ==
        std::vector<std::string>{"<4>worker 2: worker killed pid=1\n"});
  CHECK(render(Form::journal, {{"pid", 7}}, "one\ntwo\nthree\n") ==
        std::vector<std::string>{"<4>one pid=7\n", "<4>two\n", "<4>three\n"});
}

TEST_CASE("log: nothing in a value or a text can make a line or move a terminal") {
  auto line = render(Form::file, {{"x", "a\nb\x1b[2J"}, {"y", "say \"hi\\\""}, {"z", ""}}, "",
                     false, "master", "bad\nevent");
  REQUIRE(line.size() == 1);
  CHECK(
      line[0].ends_with("master bad\\x0Aevent x=\"a\\x0Ab\\x1B[2J\" y=\"say \\x22hi\\x5C\\x22\" "
                        "z=\"\"\n"));
  CHECK(render(Form::journal, {}, "a\x1b[2Jb\rc").at(0) == "<4>a\\x1B[2Jb\\x0Dc\n");
}

TEST_CASE("log: a line is cut to PIPE_BUF bytes, not within a character") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "é";
  for (const char* shift : {"", "x"}) {
    auto line = render(Form::journal, {}, shift + text).at(0);
    CHECK(line.size() <= 4096);
    CHECK(line.size() > 4090);
    CHECK(line.ends_with("é…\n"));
  }
}

TEST_CASE("log: lines below the level are not made") {
  Pipe pipe;
  Stderr redirect(pipe.in.get());
  log::configure({.level = Level::warn, .form = Form::file, .colour = false, .who = "master"});
  CHECK_FALSE(log::enabled(Level::notice));
  log::info("quiet");
  log::error("loud");
  auto text = pipe.read();
  CHECK(text.find("quiet") == text.npos);
  CHECK(text.find(" error master loud\n") != text.npos);
}

TEST_CASE("log: a program that says nothing of itself has its own name") {
  Pipe pipe;
  Stderr redirect(pipe.in.get());
  log::configure({.level = Level::warn, .form = Form::file, .who = {}});
  log::warn("alone");
  CHECK(pipe.read().ends_with("Z warn test_base alone\n"));
  log::configure({.level = Level::warn, .form = Form::journal, .who = {}});
  log::warn("alone");
  CHECK(pipe.read() == "<4>alone\n");
}

TEST_CASE("log: another name keeps the level and the form") {
  Pipe pipe;
  Stderr stand_in(pipe.in.get());
  log::configure({.level = Level::warn, .form = Form::journal});
  log::rename("worker 7");
  log::notice("too low");
  log::warn("cannot listen");
  CHECK(pipe.read() == "<4>worker 7: cannot listen\n");
}

TEST_CASE("log: a full pipe blocks nobody, and what was lost is counted and said") {
  Pipe pipe;
  Stderr redirect(pipe.in.get());
  log::configure({.level = Level::info, .form = Form::file, .colour = false, .who = "master"});
  CHECK((::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK) == 0);
  std::uint64_t before = log::dropped();
  std::string big(1000, 'x');
  for (int i = 0; i < 200; ++i) log::info("filler", {{"text", big}});
  std::uint64_t lost = log::dropped() - before;
  CHECK(lost > 0);
  std::string first = pipe.read();
  CHECK(first.ends_with("\n"));
  log::info("back");
  log::info("again");
  std::string text = pipe.read();
  CHECK(text.find("log lines dropped count=" + std::to_string(lost) + "\n") != text.npos);
  CHECK(text.find("dropped") == text.rfind("dropped"));
  CHECK(text.find(" back\n") < text.find(" again\n"));
}

TEST_CASE("log: a reader that has gone and a full disk cost lines, not the process") {
  ::signal(SIGPIPE, SIG_IGN);
  std::uint64_t before = log::dropped();
  SUBCASE("pipe without reader") {
    Pipe pipe;
    Stderr redirect(pipe.in.get());
    log::configure({});
    pipe.out.reset();
    log::info("into the void");
    CHECK(log::dropped() == before + 1);
  }
  SUBCASE("ENOSPC") {
    UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    Stderr redirect(full.get());
    log::configure({});
    log::info("onto the full disk");
    CHECK(log::dropped() == before + 1);
  }
  SUBCASE("closed") {
    UniqueFd old(::fcntl(2, F_DUPFD_CLOEXEC, 3));
    ::close(2);
    log::configure({});
    log::info("nowhere");
    ::dup2(old.get(), 2);
    CHECK(log::dropped() == before + 1);
  }
}

TEST_CASE("log: the automatic form follows what standard error is") {
  SUBCASE("the journal's stream, known by its device and inode") {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    struct stat st{};
    REQUIRE(::fstat(theirs.get(), &st) == 0);
    auto stream = std::to_string(st.st_dev) + ":" + std::to_string(st.st_ino);
    auto line = [&](const std::string& value) {
      ::setenv("JOURNAL_STREAM", value.c_str(), 1);
      Stderr redirect(theirs.get());
      log::configure({});
      log::warn("hello");
      std::string text(4096, '\0');
      ssize_t n = ::recv(ours.get(), text.data(), text.size(), MSG_DONTWAIT);
      text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
      return text;
    };
    CHECK(line(stream) == "<4>hello\n");
    CHECK(line(stream + "1").ends_with("Z warn master hello\n"));
    CHECK(line("no numbers").ends_with("Z warn master hello\n"));
    ::unsetenv("JOURNAL_STREAM");
  }
  SUBCASE("a terminal") {
    int main = -1;
    int sub = -1;
    REQUIRE(::openpty(&main, &sub, nullptr, nullptr, nullptr) == 0);
    UniqueFd ours(main);
    UniqueFd theirs(sub);
    Stderr redirect(theirs.get());
    log::configure({});
    log::notice("ready");
    std::string text(4096, '\0');
    ssize_t n = ::read(ours.get(), text.data(), text.size());
    REQUIRE(n > 0);
    text.resize(static_cast<std::size_t>(n));
    CHECK(text.substr(12) == " notice ready\r\n");
  }
}

TEST_CASE("log: levels have names") {
  Level level = Level::info;
  CHECK(log::parse_level("critical", level));
  CHECK(level == Level::critical);
  CHECK_FALSE(log::parse_level("verbose", level));
  CHECK(level == Level::critical);
  CHECK(log::level_name(Level::notice) == "notice");
}
