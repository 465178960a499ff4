// SPDX-License-Identifier: Apache-2.0
#include "server/listenings.h"

#include <pronghorn/base/listeners.h>

#include "base/log.h"
#include "server/listen_error.h"

#include <sys/stat.h>
#include <utility>

namespace pronghorn::server {
namespace {

constexpr int kDefaultBacklog = 511;  // Node's
constexpr Millis kLong = std::chrono::hours(24);

/// Node's readableAll and writableAll; without them the umask says who may connect.
std::optional<mode_t> mode_of(const ListenRequest& request) {
  if (!request.readable_all && !request.writable_all) return std::nullopt;
  mode_t mode = S_IRUSR | S_IWUSR;
  if (request.readable_all) mode |= S_IRGRP | S_IROTH;
  if (request.writable_all) mode |= S_IWGRP | S_IWOTH;
  return mode;
}

/// A slot's socket of one listening; an Id is never 0.
std::uint64_t lent(Listenings::Id id, std::uint32_t slot) { return id << 32 | slot; }

}  // namespace

struct Listenings::Events {
  Listeners<std::function<void(const Address&)>> listening;
  Listeners<std::function<void(const Error&)>> error;
};

Listenings::Listenings(Loop& loop, Owner& owner)
    : loop_(loop),
      owner_(owner),
      events_(std::make_shared<Events>()),
      self_(std::make_shared<Listenings*>(this)) {}

Listenings::~Listenings() {
  *self_ = nullptr;
  events_->listening.clear();
  events_->error.clear();
  close();
}

void Listenings::open(const ListenRequest& request, bool exclusive, std::uint32_t profile) {
  Id id = next_++;
  Listening& listening = listenings_[id];
  listening.profile = profile;
  if (!hold_) {
    hold_.emplace(loop_, [] {});
    hold_->start(kLong, kLong);
  }
  ListenSource* source = exclusive ? nullptr : ListenSource::of(loop_);
  if (source == nullptr) return open_own(id, request);
  listening.source = source;
  listening.ticket = source->listen(request, client(id));
}

void Listenings::open_own(Id id, const ListenRequest& request) {
  const auto& where = request.address;
  int backlog = request.backlog > 0 ? static_cast<int>(request.backlog) : kDefaultBacklog;
  auto socket = where.is_unix()
                    ? ListenSocket::open_unix(where.path, backlog, mode_of(request))
                    : ListenSocket::open_tcp(where.host, where.port, backlog, request.ipv6_only);
  std::optional<Error> error;
  if (!socket) {
    error = socket.error().eai != 0 ? resolve_error(socket.error().eai, where)
                                    : listen_error(socket.error().error, where);
  } else if (auto added = owner_.accept_from(std::move(socket->fd), 0, profile_of(id)); !added) {
    error = std::move(added.error());
  }
  if (error) return later([id, why = std::move(*error)](Listenings& l) { l.failed(id, why); });
  Listening& listening = listenings_[id];
  listening.address = std::move(socket->address);
  listening.file = std::move(socket->file);
  later([id](Listenings& l) { l.opened(id); });
}

std::uint32_t Listenings::profile_of(Id id) const {
  auto found = listenings_.find(id);
  return found == listenings_.end() ? 0 : found->second.profile;
}

ListenSource::Client Listenings::client(Id id) {
  return {.on_granted =
              [this, id](Result<ListenSource::Grant> grant) { on_granted(id, std::move(grant)); },
          .on_connection =
              [this, id](UniqueFd socket) {
                return owner_.take_connection(std::move(socket), profile_of(id));
              },
          .on_close_asked =
              [this](std::function<void()> closed) { owner_.on_close_asked(std::move(closed)); },
          .on_lent =
              [this, id](std::uint32_t slot, UniqueFd socket) {
                auto added = owner_.accept_from(std::move(socket), lent(id, slot), profile_of(id));
                if (!added) {
                  log::warn("lent socket refused", {{"why", added.error().message()}});
                }
              },
          .on_lending_ended = [this,
                               id](std::uint32_t slot) { owner_.release_socket(lent(id, slot)); }};
}

void Listenings::on_granted(Id id, Result<ListenSource::Grant> grant) {
  auto found = listenings_.find(id);
  if (found == listenings_.end()) return;
  if (!grant) {
    found->second.source = nullptr;  // its ticket ended with the error
    return failed(id, grant.error());
  }
  if (grant->socket) {
    auto added = owner_.accept_from(std::move(grant->socket), 0, found->second.profile);
    if (!added) return failed(id, added.error());
  }
  found->second.address = std::move(grant->address);
  found->second.source->listening(found->second.ticket);
  opened(id);
}

/// May destroy us.
void Listenings::opened(Id id) {
  auto found = listenings_.find(id);
  if (found == listenings_.end()) return;
  const Address address = *found->second.address;
  auto events = events_;
  events->listening.emit(address);
}

/// May destroy us.
void Listenings::failed(Id id, const Error& error) {
  auto found = listenings_.extract(id);
  if (found.empty()) return;
  let_go(found.mapped());
  if (listenings_.empty()) hold_.reset();
  auto events = events_;
  if (!events->error.empty()) return events->error.emit(error);
  log::error("cannot listen", {{"why", error.message()}}, error.message());
  loop_.set_exit_code(1);
  loop_.stop();
}

void Listenings::let_go(Listening& listening) noexcept {
  // A source that is gone has forgotten its tickets.
  if (listening.source != nullptr && ListenSource::of(loop_) == listening.source) {
    listening.source->close(listening.ticket);
  }
}

void Listenings::close() noexcept {
  auto listenings = std::exchange(listenings_, {});
  hold_.reset();
  for (auto& [id, listening] : listenings) let_go(listening);
}

void Listenings::on_listening(std::function<void(const Address&)> listener) {
  events_->listening.add(std::move(listener));
}

void Listenings::on_error(std::function<void(const Error&)> listener) {
  events_->error.add(std::move(listener));
}

std::optional<Address> Listenings::address() const {
  for (const auto& [id, listening] : listenings_) {
    if (listening.address) return listening.address;
  }
  return std::nullopt;
}

/// Before any connection of what was opened now.
void Listenings::later(std::function<void(Listenings&)> call) {
  loop_.soon([self = self_, call = std::move(call)] {
    if (*self != nullptr) call(**self);
  });
}

}  // namespace pronghorn::server
