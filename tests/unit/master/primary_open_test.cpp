// SPDX-License-Identifier: Apache-2.0
// What the primary opens for workers (node-ipc 2.2).
#include "primary_rig.h"

#include <sys/stat.h>

using namespace pronghorn;
using namespace pronghorn::test;
using Rig = PrimaryRig;

TEST_CASE("primary: no address is `::` for both families; ipv6Only is one family") {
  Rig rig;
  rig.add(1);
  auto query = Rig::tcp_query(0, {{"address", nullptr}});
  query.erase("flags");
  Rig::Sent& any = rig.ask(1, query);
  CHECK(any.json.at("key") == "null:0:4:undefined:0");
  CHECK(where(any.fd).host == "::");
  CHECK(connect_to({"127.0.0.1", where(any.fd).port, {}}));
  Rig::Sent& six =
      rig.ask(1, Rig::tcp_query(0, {{"address", "::"}, {"addressType", 6}, {"flags", 1}}));
  CHECK(six.json.at("key") == ":::0:6:undefined:0");
  CHECK(!connect_to({"127.0.0.1", where(six.fd).port, {}}));
  CHECK(connect_to({"::1", where(six.fd).port, {}}));
}

TEST_CASE("primary: a name, a port out of range or none, and an empty path are EINVAL") {
  Rig rig;
  rig.add(1);
  // Workers look names up themselves: the primary must not wait for a name server.
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"address", "localhost"}})) == EINVAL);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"port", 65536}})) == EINVAL);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"port", -1}})) == EINVAL);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"port", nullptr}})) == EINVAL);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"address", ""}, {"addressType", -1}})) == EINVAL);
  CHECK(rig.refused(1, Rig::tcp_query(0, {{"addressType", "udp6"}})) == EINVAL);
}

TEST_CASE("primary: a unix socket has its file until it is closed, and the permissions asked for") {
  Rig rig;
  rig.add(1);
  Folder folder;
  auto query = [&](const std::string& name, const Json& more = Json::object()) {
    Json out = {
        {"act", "queryServer"}, {"index", 0},        {"data", nullptr}, {"address", folder / name},
        {"port", -1},           {"addressType", -1}, {"backlog", 0}};
    out.update(more);
    return out;
  };
  Rig::Sent& answer = rig.ask(1, query("s"));
  std::string key = answer.json.at("key");
  CHECK(key == folder / "s" + ":-1:-1:undefined:0");
  CHECK(connect_to({{}, 0, folder / "s"}));
  CHECK(accept_one(answer.fd));
  rig.close(1, key);
  CHECK(!std::filesystem::exists(folder / "s"));

  auto mode = [&](const std::string& name) {
    struct stat info{};
    ::stat((folder / name).c_str(), &info);
    return info.st_mode & 0666;
  };
  rig.ask(1, query("r", {{"readableAll", true}}));
  CHECK(mode("r") == 0644);
  rig.ask(1, query("rw", {{"readableAll", true}, {"writableAll", true}}));
  CHECK(mode("rw") == 0666);
  CHECK(rig.refused(1, query("none/s")) == ENOENT);
}

TEST_CASE("primary: a unix path that is too long is opened from the working directory if it fits") {
  Rig rig;
  rig.add(1);
  Folder folder;
  std::string deep = folder / std::string(60, 'x') + "/" + std::string(60, 'y');
  std::filesystem::create_directories(deep);
  Json query = {{"act", "queryServer"},
                {"index", 0},
                {"address", deep + "/s"},
                {"port", -1},
                {"addressType", -1}};
  CHECK(rig.refused(1, query) == ENAMETOOLONG);
  auto before = std::filesystem::current_path();
  std::filesystem::current_path(deep);
  Rig::Sent& answer = rig.ask(1, query);
  CHECK(connect_to({{}, 0, "s"}));
  std::filesystem::current_path(before);
  CHECK(answer.fd);
  rig.close(1, answer.json.at("key"));
  CHECK(!std::filesystem::exists(deep + "/s"));
}

