// SPDX-License-Identifier: Apache-2.0
#include "ipc/cluster_messages.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace pronghorn::ipc;
using pronghorn::Address;
using pronghorn::AddressType;

namespace {

ClusterMessage decode(const char* text) {
  auto message = decode_cluster_message(Json::parse(text));
  REQUIRE(message.has_value());
  return *message;
}

}  // namespace

// The goldens are what Node v20.20.2 sends (measured with strace).
TEST_CASE("cluster messages: a worker's have Node's bytes") {
  CHECK(encode_online(0).text() == R"({"cmd":"NODE_CLUSTER","act":"online","seq":0})");
  ClusterMessage any{.seq = 1, .port = 8000};
  CHECK(
      encode_query_server(any).text() ==
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":null,"port":8000,"addressType":4,"backlog":0,"seq":1})");
  ClusterMessage host{.seq = 2, .address = "127.0.0.1", .port = 46305};
  CHECK(
      encode_listening(host).text() ==
      R"({"cmd":"NODE_CLUSTER","act":"listening","index":0,"data":null,"address":"127.0.0.1","port":46305,"addressType":4,"flags":0,"backlog":0,"seq":2})");
  ClusterMessage v6{.seq = 1,
                    .address = "::1",
                    .port = 8000,
                    .address_type = AddressType::ipv6,
                    .flags = 1,
                    .backlog = 128};
  CHECK(
      encode_query_server(v6).text() ==
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"::1","port":8000,"addressType":6,"flags":1,"backlog":128,"seq":1})");
  ClusterMessage local{
      .seq = 1, .address = "/abs/rel.sock", .port = -1, .address_type = AddressType::unix_socket};
  CHECK(
      encode_query_server(local).text() ==
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"/abs/rel.sock","port":-1,"addressType":-1,"backlog":0,"seq":1})");
  CHECK(encode_close("127.0.0.1:1:4:None:0", 5).text() ==
        R"({"cmd":"NODE_CLUSTER","act":"close","key":"127.0.0.1:1:4:None:0","seq":5})");
  CHECK(encode_exited_after_disconnect(3).text() ==
        R"({"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":3})");
}

TEST_CASE("cluster messages: a primary's have Node's bytes") {
  CHECK(encode_shared_reply({.seq = 1, .ack = 1, .key = "K"}).text() ==
        R"({"cmd":"NODE_CLUSTER","errno":0,"key":"K","ack":1,"data":null,"seq":1})");
  CHECK(encode_error_reply(1, "K", -98, 2).text() ==
        R"({"cmd":"NODE_CLUSTER","errno":-98,"key":"K","ack":1,"data":null,"seq":2})");
  CHECK(encode_disconnect(3).text() == R"({"cmd":"NODE_CLUSTER","act":"disconnect","seq":3})");
  CHECK(encode_ack(3, 4).text() == R"({"cmd":"NODE_CLUSTER","ack":3,"seq":4})");
}

TEST_CASE("cluster messages: of a server whose connections are handed over, too") {
  ClusterMessage reply{.seq = 0, .ack = 1, .key = "127.0.0.1:46305:4:None:0"};
  reply.sockname = Address{.address = "127.0.0.1", .port = 46305};
  CHECK(
      encode_handing_reply(reply).text() ==
      R"({"cmd":"NODE_CLUSTER","errno":null,"key":"127.0.0.1:46305:4:None:0","ack":1,"data":null,"sockname":{"address":"127.0.0.1","family":"IPv4","port":46305},"seq":0})");
  CHECK(
      encode_handing_reply({.seq = 2, .ack = 3, .key = "/x", .data = R"({"ticketKeys":"7e"})"})
          .text() ==
      R"({"cmd":"NODE_CLUSTER","errno":null,"key":"/x","ack":3,"data":{"ticketKeys":"7e"},"seq":2})");
  CHECK(encode_new_connection("K", 1).text() ==
        R"({"cmd":"NODE_CLUSTER","act":"newconn","key":"K","seq":1})");
  CHECK(encode_accepted(1, true, 3).text() ==
        R"({"cmd":"NODE_CLUSTER","ack":1,"accepted":true,"seq":3})");
}

TEST_CASE("cluster messages: UDP, descriptors, permissions and a listen with a callback") {
  ClusterMessage udp{
      .seq = 1, .address = "0.0.0.0", .port = 9999, .address_type = AddressType::udp4, .fd = -1};
  CHECK(
      encode_query_server(udp).text() ==
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"0.0.0.0","port":9999,"addressType":"udp4","fd":-1,"flags":0,"seq":1})");
  auto inherited = decode(
      R"({"cmd":"NODE_CLUSTER","address":null,"port":null,"addressType":null,"fd":3,"backlog":false,"readableAll":true,"data":{"ticketKeys":"7e"}})");
  CHECK(inherited.address_type == AddressType::descriptor);
  CHECK(inherited.fd == 3);
  CHECK(inherited.backlog_is_false);
  CHECK(inherited.readable_all);
  CHECK_FALSE(inherited.writable_all);
  CHECK(inherited.data == R"({"ticketKeys":"7e"})");
  auto named = decode(
      R"({"cmd":"NODE_CLUSTER","ack":1,"sockname":{"address":"::1","family":"IPv6","port":80}})");
  REQUIRE(named.sockname.has_value());
  CHECK(*named.sockname == Address{.address = "::1", .port = 80, .type = AddressType::ipv6});
  CHECK_FALSE(decode(R"({"cmd":"NODE_CLUSTER","sockname":{"port":65536}})").sockname.has_value());
}

