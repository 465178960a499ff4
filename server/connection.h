// SPDX-License-Identifier: Apache-2.0
// One client's socket: moves bytes between it and a Session, keeps the deadlines, closes in the way
// that loses no answer. Made by Server for each accepted socket.
//   connection.cpp           reading, closing
//   connection_write.cpp     answers to the kernel, what it does not take into a queue
//   connection_body.cpp      bodies that are not among the answers' bytes: files, shared bytes
//   connection_deadline.cpp  what is waited for, and until when
#pragma once

#include <pronghorn/base/unique_fd.h>
#include <pronghorn/server/response.h>

#include "base/timer_wheel.h"
#include "base/uv/tcp.h"
#include "server/connection_context.h"
#include "server/session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pronghorn::server {

/// An idle one holds no buffer: its memory is this object, the session in it and libuv's handle.
/// All that it knows beside the descriptor is the session's peer and request count, so that an idle
/// connection can be given to another process (architecture, decision 12).
class Connection final : public WheelEntry, private uv::Tcp::Handler, private SessionOwner {
 public:
  /// `socket` is connected; whether it blocks does not matter. Nothing is read before start().
  Connection(ConnectionContext& context, UniqueFd socket, std::string_view peer,
             std::uint16_t port = 0);
  ~Connection();

  /// Before start(): whose requests are counted; whether this connection is as well.
  void set_client(ClientKey client, bool is_counted) noexcept {
    session_.set_client(client);
    is_counted_ = is_counted;
  }
  int fd() const noexcept { return tcp_ ? tcp_.fd() : socket_.get(); }
  /// As whom it was counted among its client's connections.
  ClientKey counted_client() const noexcept {
    return in_scope(session_.client(), context_.session.client_scope);
  }
  bool is_counted() const noexcept { return is_counted_; }
  /// Before start(): its socket does not inherit our listeners' options.
  void set_accepted_elsewhere() noexcept { is_from_elsewhere_ = true; }

  /// Reads at once: with TCP_DEFER_ACCEPT the request is already here, and a connection that is
  /// answered and closed by that never gets a handle of the loop (0.7 of the CPU time of one that
  /// does). May destroy the connection.
  void start();
  /// Its deadline has passed. May destroy the connection.
  void on_deadline();
  /// The server's state has changed (listeners closed): takes its deadlines anew.
  void refresh_deadline() { set_deadline(); }
  /// Closes now, whatever is unsent. Destroys the connection.
  void close() noexcept;
  /// Sends what handlers have said since. May destroy the connection.
  void flush();
  /// The socket may have room again. May destroy the connection.
  void on_room();

 private:
  enum class Flow : std::uint8_t { done, blocked, dead };
  struct Backlog {
    std::string bytes;
    std::size_t at = 0;
  };

  std::span<char> read_buffer() override { return context_.receive; }
  void on_bytes(std::string_view bytes) override;
  void on_end(int error) override;
  void on_written(int error) override;
  void on_output() noexcept override;
  std::size_t unsent_output() const noexcept override { return unsent(); }

  bool attach();
  bool read_once();
  void pump();
  void settle();
  void set_reading(bool on) noexcept;
  void finish();
  bool is_under_way() const noexcept;
  void drop(std::size_t bytes);
  void abort() noexcept;
  void note_cut(std::size_t waiting) noexcept;

  std::size_t unsent() const noexcept {
    return in_flight_ + (backlog_ ? backlog_->bytes.size() - backlog_->at : 0);
  }
  /// There is output that the kernel has not taken.
  bool is_blocked() const noexcept { return unsent() > 0 || awaits_room_; }
  Flow transmit(std::string& out);
  bool send(std::string_view out, std::size_t& budget, int flags = 0);
  bool enqueue(std::string_view bytes);
  void write_piece(std::string piece);
  bool write_backlog();
  std::size_t count_sent(ssize_t result, std::size_t& budget) noexcept;

  bool send_piece(std::string& out, std::size_t& budget);
  bool send_shared(std::string& out, std::size_t& budget);
  bool send_from_file(std::string& out, std::size_t& budget);
  bool send_read(std::string& out, std::size_t& budget);
  bool append_piece(std::string& out);
  bool await_room();
  bool yield();
  bool cut() noexcept;

  // Times of which 32 bits of milliseconds are kept: of the last 49 days, or what nobody asks for.
  std::uint32_t now32() const noexcept {
    return static_cast<std::uint32_t>(context_.loop.now_ms());
  }
  static std::int64_t ms_of(std::uint32_t time, std::int64_t now) noexcept {
    return now - (static_cast<std::uint32_t>(now) - time);
  }
  std::int64_t write_deadline(std::int64_t now) const noexcept;
  void set_deadline();
  std::int64_t read_deadline(std::int64_t now);
  bool is_out_of_sight() const noexcept;
  bool look_at_client();
  bool keeps_bytes(short events) const noexcept;
  void begin_write_window() noexcept;
  std::uint32_t progress_mark() const noexcept;
  bool client_takes() const noexcept;

  ConnectionContext& context_;
  uv::Tcp tcp_;
  Session session_;
  BodyPiece* piece_ = nullptr;        // of a body being sent, in the session: what is left of it
  std::unique_ptr<Backlog> backlog_;  // output after what is in flight; only of a slow client
  UniqueFd socket_;                   // until attach(): then it is the handle's
  std::uint32_t in_flight_ = 0;       // given to Tcp::write
  std::uint32_t lingered_ = 0;        // bytes dropped
  std::uint32_t stage_since_;         // when the session's phase, as last seen, began
  std::uint32_t window_since_ = 0;    // when the write window began; 0: there is none
  std::uint32_t window_mark_ = 0;     // progress_mark() at that time
  std::uint16_t stage_request_ = 0;   // the end of its number
  Session::Phase stage_ = Session::Phase::idle;
  bool is_woken_ = false;          // on the context's list
  bool more_unread_ = false;       // the last read filled the buffer
  bool sent_much_ = false;         // more than surely is with the client soon
  bool window_moved_ : 1 = false;  // room has come since
  bool reading_ : 1 = false;
  bool eof_ : 1 = false;
  bool lingering_ : 1 = false;
  bool awaits_room_ : 1 = false;  // with what is left of piece_, or its next turn
  bool is_watched_ : 1 = false;   // in the context's set
  bool is_from_elsewhere_ : 1 = false;
  bool is_counted_ : 1 = false;  // among its client's connections
};
// An idle one is this and uv::Tcp's box, 264 bytes: of memory, not of time, there are 10,000 at
// once.
static_assert(sizeof(Connection) <= 160);

}  // namespace pronghorn::server
