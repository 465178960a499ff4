// SPDX-License-Identifier: Apache-2.0
#include <pronghorn/server/folder.h>
#include <pronghorn/server/server.h>

#include "server/listen_source.h"
#include "server/server_impl.h"

namespace pronghorn {
namespace {

// What a Cluster's primary counts by; nothing where there is none.
WorkerCounters* counters_of(Loop& loop) noexcept {
  server::ListenSource* source = server::ListenSource::of(loop);
  return source == nullptr ? nullptr : source->counters();
}

}  // namespace

Server::Server(Loop& loop, Router router, Options options, WorkerCounters* counters)
    : impl_(std::make_unique<Impl>(loop, std::move(router), std::move(options),
                                   counters != nullptr ? counters : counters_of(loop))) {}
Server::Server(Loop& loop) : Server(loop, Router(), Options()) {}
Server::~Server() = default;

Server& Server::get(std::string_view pattern, Handler handler) {
  return get(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::get(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("GET", pattern, options, std::move(handler)), *this;
}
Server& Server::post(std::string_view pattern, Handler handler) {
  return post(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::post(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("POST", pattern, options, std::move(handler)), *this;
}
Server& Server::put(std::string_view pattern, Handler handler) {
  return put(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::put(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("PUT", pattern, options, std::move(handler)), *this;
}
Server& Server::patch(std::string_view pattern, Handler handler) {
  return patch(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::patch(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("PATCH", pattern, options, std::move(handler)), *this;
}
Server& Server::del(std::string_view pattern, Handler handler) {
  return del(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::del(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("DELETE", pattern, options, std::move(handler)), *this;
}
Server& Server::any(std::string_view pattern, Handler handler) {
  return any(pattern, RouteOptions{}, std::move(handler));
}
Server& Server::any(std::string_view pattern, const RouteOptions& options, Handler handler) {
  return impl_->add_route("*", pattern, options, std::move(handler)), *this;
}
Server& Server::before(std::string_view prefix, Router::Before call) {
  return impl_->note(impl_->router().before(prefix, std::move(call))), *this;
}
Server& Server::after(std::string_view prefix, Router::After call) {
  return impl_->note(impl_->router().after(prefix, std::move(call))), *this;
}

Server& Server::files(std::string_view prefix, const std::string& directory) {
  return files(prefix, directory, {});
}
Server& Server::files(std::string_view prefix, const std::string& directory,
                      const FolderOptions& options) {
  return impl_->note(add_files(impl_->router(), prefix, directory, options)), *this;
}

Result<void> Server::listen(std::string_view address) { return listen(address, {}); }
Result<void> Server::listen(std::string_view address, const ListenOptions& options) {
  return impl_->listen(address, options);
}
void Server::on_listening(std::function<void(const Address&)> listener) {
  impl_->listenings().on_listening(std::move(listener));
}
void Server::on_error(std::function<void(const Error&)> listener) {
  impl_->listenings().on_error(std::move(listener));
}
std::optional<Address> Server::address() const { return impl_->listenings().address(); }
void Server::close(std::function<void()> closed) { impl_->close(std::move(closed)); }

bool Server::add_connection(UniqueFd connection) {
  return impl_->add_connection(std::move(connection));
}

Result<void> Server::add_listener(UniqueFd listener) {
  return impl_->add_listener(std::move(listener));
}
void Server::set_accepting(bool on) noexcept { impl_->set_accepting(on); }
void Server::set_accept_policy(server::AcceptPolicy* policy) noexcept { impl_->policy = policy; }
void Server::set_client_table(ClientTable* table, std::uint32_t slot) noexcept {
  impl_->share_clients(table, slot);
}
void Server::set_access_log(server::AccessLog* log) noexcept { impl_->set_access_log(log); }

void Server::begin_drain() noexcept { impl_->begin_drain(); }
void Server::close_connections() noexcept { impl_->close_connections(); }

std::uint64_t Server::connections() const noexcept { return impl_->open; }

}  // namespace pronghorn