TEST_CASE("primary: a descriptor is one of the primary's own sockets, and no connection") {
  Rig rig;
  rig.add(1);
  auto ours = Listener::open({"127.0.0.1", 0, {}}, 4);
  REQUIRE(ours);
  auto query = [](int fd) {
    return Json{{"act", "queryServer"},   {"index", 0}, {"address", nullptr}, {"port", nullptr},
                {"addressType", nullptr}, {"fd", fd},   {"backlog", 0}};
  };
  Rig::Sent& answer = rig.ask(1, query(ours->fd()));
  CHECK(answer.json.at("key") == fmt::format("null:null:null:{}:0", ours->fd()));
  auto client = connect_to(ours->address());
  CHECK(send_text(client.get(), "x"));  // TCP_DEFER_ACCEPT waits for it
  CHECK(accept_one(answer.fd));
  // Whoever gave it to us goes on with it.
  rig.primary->refuse_new();
  auto next = connect_to(ours->address(), SOCK_NONBLOCK);
  pollfd entry{next.get(), POLLOUT, 0};
  CHECK(::poll(&entry, 1, 10'000) == 1);
  CHECK(rig.refused(1, query(client.get())) == EINVAL);
  CHECK(rig.refused(1, query(-1)) == EBADF);
  CHECK(rig.refused(1, query(1'000'000)) == EBADF);
  UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(rig.refused(1, query(file.get())) == ENOTSOCK);
  rig.say(1, {{"act", "listening"},
              {"address", nullptr},
              {"port", nullptr},
              {"addressType", nullptr},
              {"fd", 7}});
  CHECK(rig.last_address ==
        Address{.address = "", .port = 0, .type = AddressType::descriptor, .fd = 7});
}

TEST_CASE("primary: which descriptors may be asked for is its owner's to say") {
  Rig rig;
  auto ours = Listener::open({"127.0.0.1", 0, {}}, 4);
  auto theirs = Listener::open({"127.0.0.1", 0, {}}, 4);
  REQUIRE(ours);
  REQUIRE(theirs);
  rig.options.lends = [fd = theirs->fd()](std::int64_t asked) { return asked == fd; };
  rig.restart();
  rig.add(1);
  auto query = [](const Json& type, std::int64_t fd) {
    return Json{{"act", "queryServer"}, {"index", 0},          {"address", nullptr},
                {"port", nullptr},      {"addressType", type}, {"fd", fd}};
  };
  CHECK(rig.refused(1, query(nullptr, ours->fd())) == EBADF);
  CHECK(rig.refused(1, query("udp4", ours->fd())) == EBADF);
  CHECK(rig.refused(1, query(nullptr, theirs->fd() + (std::int64_t{1} << 32))) == EBADF);
  CHECK(rig.ask(1, query(nullptr, theirs->fd())).fd);
  // Node's UDP sockets say -1 where there is none.
  Json udp = query("udp4", -1);
  udp["port"] = 0;
  CHECK(rig.ask(1, udp).fd);
}

TEST_CASE("primary: UDP is one socket for all, whatever the scheduling") {
  for (auto scheduling : {Scheduling::shared, Scheduling::round_robin, Scheduling::reuseport}) {
    Rig rig(scheduling);
    rig.add(1);
    rig.add(2);
    auto query = [](const char* type, const char* address, int flags) {
      return Json{{"act", "queryServer"},
                  {"index", 0},
                  {"data", nullptr},
                  {"address", address},
                  {"port", 0},
                  {"addressType", type},
                  {"fd", -1},
                  {"flags", flags}};
    };
    Rig::Sent& answer = rig.ask(1, query("udp4", "127.0.0.1", 0));
    CHECK(answer.json.at("key") == "127.0.0.1:0:udp4:-1:0");
    CHECK(answer.type == ipc::HandleType::dgram_native);
    CHECK(option(answer.fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
    CHECK(option(answer.fd, SOL_SOCKET, SO_REUSEADDR) == 0);
    CHECK((::fcntl(answer.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
    auto port = where(answer.fd).port;
    CHECK(port != 0);
    CHECK(where(rig.ask(2, query("udp4", "127.0.0.1", 0)).fd).port == port);
    Rig::Sent& six = rig.ask(1, query("udp6", "::", 5));
    CHECK(option(six.fd, SOL_SOCKET, SO_REUSEADDR) == 1);
    CHECK(option(six.fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
    CHECK(rig.refused(1, query("udp4", "::", 0)) == EINVAL);
  }
}