TEST_CASE("cluster messages: what was encoded decodes to itself") {
  ClusterMessage in{
      .seq = 9, .index = 2, .address = "\"\\\xc3\xa9", .port = 1, .flags = 5, .backlog = 511};
  auto out = decode(encode_query_server(in).text().c_str());
  CHECK(out.act == "queryServer");
  CHECK(out.seq == 9);
  CHECK(out.index == 2);
  CHECK(out.address == in.address);
  CHECK(out.port == 1);
  CHECK(out.flags == 5);
  CHECK(out.backlog == 511);
  CHECK(decode(encode_error_reply(1, "K", -98, 2).text().c_str()).error == -98);
}

TEST_CASE("cluster messages: those about a connection, alone and with members of others") {
  auto reply = decode(encode_accepted(5, true, 7).text().c_str());
  CHECK(reply.ack == 5);
  CHECK(reply.accepted == true);
  CHECK(reply.seq == 7);
  CHECK(reply.data == "null");
  CHECK(reply.address_type == AddressType::ipv4);
  auto connection = decode(encode_new_connection("127.0.0.1:80:4:null:0", 8).text().c_str());
  CHECK(connection.act == "newconn");
  CHECK(connection.key == "127.0.0.1:80:4:null:0");
  CHECK(connection.seq == 8);
  auto more = decode(
      R"({"cmd":"NODE_CLUSTER","ack":5,"accepted":false,"seq":7,"errno":-98,"data":{"a":1}})");
  CHECK(more.accepted == false);
  CHECK(more.error == -98);
  CHECK(more.data == "{\"a\":1}");
  // One of another type is there, and counts as absent.
  auto wrong = decode(R"({"cmd":"NODE_CLUSTER","ack":"x","accepted":true,"seq":7,"port":1})");
  CHECK_FALSE(wrong.ack.has_value());
  CHECK(wrong.port == 1);
}

TEST_CASE("cluster messages: members of varying types are read leniently") {
  auto listen = decode(
      R"({"cmd":"NODE_CLUSTER","act":"queryServer","port":80,"backlog":false,"address":null,"seq":1})");
  CHECK(listen.backlog == 0);
  CHECK_FALSE(listen.address.has_value());
  CHECK(listen.address_type == AddressType::ipv4);
  CHECK(decode(R"({"cmd":"NODE_CLUSTER","addressType":"udp4","fd":-1})").address_type ==
        AddressType::udp4);
  CHECK(decode(R"({"cmd":"NODE_CLUSTER","addressType":null,"fd":0,"port":null})").address_type ==
        AddressType::descriptor);
  CHECK(decode(R"({"cmd":"NODE_CLUSTER","errno":null,"ack":1,"accepted":true})").error == 0);
  CHECK(decode(R"({"cmd":"NODE_CLUSTER","ack":1,"accepted":false})").accepted == false);
  CHECK(decode(R"({"cmd":"NODE_CLUSTER","act":7,"seq":"x","key":{},"index":[]})").act.empty());
  for (const char* text : {"1", "null", "[]", "{}", R"({"cmd":5})", R"({"cmd":"NODE_HANDLE"})"}) {
    CHECK_FALSE(decode_cluster_message(Json::parse(text)).has_value());
  }
}

TEST_CASE("cluster messages: our own are internal, and survive any text") {
  auto text = encode_pronghorn({.act = "fault", .text = "line \"1\"\n"}).text();
  CHECK(text == R"({"cmd":"NODE_PRONGHORN","act":"fault","text":"line \"1\"\n"})");
  auto back = decode_pronghorn(Json::parse(text));
  REQUIRE(back.has_value());
  CHECK(back->act == "fault");
  CHECK(back->text == "line \"1\"\n");
  CHECK(encode_pronghorn({.act = "drain"}).text() == R"({"cmd":"NODE_PRONGHORN","act":"drain"})");
  CHECK_FALSE(decode_pronghorn(Json::parse(R"({"cmd":"NODE_CLUSTER"})")).has_value());
}

TEST_CASE("cluster messages: a socket that is lent is named by its server's key and its slot") {
  auto lend = encode_lend("127.0.0.1:80:4:undefined:0", 3).text();
  CHECK(lend ==
        R"({"cmd":"NODE_PRONGHORN","act":"lend","key":"127.0.0.1:80:4:undefined:0","slot":3})");
  auto back = decode_pronghorn(Json::parse(lend));
  REQUIRE(back.has_value());
  CHECK(back->act == "lend");
  CHECK(back->key == "127.0.0.1:80:4:undefined:0");
  CHECK(back->slot == 3);
  CHECK(encode_unlend("k", 0).text() ==
        R"({"cmd":"NODE_PRONGHORN","act":"unlend","key":"k","slot":0})");
  for (const char* wrong : {"-1", "4294967296", "\"1\"", "1.5"}) {
    CAPTURE(wrong);
    auto text = std::string(R"({"cmd":"NODE_PRONGHORN","act":"lend","key":"k","slot":)") + wrong;
    CHECK_FALSE(decode_pronghorn(Json::parse(text + "}"))->slot.has_value());
  }
}
